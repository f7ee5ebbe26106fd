import { z } from "zod";
import type { Report } from "./engine-layer.ts";
import type { EngineSession } from "./engine-session.ts";
import { Handshake } from "./handshake.ts";

const SessionRecord = z.object({
  sid: z.string(),
  handshake: Handshake,
  heartbeat: z.object({ heardAt: z.number(), pingSentAt: z.number().nullable() }),
  hasSpoken: z.boolean(),
  layer: z.unknown(),
});
export type SessionRecord = z.infer<typeof SessionRecord>;

/** A long-polling session has no socket of its own to keep its state in, so that it has a row. */
const PollingRow = SessionRecord.extend({ state: z.enum(["open", "closing"]), outbox: z.array(z.string()) });
type PollingRow = z.infer<typeof PollingRow>;

/** What a hibernating socket is for. */
const Attachment = z.discriminatedUnion("role", [
  z.object({ role: z.literal("transport"), session: SessionRecord }),
  z.object({ role: z.literal("poll"), sid: z.string() }),
  z.object({ role: z.literal("probe"), sid: z.string(), since: z.number(), probed: z.boolean() }),
]);
export type Attachment = z.infer<typeof Attachment>;

export function attach(socket: WebSocket, attachment: Attachment | null): void {
  socket.serializeAttachment(attachment === null ? null : JSON.stringify(attachment));
}

/** Null for a socket that was dismissed, or that another version of this code wrote in a form we do not know. */
export function attachmentOf(socket: WebSocket): Attachment | null {
  const text: unknown = socket.deserializeAttachment();
  return typeof text === "string" ? (Attachment.safeParse(JSON.parse(text)).data ?? null) : null;
}

const ROW_PREFIX = "session:";

/**
 * Characters of a session's record. An attachment holds 16 384 bytes, and a character takes up to two.
 * Source: Durable Objects, `serializeAttachment`.
 */
const MAX_RECORD_CHARS = 7900;

/** Throws a RangeError if a session could not be kept with this much in it. */
export function assertRecordFits(session: EngineSession, layer: unknown): void {
  const size = JSON.stringify({ handshake: session.handshake, layer }).length;
  if (size > MAX_RECORD_CHARS) throw new RangeError(`a session's record is limited to ${MAX_RECORD_CHARS} characters`);
}

/** Sessions as they outlive the object's memory: in attachments while on WebSocket, in rows while polling. */
export class SessionStore {
  private readonly withRows = new Set<string>();

  constructor(
    private readonly storage: DurableObjectStorage,
    private readonly report: Report,
  ) {}

  async pollingRows(): Promise<PollingRow[]> {
    const rows = await this.storage.list({ prefix: ROW_PREFIX });
    for (const key of rows.keys()) this.withRows.add(key);
    return Array.from(rows.values(), (row) => PollingRow.safeParse(row).data).filter((row) => row !== undefined);
  }

  save(session: EngineSession, layer: unknown): void {
    const { sid, handshake, heartbeat, hasSpoken } = session;
    const record: SessionRecord = { sid, handshake, heartbeat, hasSpoken, layer };
    if (session.transport) {
      attach(session.transport, { role: "transport", session: record });
    } else if (session.state === "open" || session.state === "closing") {
      this.put({ ...record, state: session.state, outbox: [...session.pending] });
    }
  }

  removeRow(session: EngineSession): void {
    const key = ROW_PREFIX + session.sid;
    // A session that began on WebSocket never had one, and a delete is billed like a write.
    if (!this.withRows.delete(key)) return;
    this.storage.delete(key, UNCONFIRMED).catch((error) => this.report(error, "deleting a session's row"));
  }

  private put(row: PollingRow): void {
    this.withRows.add(ROW_PREFIX + row.sid);
    this.storage.put(ROW_PREFIX + row.sid, row, UNCONFIRMED).catch((error) => this.report(error, "saving a session"));
  }
}

/** Answers do not wait for these writes: a session that a crash forgets is one whose client connects again. */
export const UNCONFIRMED = { allowUnconfirmed: true };
