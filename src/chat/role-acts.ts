/**
 * What moderators and admins do in chats of others, for the audit (auth/audit.ts): noted in the transaction of the act, and
 * recorded in the database afterwards, in order, each once. Nothing is written for who acts in a chat of their own.
 */
import { z } from "zod";
import type { AuditAction } from "../audit-terms.ts";
import { PastAct, recordActs } from "../auth/audit.ts";
import { type Ctx, objectContext } from "../context.ts";
import { logEvent } from "../platform/log.ts";
import type { CommandContext } from "../realtime/commands.ts";
import { PendingCalls } from "../realtime/pending-calls.ts";
import type { Timers } from "../realtime/timers.ts";
import type { RoomInfo } from "./info.ts";
import type { Moderation } from "./moderation.ts";

/** Made with the first row: in most chats nobody ever acts by role. */
const SCHEMA = "CREATE TABLE IF NOT EXISTS pending_audit (id INTEGER PRIMARY KEY, act TEXT NOT NULL)";
const AT_ONCE = 100;
const DATABASE = "database";

const ActRow = z.object({ id: z.number(), act: z.string().transform((json) => PastAct.parse(JSON.parse(json))) });

type Host = {
  state: DurableObjectState;
  env: Env;
  timers: Timers;
  roomId: string;
  moderation: Moderation;
};

export class RoleActs {
  readonly #host: Host;
  readonly #calls: PendingCalls<z.infer<typeof ActRow>>;

  constructor(host: Host) {
    this.#host = host;
    this.#calls = new PendingCalls(host, {
      table: "pending_audit",
      row: ActRow,
      target: `'${DATABASE}'`,
      atOnce: AT_ONCE,
      make: (_database, rows) =>
        this.#record(
          objectContext(host.state, host.env),
          rows.map(({ act }) => act),
        ),
    });
  }

  /**
   * Notes an act in its transaction, unless the chat is the actor's own. A request does one act, and may come again when its
   * answer was lost: so its id, which the Worker gives, is the key.
   */
  note({ person, connection, requestId, now }: CommandContext, action: AuditAction, details: PastAct["details"]): void {
    const { state, roomId, moderation } = this.#host;
    if (!moderation.actsByRole(person)) return;
    const act: PastAct = {
      key: requestId ?? crypto.randomUUID(),
      adminId: person.userId,
      action,
      ...subjectOf(moderation.info, roomId, details),
      requestId: requestId ?? connection?.id ?? "",
      at: now,
    };
    const { sql } = state.storage;
    sql.exec(SCHEMA);
    sql.exec("INSERT INTO pending_audit (act) VALUES (?)", JSON.stringify(act));
    this.#calls.noted([DATABASE]);
  }

  async #record(ctx: Ctx, acts: PastAct[]): Promise<void> {
    await recordActs(ctx, acts);
    for (const { action, adminId, targetType, targetId, requestId } of acts) {
      logEvent(`admin.${action}`, { requestId, adminId, targetType, targetId });
    }
  }

  /** The chat is about to go: resolves once the database has all. @throws if it does not take it */
  finish(): Promise<void> {
    return this.#calls.finish();
  }

  /** The chat is another's now, under the same number. */
  clear(): void {
    this.#calls.clear();
  }
}

/** What was acted on, as the audit calls it. */
function subjectOf({ kind, courseId, publicId }: RoomInfo, roomId: string, details: PastAct["details"]) {
  if (kind === "stream") return { targetType: "stream", targetId: roomId, details } as const;
  return { targetType: "room", targetId: publicId ?? roomId, details: { kind, courseId, ...details } } as const;
}
