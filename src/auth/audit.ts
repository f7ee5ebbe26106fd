/**
 * What was done by the right of a role or of a key, for `GET /admin/audit` (SPEC 4): one row for every deed on every item, in
 * the transaction of the deed, whatever way it came; nobody's deed on what is their own is one. An object notes it in the
 * transaction, and records it afterwards. Nothing deletes them; erasing a person takes their words out
 * (features/admin/erasure).
 */
import { type SQL, type SQLWrapper, sql } from "drizzle-orm";
import { z } from "zod";
import { AUDIT_ACTIONS, AUDIT_TARGETS, type AuditAction, type AuditTarget } from "../audit-terms.ts";
import type { ServerCtx, UserCtx } from "../context.ts";
import type { CallContext } from "../db/call-context.ts";
import { logEvent } from "../platform/log.ts";
import { ERASED_NAME } from "./user-names.ts";

type Deed = {
  action: AuditAction;
  targetType: AuditTarget;
  /** The items: `id` of the rows of `from`, which has a WHERE. It must come before what makes them different. */
  id: SQLWrapper;
  from: SQL;
  reason?: string | undefined;
  /** A JSON object, made by the database from the row. */
  details?: SQL;
};

/** An admin or moderator, or the product's own backend by one of its keys. */
type Doer = UserCtx | ServerCtx;

/** Stands for the admin where a backend did it; no user has it. */
export const NO_ADMIN = 0;

/** The statement that records an action on every item it is about to change, for the batch of the change. */
export function recordEach(ctx: Doer, { action, targetType, id, from, reason, details }: Deed) {
  const { actor, requestId, now } = ctx;
  const [adminId, name, keyId] =
    actor.kind === "user" ? [actor.id, actor.username, null] : [NO_ADMIN, actor.name, actor.keyId];
  return ctx.db.run(sql`
    INSERT INTO audit (admin_id, admin_username, action, target_type, target_id, reason, details, request_id, created_at, key_id)
    SELECT ${adminId}, ${name}, ${action}, ${targetType}, CAST(${id} AS TEXT), ${reason ?? null},
      ${details ?? sql`NULL`}, ${requestId}, ${now.getTime()}, ${keyId} FROM ${from}`);
}

/** The same, as lines in the log of the service (SPEC 11). */
export function logEach(
  { actor, requestId }: Doer,
  action: AuditAction,
  targetType: AuditTarget,
  ids: (number | string)[],
): void {
  const [event, doer] =
    actor.kind === "user" ? [`admin.${action}`, { adminId: actor.id }] : [`server.${action}`, { keyId: actor.keyId }];
  for (const targetId of ids) logEvent(event, { requestId, ...doer, targetType, targetId });
}

/** A deed in an object, by a user. `key`: it may come again under it, and makes no second row. */
export const PastAct = z.object({
  key: z.string(),
  adminId: z.number().int(),
  action: z.enum(AUDIT_ACTIONS),
  targetType: z.enum(AUDIT_TARGETS),
  targetId: z.string(),
  details: z.record(z.string(), z.unknown()),
  requestId: z.string(),
  at: z.number().int(),
});
export type PastAct = z.infer<typeof PastAct>;

/** Records deeds that are done already, in order, each once. Who did them may have been erased since. */
export function recordActs({ db }: CallContext, acts: PastAct[]) {
  return db.run(sql`
    INSERT INTO audit (admin_id, admin_username, action, target_type, target_id, details, request_id, created_at, act_key)
    SELECT value ->> 'adminId', coalesce(u.username, ${ERASED_NAME}), value ->> 'action', value ->> 'targetType',
      value ->> 'targetId', value -> 'details', value ->> 'requestId', value ->> 'at', value ->> 'key'
    FROM json_each(${JSON.stringify(acts)}) LEFT JOIN users u ON u.id = value ->> 'adminId'
    WHERE true ORDER BY key ON CONFLICT (act_key) WHERE act_key IS NOT NULL DO NOTHING`);
}
