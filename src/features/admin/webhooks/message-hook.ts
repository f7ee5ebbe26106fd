/** Who is asked before a message is accepted: one address at most (SPEC 12). */
import { sql } from "drizzle-orm";
import type { AuditAction } from "../../../audit-terms.ts";
import { logEach, recordEach } from "../../../auth/audit.ts";
import type { UserCtx } from "../../../context.ts";
import { one } from "../../../db/batch.ts";
import { jsonObject } from "../../../db/json.ts";
import { noteHook, selectHook } from "../../../db/message-hook.ts";
import { messageHook } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import { makeSecret } from "../../webhooks/service.ts";
import type { SetMessageHook } from "./contract.ts";
import { requireCallable } from "./service.ts";

type Row = typeof messageHook.$inferSelect;

const toHook = ({ url, timeoutMs, onFailure, createdBy, createdAt }: Row) => ({
  url,
  timeoutMs,
  onFailure,
  createdBy,
  createdAt: createdAt.toISOString(),
});

/** Takes the place of the one before, with a secret of its own. @throws AppError INVALID_REQUEST an address that must not be called */
export async function setMessageHook(ctx: UserCtx, input: SetMessageHook) {
  requireCallable(ctx, input.url);
  const secret = makeSecret();
  const row = { id: 1, ...input, secret, createdBy: ctx.actor.id, createdAt: ctx.now };
  const { asked } = await ctx.db.batch({
    set: ctx.db.insert(messageHook).values(row).onConflictDoUpdate({ target: messageHook.id, set: row }),
    audited: record(ctx, "create"),
    asked: one(selectHook(ctx)),
  });
  noteHook(asked?.hook ?? null);
  logEach(ctx, "create", "message_hook", [1]);
  return { ...toHook(row), secret };
}

/** @throws AppError NOT_FOUND nobody is asked */
export async function readMessageHook(ctx: UserCtx) {
  const [row] = await ctx.db.select().from(messageHook);
  if (!row) throw new AppError("NOT_FOUND");
  return toHook(row);
}

/** @throws AppError NOT_FOUND nobody was asked */
export async function deleteMessageHook(ctx: UserCtx): Promise<string> {
  const { gone } = await ctx.db.batch({
    audited: record(ctx, "delete"),
    gone: one(ctx.db.delete(messageHook).returning()),
  });
  if (!gone) throw new AppError("NOT_FOUND");
  noteHook(null);
  logEach(ctx, "delete", "message_hook", [1]);
  return "Nobody is asked any more";
}

const record = (ctx: UserCtx, action: AuditAction) =>
  recordEach(ctx, {
    action,
    targetType: "message_hook",
    id: messageHook.id,
    from: sql`message_hook WHERE message_hook.id = 1`,
    details: jsonObject({ url: messageHook.url }),
  });
