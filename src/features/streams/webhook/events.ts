/** What an event of a media server does (MEDIA.md 3.2, 3.3). State is written before the answer; the telling comes after. */
import { and, eq, gt, type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { spend } from "../../../auth/rate-limit.ts";
import type { Ctx } from "../../../context.ts";
import { after, one } from "../../../db/batch.ts";
import { deliverSoon, pendingFor } from "../../../db/outbox.ts";
import { rateWindows, streamEvents, streams } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import { fingerprint } from "../../../platform/digest.ts";
import { logEvent, logFailure } from "../../../platform/log.ts";
import {
  addPlayer,
  barSession,
  EARLY_END_MS,
  endIfLapsed,
  endSession,
  giveBack,
  goLive,
  isOnAir,
  leaseFrom,
  recordEarlyEnd,
  removePlayer,
  renewLease,
  resumeLapsed,
} from "../sessions.ts";
import type { EventKind } from "./adapters/adapter.ts";
import { recordEvent } from "./event-log.ts";
import type { MediaEvent } from "./read-event.ts";

/** `streamId` is the public id that a relayed stream is played under. */
export type Verdict = { accepted: boolean; streamId: number | null };

const KEY = /^[A-Za-z0-9_-]{16,128}$/;
const PUBLIC_ID = /^[1-9]\d{0,14}$/;

const asksToPublish = (kind: EventKind): boolean => kind === "publish" || kind === "replace" || kind === "announce";

/** What finds the stream: its key, or, in events that are not a publisher's, its public id. */
async function meant({ kind, stream }: MediaEvent): Promise<SQL> {
  if (KEY.test(stream)) return eq(streams.keyHash, await fingerprint(stream));
  return !asksToPublish(kind) && PUBLIC_ID.test(stream) ? eq(streams.id, Number(stream)) : sql`0`;
}

/** Who closes sooner after having replaced another was turned away, and the other goes on; as long as ends are remembered. */
const REPLACED_FOR_GOOD_MS = EARLY_END_MS;

/** Answered with a failure these would cut off who was let in long ago, because the database had a bad minute. */
const OUTLASTS_FAILURES = new Set<EventKind>(["beat", "play", "leave", "other"]);

/**
 * Takes an event that was proven to come from a media server. `mark` is that of its signature, if it was signed: the same
 * signed event again is answered as it was the first time.
 * @throws AppError RATE_LIMIT too many unknown keys from one publisher. Whatever the database throws goes through, unless
 *   the event changes too little for it: a publish that could not be looked up must not be let in.
 */
export async function takeEvent(ctx: Ctx, event: MediaEvent, mark: string | undefined): Promise<Verdict> {
  try {
    return await decide(ctx, event, mark);
  } catch (error) {
    if (error instanceof AppError || !OUTLASTS_FAILURES.has(event.kind)) throw error;
    logFailure(ctx, "webhook.failure", error, { kind: event.kind });
    return { accepted: true, streamId: null };
  }
}

async function decide(ctx: Ctx, event: MediaEvent, mark: string | undefined): Promise<Verdict> {
  const window = windowOf(ctx, event);
  const { stream, failures, earlier } = await ctx.db.batch({
    stream: one(
      ctx.db
        .select({ id: streams.id })
        .from(streams)
        .where(await meant(event)),
    ),
    failures: one(
      ctx.db
        .select({ count: rateWindows.count, endsAt: rateWindows.endsAt })
        .from(rateWindows)
        .where(and(eq(rateWindows.key, window.key), gt(rateWindows.endsAt, ctx.now))),
    ),
    earlier: one(outcomeOf(ctx, mark)),
  });
  const streamId = stream?.id ?? null;
  const isAsking = asksToPublish(event.kind);
  if (isAsking && failures && failures.count >= window.limit) {
    const retryAfterSeconds = Math.ceil((failures.endsAt.getTime() - ctx.now.getTime()) / 1000);
    throw new AppError("RATE_LIMIT", undefined, { retryAfterSeconds });
  }
  if (isAsking && streamId === null) await spend(ctx, window);
  const outcome = earlier
    ? await answerAgain(ctx, event, streamId, earlier.outcome)
    : await apply(ctx, event, streamId, mark).catch((error) => answeredMeanwhile(ctx, mark, error));
  logEvent(`webhook.${event.kind}`, { requestId: ctx.requestId, source: event.source, streamId, outcome });
  return { accepted: outcome !== "refused", streamId };
}

/** What came of a signed event when it was first sent. */
const outcomeOf = (ctx: Ctx, mark: string | undefined) =>
  ctx.db
    .select({ outcome: streamEvents.outcome })
    .from(streamEvents)
    .where(eq(streamEvents.signature, mark ?? ""));

async function answerAgain(ctx: Ctx, event: MediaEvent, streamId: number | null, outcome: string): Promise<string> {
  await recordEvent(ctx, event, streamId, sql<string>`'replayed'`, undefined);
  return outcome;
}

/** Sent twice at once, the second finds the mark of the first in its way; nothing of what it did is kept then. */
async function answeredMeanwhile(ctx: Ctx, mark: string | undefined, error: unknown): Promise<string> {
  const [first] = mark === undefined ? [] : await outcomeOf(ctx, mark);
  if (!first) throw error;
  return first.outcome;
}

/** Failed keys are counted by publisher, as the media server sees them: one who guesses shuts out nobody else. */
const windowOf = (ctx: Ctx, event: MediaEvent) => ({
  key: `stream-keys:${event.source}:${ctx.address}:${event.from}`,
  limit: ctx.config.RATE_LIMIT_STREAM_KEYS,
  windowSeconds: 60,
});

const Outcome = z.enum(["live", "repeated", "refused", "ended", "renewed", "counted", "ignored"]);
type Outcome = z.infer<typeof Outcome>;

/** An event of a known stream, with what its batch needs besides the change itself. */
type Step = {
  ctx: Ctx;
  event: MediaEvent;
  streamId: number;
  /** Notes the event in the log, with the outcome that the database finds; right after the change. */
  recordOutcome: (outcome: SQL<string>) => ReturnType<typeof recordEvent>;
  /** The news for the stream's room; the batch's last statement. */
  pending: ReturnType<typeof pendingFor>;
};

const onAir = ({ streamId, event }: Step): SQL =>
  sql`EXISTS (SELECT 1 FROM ${streams} WHERE ${isOnAir(streamId, event.session)})`;

const did = (outcome: Outcome): SQL<string> => sql`CASE WHEN changes() > 0 THEN ${outcome} ELSE 'ignored' END`;

/** Only an event that names the key is a publisher's: what a relay sends under the public id is never refused. */
const isRefusable = ({ kind, stream }: MediaEvent): boolean =>
  asksToPublish(kind) || kind === "manage" || (kind === "beat" && KEY.test(stream));

async function start(step: Step): Promise<Outcome> {
  const { ctx, event, streamId, recordOutcome, pending } = step;
  const change = goLive(ctx, streamId, event.session, {
    takesOver: event.kind !== "publish",
    leaseUntil: event.heartbeatSeconds === undefined ? null : leaseFrom(ctx, event.heartbeatSeconds),
  });
  const outcome = sql<string>`CASE WHEN changes() > 0 THEN 'live' WHEN ${onAir(step)} THEN 'repeated' ELSE 'refused' END`;
  const { recorded, news } = await ctx.db.batch({
    lapsed: endIfLapsed(ctx, streamId),
    live: change,
    recorded: after("live", recordOutcome(outcome)),
    news: pending,
  });
  return finish(ctx, recorded, news);
}

async function beat(step: Step): Promise<Outcome> {
  const { ctx, event, streamId, recordOutcome, pending } = step;
  const leaseUntil = leaseFrom(ctx, event.heartbeatSeconds);
  const otherwise = isRefusable(event) ? sql`'refused'` : sql`'ignored'`;
  const { recorded, news } = await ctx.db.batch({
    resumed: resumeLapsed(ctx, streamId, event.session, leaseUntil),
    renewed: renewLease(ctx, streamId, event.session, leaseUntil),
    recorded: recordOutcome(sql`CASE WHEN ${onAir(step)} THEN 'renewed' ELSE ${otherwise} END`),
    news: pending,
  });
  return finish(ctx, recorded, news);
}

async function end({ ctx, event, streamId, recordOutcome, pending }: Step): Promise<Outcome> {
  const { recorded, news } = await ctx.db.batch({
    ended: endSession(ctx, streamId, event.session, event.at),
    recorded: after("ended", recordOutcome(did("ended"))),
    early: recordEarlyEnd(ctx, streamId, event.session),
    // nginx says `done` of viewers, too.
    player: removePlayer(ctx, streamId, event.session),
    news: pending,
  });
  return finish(ctx, recorded, news);
}

async function withdraw({ ctx, event, streamId, recordOutcome, pending }: Step): Promise<Outcome> {
  const { recorded, news } = await ctx.db.batch({
    // Also the end of one that was replaced, so that the stream is not given back to it.
    barred: barSession(ctx, streamId, event.session),
    givenBack: giveBack(ctx, streamId, event.session, REPLACED_FOR_GOOD_MS),
    ended: endSession(ctx, streamId, event.session, event.at),
    recorded: after("ended", recordOutcome(did("ended"))),
    news: pending,
  });
  return finish(ctx, recorded, news);
}

async function play({ ctx, event, streamId, recordOutcome, pending }: Step): Promise<Outcome> {
  const change = addPlayer(ctx, streamId, event.session);
  const { recorded, news } = await ctx.db.batch({
    player: change,
    recorded: after("player", recordOutcome(did("counted"))),
    news: pending,
  });
  return finish(ctx, recorded, news);
}

async function leave({ ctx, event, streamId, recordOutcome, pending }: Step): Promise<Outcome> {
  const change = removePlayer(ctx, streamId, event.session);
  const { recorded, news } = await ctx.db.batch({
    player: change,
    recorded: after("player", recordOutcome(did("counted"))),
    news: pending,
  });
  return finish(ctx, recorded, news);
}

async function retract({ ctx, event, streamId, recordOutcome, pending }: Step): Promise<Outcome> {
  const { recorded, news } = await ctx.db.batch({
    // Its announcements were sent in the same millisecond, and may still be on their way.
    barred: barSession(ctx, streamId, event.session),
    givenBack: giveBack(ctx, streamId, event.session),
    // There was nobody to give it back to.
    ended: endSession(ctx, streamId, event.session),
    player: removePlayer(ctx, streamId, event.session),
    recorded: after("player", recordOutcome(did("counted"))),
    news: pending,
  });
  return finish(ctx, recorded, news);
}

/** Of the media server's own doors none is ours to open. */
async function refuse({ ctx, recordOutcome, pending }: Step): Promise<Outcome> {
  const { recorded, news } = await ctx.db.batch({ recorded: recordOutcome(sql`'refused'`), news: pending });
  return finish(ctx, recorded, news);
}

async function ignore({ ctx, recordOutcome, pending }: Step): Promise<Outcome> {
  const { recorded, news } = await ctx.db.batch({ recorded: recordOutcome(sql`'ignored'`), news: pending });
  return finish(ctx, recorded, news);
}

const STEPS: Record<EventKind, (step: Step) => Promise<Outcome>> = {
  publish: start,
  announce: start,
  replace: start,
  withdraw,
  retract,
  end,
  beat,
  play,
  leave,
  record: ignore,
  manage: refuse,
  other: ignore,
};

async function apply(ctx: Ctx, event: MediaEvent, streamId: number | null, mark: string | undefined): Promise<Outcome> {
  const recordOutcome = (outcome: SQL<string>) => recordEvent(ctx, event, streamId, outcome, mark);
  if (streamId !== null) {
    return STEPS[event.kind]({ ctx, event, streamId, recordOutcome, pending: pendingFor(ctx, `stream:${streamId}`) });
  }
  const outcome = isRefusable(event) ? "refused" : "ignored";
  await recordOutcome(sql`${outcome}`);
  return outcome;
}

/** What was recorded as the outcome; the news is sent on its way. */
function finish(ctx: Ctx, recorded: { outcome: string }[], news: Parameters<typeof deliverSoon>[1]): Outcome {
  deliverSoon(ctx, news);
  return Outcome.parse(recorded[0]?.outcome);
}
