/** What of a queue goes out together: calls that are made side by side, without one event of a subject overtaking another. */
import type { Waiting } from "./store.ts";

type Shape = { most: number; batchSize: number };

export type Round = {
  calls: Waiting[][];
  /** Subjects of which nothing more goes out before these calls were answered, or before `nextAt`. */
  held: Set<string>;
  /** When to look again, ms: at once after calls, else when the first of what may go out is due; null: nothing waits. */
  nextAt: number | null;
};

/**
 * The next calls, `most` at most, of up to `batchSize` events each. A subject is in one call at a time, and waits as long as
 * its oldest event does. What was sent together goes out together again: one `webhook-id` always means the same events.
 */
export function nextRound(waiting: Waiting[], now: number, { most, batchSize }: Shape): Round {
  const together = Map.groupBy(waiting, ({ call }) => call);
  const calls: Waiting[][] = [];
  const held = new Set<string>();
  let nextAt = Number.POSITIVE_INFINITY;
  let open: Waiting[] = [];
  const send = (events: Waiting[]): void => {
    if (events.length > 0) calls.push(events);
    hold(events);
  };
  const hold = (events: Waiting[]): void => {
    for (const { subject } of events) held.add(subject);
  };
  for (const event of waiting) {
    if (calls.length === most) break;
    if (held.has(event.subject)) continue;
    if (event.call === null && event.due_at <= now) {
      open.push(event);
      if (open.length < batchSize) continue;
      send(open);
      open = [];
      continue;
    }
    const group = event.call === null ? [event] : (together.get(event.call) ?? [event]);
    const isFree = group.every(({ subject }) => !held.has(subject) && !open.some((other) => other.subject === subject));
    if (isFree && event.due_at <= now) send(group);
    else hold(group);
    // What is behind it is due since it came, and waits all the same.
    if (event.due_at > now) nextAt = Math.min(nextAt, event.due_at);
  }
  if (calls.length < most) send(open);
  if (calls.length > 0) nextAt = now;
  return { calls, held, nextAt: Number.isFinite(nextAt) ? nextAt : null };
}
