/** What runs every minute: the net under the outbox, and the end of what has expired. */
import { lt } from "drizzle-orm";
import { sweepUploads } from "./bytes/store.ts";
import { startContext } from "./context.ts";
import { foldOldRows } from "./db/folding.ts";
import { forgetParked } from "./db/outbox-parked.ts";
import { sweepOutbox } from "./db/outbox-sweep.ts";
import {
  addressBans,
  rateWindows,
  revokedTokens,
  sessions,
  signInCodes,
  signInStates,
  socketTickets,
} from "./db/tables.ts";
import { deliverFacts } from "./db/webhook-facts.ts";
import { sweepResumable } from "./features/files/tus/uploads.ts";
import { sweepMail } from "./features/mail/service.ts";
import { forgetOldPublications } from "./features/server-api/service.ts";
import { endLapsed, forgetEarlyEnds } from "./features/streams/sessions.ts";
import { forgetOldEvents } from "./features/streams/webhook/event-log.ts";
import { forgetOldViews } from "./features/videos/views.ts";
import { logFailure } from "./platform/log.ts";
import "./wiring.ts";

type Lifetime = { waitUntil(work: Promise<unknown>): void };

/** One job that fails does not keep the others from running. */
export async function runCron(env: Env, lifetime: Lifetime): Promise<void> {
  // Called as a method: the platform's own is bound to its object.
  const ctx = startContext({ env, later: (work) => lifetime.waitUntil(work) });
  const jobs: [name: string, job: () => Promise<unknown>][] = [
    ["uploads", () => sweepUploads(ctx)],
    ["resumable", () => sweepResumable(ctx)],
    ["outbox", () => sweepOutbox(ctx)],
    ["outbox.parked", () => forgetParked(ctx)],
    ["streams.lapsed", () => endLapsed(ctx)],
    ["streams.early-ends", () => forgetEarlyEnds(ctx)],
    ["streams.events", () => forgetOldEvents(ctx)],
    ["publications", () => forgetOldPublications(ctx)],
    ["webhook.facts", () => deliverFacts(ctx)],
    ["mail", () => sweepMail(ctx)],
    ["expired", () => forgetExpired(ctx)],
    ["views", () => forgetOldViews(ctx)],
    ["folding", () => foldOldRows(ctx)],
  ];
  for (const [name, job] of jobs) {
    await job().catch((error) => logFailure(ctx, `cron.${name}`, error));
  }
}

async function forgetExpired({ db, now }: ReturnType<typeof startContext>): Promise<void> {
  await db.batch({
    tickets: db.delete(socketTickets).where(lt(socketTickets.expiresAt, now)),
    tokens: db.delete(revokedTokens).where(lt(revokedTokens.expiresAt, now)),
    windows: db.delete(rateWindows).where(lt(rateWindows.endsAt, now)),
    bans: db.delete(addressBans).where(lt(addressBans.until, now)),
    sessions: db.delete(sessions).where(lt(sessions.expiresAt, now)),
    signIns: db.delete(signInStates).where(lt(signInStates.expiresAt, now)),
    signInCodes: db.delete(signInCodes).where(lt(signInCodes.expiresAt, now)),
  });
}
