/** What crosses to a gateway: frames as Socket.IO events, and for whom they are. */
import { z } from "zod";
import type { FrameBatch } from "./transport.ts";

/** Events (`["name",data]`, encoded once) for some of a gateway's clients. */
export type FanOutGroup = { socketIds: string[]; events: string[] };

const WireFrame = z.object({ type: z.string(), data: z.unknown() });

/** A frame as Socket.IO's clients get it: the type is the event's name, the data its argument. */
function toEvent(frame: string): string {
  const { type, data } = WireFrame.parse(JSON.parse(frame));
  return JSON.stringify(data === undefined ? [type] : [type, data]);
}

const eventsOf = new WeakMap<FrameBatch, string[]>();
function toEvents(batch: FrameBatch): string[] {
  let events = eventsOf.get(batch);
  if (!events) {
    events = batch.frames.map(toEvent);
    eventsOf.set(batch, events);
  }
  return events;
}

/** A series of batches: `last` after all of `before`. `members` were sent just these. */
type Series = {
  before: Series | null;
  last: FrameBatch | null;
  longer: Map<FrameBatch, Series>;
  members: Set<string>;
};

const newSeries = (before: Series | null, last: FrameBatch | null): Series => ({
  before,
  last,
  longer: new Map(),
  members: new Set(),
});

/** Members that get the same are one group, so that it crosses once, and each is sent all of it in a row. */
export function toFanOutGroups(sent: { socketId: string; batch: FrameBatch }[]): FanOutGroup[] {
  const start = newSeries(null, null);
  const all = [start];
  const seriesOf = new Map<string, Series>();
  for (const { socketId, batch } of sent) {
    const series = seriesOf.get(socketId) ?? start;
    let longer = series.longer.get(batch);
    if (!longer) {
      longer = newSeries(series, batch);
      series.longer.set(batch, longer);
      all.push(longer);
    }
    series.members.delete(socketId);
    longer.members.add(socketId);
    seriesOf.set(socketId, longer);
  }
  return all
    .filter(({ members }) => members.size > 0)
    .map((series) => ({ socketIds: [...series.members], events: eventsOfAll(series) }));
}

function eventsOfAll(series: Series): string[] {
  const batches: FrameBatch[] = [];
  for (let at: Series | null = series; at?.last; at = at.before) batches.push(at.last);
  return batches.reverse().flatMap(toEvents);
}
