/** How often passwords, names and tokens may be tried. */
import { spendAtDoor } from "../../auth/rate-limit.ts";
import type { Ctx } from "../../context.ts";
import { fingerprint } from "../../platform/digest.ts";

/** An address may try many names (a school, an office), but each try costs us a slow hash. */
const NAMES_PER_ADDRESS = 60;

/**
 * 10 a minute per address and name by default: neither a stranger can lock out a name, nor one address try them all.
 * @throws AppError RATE_LIMIT, also for a banned address
 */
export async function limitLogins(ctx: Ctx, name: string): Promise<void> {
  const key = await fingerprint(`${ctx.address}\n${name}`);
  const limit = ctx.config.RATE_LIMIT_LOGINS;
  await spendAtDoor(ctx, [{ key: `login:${key}`, limit, windowSeconds: 60 }, byAddress(ctx)]);
}

/** For what names nobody: what one address may try in a minute. @throws AppError RATE_LIMIT, also for a banned address */
export const limitAddress = (ctx: Ctx): Promise<void> => spendAtDoor(ctx, [byAddress(ctx)]);

const byAddress = ({ address, config }: Ctx) => ({
  key: `logins:${address}`,
  limit: config.RATE_LIMIT_LOGINS * NAMES_PER_ADDRESS,
  windowSeconds: 60,
});
