/**
 * The one outside that is asked before a message is accepted (SPEC 12), as an isolate knows it. Queries that are made anyway
 * bring it along (sign-in, a room's summary), so that a message asks the database for it only after a quiet time.
 */
import { sql } from "drizzle-orm";
import { z } from "zod";
import type { CallContext } from "./call-context.ts";

const MessageHook = z.object({
  url: z.string(),
  secret: z.string(),
  timeoutMs: z.number(),
  onFailure: z.enum(["allow", "refuse"]),
});
export type MessageHook = z.infer<typeof MessageHook>;

/** For a column of a query; reads nothing while there is none. */
export const hookColumn = sql<string | null>`(SELECT json_object('url', url, 'secret', secret, 'timeoutMs', timeout_ms,
  'onFailure', on_failure) FROM message_hook)`;

/** A change counts within 60 s. */
const KNOWN_FOR_MS = 30_000;

let known: { hook: MessageHook | null; json: string | null; at: number } | undefined;

/** Notes what a query has just said. */
export function noteHook(json: string | null): void {
  known = { hook: json === null ? null : MessageHook.parse(JSON.parse(json)), json, at: Date.now() };
}

/** Takes what was known last for true once more, for a call that does nothing unless `hookColumn` says the same. */
export function believeHook(): string | null {
  if (known) known.at = Date.now();
  return known?.json ?? null;
}

/** Undefined: not known, or not any more. */
export function knownHook(): MessageHook | null | undefined {
  return known && Math.abs(Date.now() - known.at) < KNOWN_FOR_MS ? known.hook : undefined;
}

/** A statement for a batch. */
export const selectHook = (ctx: CallContext) => ctx.db.select({ hook: hookColumn }).from(sql`(SELECT 1)`);

/** A round trip only when it is not known. */
export async function readHook(ctx: CallContext): Promise<MessageHook | null> {
  const hook = knownHook();
  if (hook !== undefined) return hook;
  const [row] = await selectHook(ctx);
  noteHook(row?.hook ?? null);
  return knownHook() ?? null;
}
