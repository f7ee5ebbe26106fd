import { z } from "zod";
import type { Report } from "./layer.ts";
import type { Session } from "./session.ts";
import { recordOf, type SessionRecord, StoredSession } from "./session-record.ts";

/** A long-polling session has no socket of its own to keep its state in, so that it has a row. */
const PollingRow = StoredSession.extend({ state: z.enum(["open", "closing"]), outbox: z.array(z.string()) });
type PollingRow = z.infer<typeof PollingRow>;

/** What a hibernating socket is for. */
const Attachment = z.discriminatedUnion("role", [
  StoredSession.extend({ role: z.literal("transport") }),
  z.object({ role: z.literal("poll"), sid: z.string() }),
  z.object({ role: z.literal("probe"), sid: z.string(), since: z.number(), probed: z.boolean() }),
]);
export type Attachment = z.infer<typeof Attachment>;

/** What one of a session's hibernating sockets is for. */
export type Role = { kind: Attachment["role"]; session: Session };

/** The hibernating WebSockets of one object, and what each is for. */
export class SessionSockets {
  readonly #ctx: DurableObjectState;
  readonly #roles = new WeakMap<WebSocket, Role>();

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
  }

  accept(): { server: WebSocket; response: Response } {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server);
    return { server, response: new Response(null, { status: 101, webSocket: client }) };
  }

  assign(socket: WebSocket, kind: Role["kind"], session: Session): void {
    this.#roles.set(socket, { kind, session });
  }

  /** Undefined for a socket that was dismissed, and whose last events still come in. */
  roleOf(socket: WebSocket): Role | undefined {
    return this.#roles.get(socket);
  }

  dismiss(socket: WebSocket, code = 1000): void {
    this.#roles.delete(socket);
    attach(socket, null);
    try {
      socket.close(code);
    } catch {
      // Already closed from the other side.
    }
  }
}

export function attach(socket: WebSocket, attachment: Attachment | null): void {
  socket.serializeAttachment(attachment);
}

/** Null for a socket that was dismissed, or that another version of this code wrote in a form we do not know. */
export function attachmentOf(socket: WebSocket): Attachment | null {
  return Attachment.safeParse(socket.deserializeAttachment()).data ?? null;
}

const ROW_PREFIX = "session:";

/** Sessions as they outlive the object's memory: in attachments while on WebSocket, in rows while polling. */
export class SessionStore {
  readonly #storage: DurableObjectStorage;
  readonly #report: Report;
  readonly #withRows = new Set<string>();

  constructor(storage: DurableObjectStorage, report: Report) {
    this.#storage = storage;
    this.#report = report;
  }

  async pollingSessions(): Promise<SessionRecord[]> {
    const rows = await this.#storage.list({ prefix: ROW_PREFIX });
    for (const key of rows.keys()) this.#withRows.add(key);
    const parsed = Array.from(rows.values(), (row) => PollingRow.safeParse(row).data);
    return parsed.filter((row) => row !== undefined).map((row) => recordOf(row, row));
  }

  save(session: Session): void {
    const { transport, state, isKept } = session;
    if (transport) attach(transport, { role: "transport", ...session.stored });
    else if (isKept && (state === "open" || state === "closing")) {
      this.#put(session.sid, { ...session.stored, state, outbox: [...session.outbox] });
    }
  }

  removeRow({ sid }: Session): void {
    const key = ROW_PREFIX + sid;
    // A session that began on WebSocket never had one, and a delete is billed like a write.
    if (!this.#withRows.delete(key)) return;
    this.#storage.delete(key, UNCONFIRMED).catch((error) => this.#report(error, "deleting a session's row"));
  }

  #put(sid: string, row: PollingRow): void {
    const key = ROW_PREFIX + sid;
    this.#withRows.add(key);
    this.#storage.put(key, row, UNCONFIRMED).catch((error) => this.#report(error, "saving a session"));
  }
}

/** Answers do not wait for these writes: a session that a crash forgets is one whose client connects again. */
export const UNCONFIRMED = { allowUnconfirmed: true };
