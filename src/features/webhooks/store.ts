/** A sender's SQLite: what waits for its endpoint, and, for a while, what became of the rest. */
import { migrate } from "../../realtime/migrations.ts";
import type { DeliveryState } from "./contract.ts";
import { ENDINGS } from "./people.ts";
import { SENDER_SCHEMA } from "./schema.ts";

/** What happened, as it is sent. `subject`: what keeps its order. `people`: whose it is. */
export type QueuedEvent = { id: string; subject: string; body: string; people: number[] };

type Row = {
  n: number;
  event_id: string;
  subject: string;
  body: string;
  at: number;
  state: DeliveryState;
  call: string | null;
  due_at: number;
  attempts: number;
  failing_since: number | null;
  settled_at: number | null;
  status: number | null;
  reason: string | null;
};
export type Queued = Row;

/** What a round is made of: without bodies, since many may wait. */
const WAITING = "n, event_id, subject, call, due_at, attempts, failing_since";
export type Waiting = Pick<Row, "n" | "event_id" | "subject" | "call" | "due_at" | "attempts" | "failing_since">;

/** Beyond this a source is told to come again: rooms keep their own log, and the database its outbox. */
const MOST_WAITING = 10_000;
/** What became of an event is shown for so long, and of so many events. */
const KEPT_DAYS = 7;
const KEPT_EVENTS = 500;
const TRIM_STEP = 100;

export class SenderStore {
  readonly #sql: SqlStorage;
  #waiting: number;
  /** How many were settled since it was last trimmed; after an eviction as many as make it look. */
  #untrimmed = TRIM_STEP;

  constructor(storage: DurableObjectStorage) {
    migrate(storage, { steps: SENDER_SCHEMA });
    this.#sql = storage.sql;
    this.#waiting = this.#count("state = 'waiting'");
  }

  #count(where: string): number {
    return this.#sql.exec<{ n: number }>(`SELECT count(*) AS n FROM queue WHERE ${where}`).one().n;
  }

  get waiting(): number {
    return this.#waiting;
  }

  get isFull(): boolean {
    return this.#waiting >= MOST_WAITING;
  }

  /** Queues those that it has not had. */
  add(events: QueuedEvent[], now: number): void {
    for (const { id, subject, body, people } of events) {
      const { rowsWritten } = this.#sql.exec(
        `INSERT INTO queue (event_id, subject, body, at, due_at, people) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (event_id) DO NOTHING`,
        id,
        subject,
        body,
        now,
        now,
        JSON.stringify(people),
      );
      if (rowsWritten > 0) this.#waiting += 1;
    }
  }

  /** What waits, the oldest first. */
  waitingEvents(): Waiting[] {
    return this.#sql.exec<Waiting>(`SELECT ${WAITING} FROM queue WHERE state = 'waiting' ORDER BY n`).toArray();
  }

  /** What is sent of them, in their order. */
  bodiesOf(events: Waiting[]): string[] {
    const query = "SELECT body FROM queue WHERE n IN (SELECT value FROM json_each(?)) ORDER BY n";
    return [...this.#sql.exec<{ body: string }>(query, JSON.stringify(events.map(({ n }) => n)))].map(
      ({ body }) => body,
    );
  }

  /** These go out as one call, each time that they do. */
  batch(events: Waiting[], call: string): void {
    this.#forEach(events, "call = ?", call);
  }

  delivered(events: Waiting[], now: number, status: number): void {
    const count = this.#forEach(
      events,
      "state = 'delivered', settled_at = ?, status = ?, reason = NULL, attempts = attempts + 1",
      now,
      status,
    );
    this.#settled(count);
  }

  #settled(count: number): void {
    this.#waiting -= count;
    this.#untrimmed += count;
    this.#sql.exec("DELETE FROM queue WHERE is_last = 1 AND state <> 'waiting'");
  }

  /** Somebody was erased: what is theirs goes; what tells that it is no more goes once it was sent or given up. */
  erase(userId: number): void {
    const isTheirs = "EXISTS (SELECT 1 FROM json_each(people) WHERE value = ?)";
    this.#sql.exec(`UPDATE queue SET is_last = 1 WHERE ${isTheirs}`, userId);
    this.#sql.exec(
      `DELETE FROM queue WHERE is_last = 1
       AND (state <> 'waiting' OR body ->> 'type' NOT IN (SELECT value FROM json_each(?)))`,
      JSON.stringify(ENDINGS),
    );
    this.#waiting = this.#count("state = 'waiting'");
  }

  /** It is tried again at `dueAt`; null: not by itself. */
  failed(
    events: Waiting[],
    failure: { now: number; status: number | null; reason: string; dueAt: number | null },
  ): void {
    const { now, status, reason, dueAt } = failure;
    const settled = dueAt === null ? "state = 'parked', settled_at = ?" : "due_at = ?";
    const count = this.#forEach(
      events,
      `${settled}, status = ?, reason = ?, attempts = attempts + 1, failing_since = coalesce(failing_since, ?),
       call = coalesce(call, event_id)`,
      dueAt ?? now,
      status,
      reason,
      now,
    );
    if (dueAt === null) this.#settled(count);
  }

  /** Nothing of what waits is tried by itself any more. */
  parkAll(now: number, reason: string): void {
    this.#sql.exec(
      "UPDATE queue SET state = 'parked', settled_at = ?, reason = ? WHERE state = 'waiting'",
      now,
      reason,
    );
    this.#settled(this.#waiting);
  }

  /** Some may be gone meanwhile. @returns how many are not */
  #forEach(events: Waiting[], change: string, ...values: (string | number | null)[]): number {
    const ids = JSON.stringify(events.map(({ n }) => n));
    const query = `UPDATE queue SET ${change} WHERE n IN (SELECT value FROM json_each(?)) RETURNING n`;
    return this.#sql.exec(query, ...values, ids).toArray().length;
  }

  /** To be sent again, alone and under its own id, before what came after it. Null: there is no such event. */
  requeue(n: number, now: number): Queued | null {
    const [before] = this.#sql.exec<Row>("SELECT * FROM queue WHERE n = ?", n).toArray();
    if (!before) return null;
    const [after] = this.#sql
      .exec<Row>(
        `UPDATE queue SET state = 'waiting', call = CASE WHEN state = 'waiting' THEN call ELSE event_id END, due_at = ?,
           attempts = 0, failing_since = NULL, settled_at = NULL WHERE n = ? RETURNING *`,
        now,
        n,
      )
      .toArray();
    if (before.state !== "waiting") this.#waiting += 1;
    return after ?? null;
  }

  byEvent(id: string): Queued | null {
    return this.#sql.exec<Row>("SELECT * FROM queue WHERE event_id = ?", id).toArray()[0] ?? null;
  }

  /**
   * Newest first. `before`: a time and a number there, both left out. `isFound` says of an event's id, type and subject, and
   * of why it failed, whether it is looked for: rows are read until there are enough.
   */
  page(
    before: { at: number; n: number },
    limit: number,
    { state, isFound }: { state: DeliveryState | undefined; isFound: (texts: string[]) => boolean },
  ): Queued[] {
    const rows = this.#sql.exec<Row & { type: string }>(
      `SELECT *, body ->> 'type' AS type FROM queue WHERE (at < ?1 OR (at = ?1 AND n < ?2)) AND (?3 IS NULL OR state = ?3)
       ORDER BY n DESC`,
      before.at,
      before.n,
      state ?? null,
    );
    const found: Queued[] = [];
    for (const { type, ...row } of rows) {
      if (isFound([row.event_id, type, row.subject, row.reason ?? ""])) found.push(row);
      if (found.length === limit) break;
    }
    return found;
  }

  /** When the endpoint last took something, ms; null if that is not known any more. */
  lastSuccess(): number | null {
    const query = "SELECT max(settled_at) AS at FROM queue WHERE state = 'delivered'";
    return this.#sql.exec<{ at: number | null }>(query).one().at;
  }

  /** In steps: what is settled goes when it is old, or when there is much of it. */
  trim(now: number): void {
    if (this.#untrimmed < TRIM_STEP) return;
    this.#untrimmed = 0;
    const settled = this.#count("state <> 'waiting'");
    const old = this.#count(`state <> 'waiting' AND settled_at < ${now - KEPT_DAYS * 86_400_000}`);
    this.#sql.exec(
      "DELETE FROM queue WHERE n IN (SELECT n FROM queue WHERE state <> 'waiting' ORDER BY n LIMIT ?)",
      Math.max(settled - KEPT_EVENTS, old, 0),
    );
  }
}
