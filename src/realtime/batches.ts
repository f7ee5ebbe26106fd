/** What crosses to a gateway: frames as Socket.IO events, and for whom they are. */
import { z } from "zod";
import type { Bundle } from "./connection.ts";

/** Events (`["name",data]`, encoded once) for some of a gateway's clients. */
export type Batch = { socketIds: string[]; events: string[] };

const WireFrame = z.object({ type: z.string(), data: z.unknown() });

/** A frame as Socket.IO's clients get it: the type is the event's name, the data its argument. */
function toEvent(message: string): string {
  const { type, data } = WireFrame.parse(JSON.parse(message));
  return JSON.stringify(data === undefined ? [type] : [type, data]);
}

const eventsOf = new WeakMap<Bundle, string[]>();
function toEvents(bundle: Bundle): string[] {
  let events = eventsOf.get(bundle);
  if (!events) {
    events = bundle.messages.map(toEvent);
    eventsOf.set(bundle, events);
  }
  return events;
}

/** A series of bundles that members were sent, as a path: `last` after all of `before`. `members` were sent just these. */
type Path = { before: Path | null; last: Bundle | null; onward: Map<Bundle, Path>; members: Set<string> };

const newPath = (before: Path | null, last: Bundle | null): Path => ({
  before,
  last,
  onward: new Map(),
  members: new Set(),
});

/** Members that get the same are named together, so that it crosses once, and each is sent all of it in a row. */
export function toBatches(sent: { socketId: string; bundle: Bundle }[]): Batch[] {
  const start = newPath(null, null);
  const paths = [start];
  const pathOf = new Map<string, Path>();
  for (const { socketId, bundle } of sent) {
    const path = pathOf.get(socketId) ?? start;
    let longer = path.onward.get(bundle);
    if (!longer) {
      longer = newPath(path, bundle);
      path.onward.set(bundle, longer);
      paths.push(longer);
    }
    path.members.delete(socketId);
    longer.members.add(socketId);
    pathOf.set(socketId, longer);
  }
  return paths
    .filter(({ members }) => members.size > 0)
    .map((path) => ({ socketIds: [...path.members], events: eventsAlong(path) }));
}

function eventsAlong(path: Path): string[] {
  const bundles: Bundle[] = [];
  for (let at: Path | null = path; at?.last; at = at.before) bundles.push(at.last);
  return bundles.reverse().flatMap(toEvents);
}
