/** How a publication gets to the people whom it is to. */
import { sql } from "drizzle-orm";
import type { ServerCtx } from "../../../context.ts";
import { deliverNow, pendingFor } from "../../../db/outbox.ts";
import { pushTo } from "../../../hub/client.ts";
import { logFailure } from "../../../platform/log.ts";
import type { Frame } from "../../../realtime/protocol.ts";

/** Hubs that are called side by side. */
const AT_ONCE = 50;

/** Delivers what the outbox has for them now: a thousand hubs, some at a time, each with all that it waits for. */
export async function deliverTo(ctx: ServerCtx, ids: number[]): Promise<void> {
  for (const some of chunks(ids)) {
    const targets = sql`SELECT 'user:' || value FROM json_each(${JSON.stringify(some)})`;
    await deliverNow(ctx, await pendingFor(ctx, targets));
  }
}

/** Shows a frame to who is connected now. A hub that cannot be reached has nobody to show it to later. */
export async function showTo(ctx: ServerCtx, ids: number[], frame: Frame): Promise<void> {
  for (const some of chunks(ids)) {
    const pushed = await Promise.allSettled(some.map((id) => pushTo(ctx, id, frame)));
    for (const one of pushed) if (one.status === "rejected") logFailure(ctx, "publish.push", one.reason);
  }
}

const chunks = (ids: number[]): number[][] =>
  Array.from({ length: Math.ceil(ids.length / AT_ONCE) }, (_, at) => ids.slice(at * AT_ONCE, (at + 1) * AT_ONCE));
