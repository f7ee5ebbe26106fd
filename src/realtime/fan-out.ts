/** What crosses to a gateway: frames as Socket.IO events, and for whom they are. */
import { z } from "zod";
import type { FrameBatch } from "./transport.ts";

/** A client's stay in an object: who comes back after it has ended has another, with a greater number. */
export const Membership = z.object({ socketId: z.string(), join: z.number().int() });
export type Membership = z.infer<typeof Membership>;

/** Where events leave their receivers in an object's log; `object`: see `objectKey`. */
export type LogMark = { object: string; seq: number; epoch: string };

/** As which of their memberships of an object clients are sent something: a number for each. */
export type MemberMark = { object: string; joins: number[] };

/**
 * Events (`["name",data]`, encoded once) for some of a gateway's clients. `at`: how far they have the log with these; null if
 * none of the events is in it. `as` is absent where nothing is sent, and in what a room of the release before sends.
 */
export type FanOutGroup = { socketIds: string[]; as?: MemberMark; events: string[]; at: LogMark | null };

/** What waits to go to one member; `epoch`: of the log when it was sent. */
export type Outgoing = { member: Membership; batch: FrameBatch; epoch: string };

/** A batch as it crosses; `seq`: the newest that is in the log, or 0. */
type Crossing = { events: string[]; seq: number };

const encode = ({ frames }: FrameBatch): Crossing => ({
  events: frames.map(({ event }) => event),
  seq: Math.max(0, ...frames.map(({ seq }) => seq)),
});

const crossings = new WeakMap<FrameBatch, Crossing>();
function crossingOf(batch: FrameBatch): Crossing {
  let crossing = crossings.get(batch);
  if (!crossing) {
    crossing = encode(batch);
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
  const events: string[] = [];
  let at: LogMark | null = null;
  for (const { batch, epoch } of batches.reverse()) {
    const crossing = crossingOf(batch);
    events.push(...crossing.events);
    if (crossing.seq > 0) at = { object, seq: crossing.seq, epoch };
  }
  return { events, at };
}
