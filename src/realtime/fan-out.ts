/** What crosses to a gateway: frames as Socket.IO events, and for whom they are. */
import { z } from "zod";
import type { FrameBatch } from "./transport.ts";

/** Where events leave their receivers in an object's log; `object`: see `objectKey`. */
export type LogMark = { object: string; seq: number; epoch: string };

/**
 * Events (`["name",data]`, encoded once) for some of a gateway's clients. `at`: how far they have the log with these; null if
 * none of the events is in it.
 */
export type FanOutGroup = { socketIds: string[]; events: string[]; at: LogMark | null };

const WireFrame = z.object({ type: z.string(), data: z.unknown(), seq: z.number().optional() });

/** A batch as it crosses; `seq`: the newest that is in the log, or 0. */
type Crossing = { events: string[]; seq: number };

/** Frames as Socket.IO's clients get them: the type is the event's name, the data its argument. */
function encode({ frames }: FrameBatch): Crossing {
  const parsed = frames.map((frame) => WireFrame.parse(JSON.parse(frame)));
  const events = parsed.map(({ type, data }) => JSON.stringify(data === undefined ? [type] : [type, data]));
  return { events, seq: Math.max(0, ...parsed.map(({ seq }) => seq ?? 0)) };
}

const crossings = new WeakMap<FrameBatch, Crossing>();
function crossingOf(batch: FrameBatch): Crossing {
  let crossing = crossings.get(batch);
  if (!crossing) {
    crossing = encode(batch);
    crossings.set(batch, crossing);
  }
  return crossing;
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
export function toFanOutGroups(
  sent: { socketId: string; batch: FrameBatch }[],
  log: Omit<LogMark, "seq">,
): FanOutGroup[] {
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
    .map((series) => ({ socketIds: [...series.members], ...crossingOfAll(series, log) }));
}

function crossingOfAll(series: Series, log: Omit<LogMark, "seq">): Omit<FanOutGroup, "socketIds"> {
  const batches: FrameBatch[] = [];
  for (let at: Series | null = series; at?.last; at = at.before) batches.push(at.last);
  const crossings = batches.reverse().map(crossingOf);
  const seq = Math.max(0, ...crossings.map((crossing) => crossing.seq));
  return { events: crossings.flatMap(({ events }) => events), at: seq === 0 ? null : { ...log, seq } };
}
