/** Presence in bulk: one query, and one call for each who is said to be connected. */
import { and, eq } from "drizzle-orm";
import { BACKEND } from "../../../auth/identities.ts";
import type { ServerCtx } from "../../../context.ts";
import { inList } from "../../../db/json.ts";
import { identities, users } from "../../../db/tables.ts";
import { isOnlineNow } from "../../presence/service.ts";
import type { Somebody } from "../base-contract.ts";
import { findKnown } from "../users/somebody.ts";
import type { PresenceList } from "./contract.ts";

export async function readPresence(ctx: ServerCtx, people: Somebody[]): Promise<PresenceList> {
  const rows = await ctx.db
    .select({
      id: users.id,
      externalId: identities.subject,
      connectedAt: users.connectedAt,
      onlineUntil: users.onlineUntil,
      lastSeenAt: users.lastSeenAt,
    })
    .from(users)
    .leftJoin(identities, and(eq(identities.userId, users.id), eq(identities.issuer, BACKEND)))
    .where(inList(users.id, await findKnown(ctx, people)));
  const presence = rows.map(async (row) => ({
    userId: row.id,
    externalId: row.externalId,
    isOnline: await isOnlineNow(ctx, row),
    lastSeen: row.lastSeenAt?.toISOString() ?? null,
  }));
  return { presence: await Promise.all(presence) };
}
