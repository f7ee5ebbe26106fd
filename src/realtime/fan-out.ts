/** What crosses to a gateway: frames as Socket.IO events, and for whom they are. */
import { z } from "zod";
import type { EncodedFrame } from "./encoded-frame.ts";
import type { ReplayLog } from "./log.ts";
import type { FrameBatch } from "./transport.ts";

/** A client's membership of an object: who comes back after it has ended has another, with a greater number. */
export const Membership = z.object({ socketId: z.string(), join: z.number().int() });
export type Membership = z.infer<typeof Membership>;

/**
 * Where events leave their receivers in an object's log (`object`: see `objectKey`). `seqs`: of each event, 0 for one that is
 * not in it; absent in what a room of the release before sends.
 */
export type LogMark = { object: string; seq: number; epoch: string; seqs?: number[] };

/** An event (`["name",data]`, encoded once); with the users whose words it has, where a log knows of any. */
export type CrossingEvent = string | { json: string; attachments: ArrayBuffer[]; people: number[] };

/** Events as they cross, and the seq of each, 0 for one that is in no log. */
export type LoggedEvents = { events: CrossingEvent[]; seqs: number[] };

/** As which of their memberships of an object clients are sent something: a number for each. */
export type MemberMark = { object: string; joins: number[] };

/**
 * Events for some of a gateway's clients. `at`: how far they have the log with these; null if
 * none of the events is in it. `as` is absent where nothing is sent, and in what a room of the release before sends.
 */
export type FanOutGroup = { socketIds: string[]; as?: MemberMark; events: CrossingEvent[]; at: LogMark | null };

/** What waits to go to one member; `epoch`: of the log when it was sent. */
export type Outgoing = { member: Membership; batch: FrameBatch; epoch: string };

/** Frames as Socket.IO's clients get them. */
const toEvents = (frames: readonly EncodedFrame[]): LoggedEvents => ({
  events: frames.map(({ event, people }) =>
    people.length === 0 ? event : { json: event, attachments: [], people: [...people] },
  ),
  seqs: frames.map(({ seq }) => seq),
});

/** What a gateway keeps for one client (socketio/replay.ts). */
const MISSED_BYTES = 256 * 1024;

/** Where a client is in a log. */
export type Position = { seq: number; epoch: string };

/** All that a log has after a position; null: it is not all kept, or too much for a gateway. */
export function missedIn(log: ReplayLog, { seq, epoch }: Position): LoggedEvents | null {
  const page = log.canResume(seq, epoch) ? log.page(seq, MISSED_BYTES) : null;
  return page && page.to >= log.head ? toEvents(page.frames) : null;
}

const crossings = new WeakMap<FrameBatch, LoggedEvents>();
function crossingOf(batch: FrameBatch): LoggedEvents {
  let crossing = crossings.get(batch);
  if (!crossing) {
    crossing = toEvents(batch.frames);
    crossings.set(batch, crossing);
  }
  return crossing;
}

/** A series of batches: `last` after all of `before`. `members` (join → id) were sent just these. */
type Series = {
  before: Series | null;
  last: { batch: FrameBatch; epoch: string } | null;
  longer: Map<FrameBatch, Series>;
  members: Map<number, string>;
};

const newSeries = (before: Series | null, last: Series["last"]): Series => ({
  before,
  last,
  longer: new Map(),
  members: new Map(),
});

/** Members that get the same are one group, so that it crosses once, and each is sent all of it in a row. */
export function toFanOutGroups(sent: Outgoing[], object: string): FanOutGroup[] {
  const start = newSeries(null, null);
  const all = [start];
  const seriesOf = new Map<number, Series>();
  for (const { member, batch, epoch } of sent) {
    const series = seriesOf.get(member.join) ?? start;
    let longer = series.longer.get(batch);
    if (!longer) {
      longer = newSeries(series, { batch, epoch });
      series.longer.set(batch, longer);
      all.push(longer);
    }
    series.members.delete(member.join);
    longer.members.set(member.join, member.socketId);
    seriesOf.set(member.join, longer);
  }
  return all
    .filter(({ members }) => members.size > 0)
    .map((series) => ({
      socketIds: [...series.members.values()],
      as: { object, joins: [...series.members.keys()] },
      ...crossingOfAll(series, object),
    }));
}

function crossingOfAll(series: Series, object: string): Pick<FanOutGroup, "events" | "at"> {
  const batches: NonNullable<Series["last"]>[] = [];
  for (let one: Series | null = series; one?.last; one = one.before) batches.push(one.last);
  const crossings = batches.reverse().map(({ batch, epoch }) => ({ ...crossingOf(batch), epoch }));
  const events = crossings.flatMap((crossing) => crossing.events);
  const epoch = crossings.findLast(({ seqs }) => seqs.some((seq) => seq > 0))?.epoch;
  if (epoch === undefined) return { events, at: null };
  // Of a log that has begun anew since, the numbers mean nothing any more.
  const seqs = crossings.flatMap((crossing) => crossing.seqs.map((seq) => (crossing.epoch === epoch ? seq : 0)));
  return { events, at: { object, seq: Math.max(...seqs), epoch, seqs } };
}
