/** Media servers prove themselves by a shared secret, and may be held to addresses. Two secrets may be valid at once, for rotation. */
import type { Ctx } from "../context.ts";
import { sameSecret } from "../platform/digest.ts";
import { networkOf } from "./rate-limit.ts";

/**
 * Whether a media server may call from there. The address of the connection counts, as Cloudflare tells it: what an event
 * says of addresses is the publisher's.
 */
export const mayCallAsMediaServer = (ctx: Ctx): boolean => {
  const { WEBHOOK_ADDRESSES: allowed } = ctx.config;
  return allowed.length === 0 || allowed.some((address) => networkOf(address) === ctx.address);
};

/** Whether one of the configured secrets was given. Constant time: all are compared, over hashes. */
export async function isMediaSecret(ctx: Ctx, given: string | undefined | null): Promise<boolean> {
  const same = await Promise.all(ctx.config.WEBHOOK_SECRET.map((secret) => sameSecret(given ?? "", secret)));
  return same.includes(true) && mayCallAsMediaServer(ctx);
}
