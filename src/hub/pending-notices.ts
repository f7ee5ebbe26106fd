/** What rooms still have to be told about a hub's user: noted in the event's own transaction, sent afterwards, and until it is done. */
import { z } from "zod";
import { objectContext } from "../context.ts";
import { logFailure } from "../platform/log.ts";
import { callObject } from "../platform/objects.ts";
import { Person } from "../realtime/connection-state.ts";
import { isBan, Revocation, RoomKind } from "../realtime/room-ref.ts";
import { namespaceOf } from "../realtime/rooms.ts";
import type { Timer, Timers } from "../realtime/timers.ts";

/** Waits between tries, doubled each time. */
const FIRST_RETRY_MS = 5000;
const LONGEST_RETRY_MS = 300_000;

const Notice = z.object({
  revocation: Revocation.optional(),
  person: Person.partial().extend({ userId: z.number() }).optional(),
});
export type Notice = z.infer<typeof Notice>;
type NoticeRow = { id: number; kind: string; name: string; notice: string };

type Host = { state: DurableObjectState; env: Env; timers: Timers };

export class PendingNotices implements Timer {
  readonly #host: Host;
  readonly #sql: SqlStorage;
  #failures = 0;
  /** After hibernation: at once. */
  #retryAt = 0;
  #sending: Promise<void> | undefined;

  constructor(host: Host) {
    this.#host = host;
    this.#sql = host.state.storage.sql;
    host.timers.add(this);
  }

  /** Tells every room that the user is in. The alarm is set first, so a crash loses nothing. */
  add(notice: Notice): void {
    this.#sql.exec(
      "INSERT INTO pending_notices (kind, name, notice) SELECT kind, name, ? FROM room_references",
      JSON.stringify(notice),
    );
    const now = Date.now();
    this.#retryAt ||= now + FIRST_RETRY_MS;
    this.#host.timers.arm(now);
    this.#host.state.waitUntil(this.ring());
  }

  /** What waits is not so any more. */
  clear(): void {
    this.#sql.exec("DELETE FROM pending_notices");
  }

  /** Takes back bans that rooms have not heard of yet. */
  withdrawBans(): void {
    for (const { id, notice } of this.#sql.exec<NoticeRow>("SELECT id, notice FROM pending_notices").toArray()) {
      const { revocation } = Notice.parse(JSON.parse(notice));
      if (revocation && isBan(revocation)) this.#forget(id);
    }
  }

  due(): number | null {
    const [row] = this.#sql.exec("SELECT 1 FROM pending_notices LIMIT 1").toArray();
    return row ? this.#retryAt : null;
  }

  /** Sends what waits; what is added meanwhile goes with it. Never throws. */
  ring(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
    return this.#sending;
  }

  async #sendAll(): Promise<void> {
    let after = 0;
    for (let rows = this.#after(after); rows.length > 0; rows = this.#after(after)) {
      after = rows.at(-1)?.id ?? after;
      const byRoom = Map.groupBy(rows, ({ kind, name }) => `${kind} ${name}`);
      await Promise.all([...byRoom.values()].map((notices) => this.#sendInOrder(notices)));
    }
    const isDone = this.due() === null;
    this.#failures = isDone ? 0 : this.#failures + 1;
    this.#retryAt = isDone ? 0 : Date.now() + Math.min(FIRST_RETRY_MS * 2 ** (this.#failures - 1), LONGEST_RETRY_MS);
    this.#host.timers.arm(Date.now());
  }

  #after(id: number): NoticeRow[] {
    return this.#sql
      .exec<NoticeRow>("SELECT id, kind, name, notice FROM pending_notices WHERE id > ? ORDER BY id LIMIT 500", id)
      .toArray();
  }

  /** One room's; a failure leaves the rest for later, so that they stay in order. */
  async #sendInOrder(notices: NoticeRow[]): Promise<void> {
    for (const { id, kind, name, notice } of notices) {
      try {
        // It may have been withdrawn while another was on its way.
        if (!this.#isPending(id)) continue;
        await this.#send(RoomKind.parse(kind), name, Notice.parse(JSON.parse(notice)));
        this.#forget(id);
      } catch (error) {
        logFailure({ requestId: "" }, "hub.notice", error, { kind, name });
        return;
      }
    }
  }

  #isPending(id: number): boolean {
    return this.#sql.exec("SELECT 1 FROM pending_notices WHERE id = ?", id).toArray().length > 0;
  }

  #forget(id: number): void {
    this.#sql.exec("DELETE FROM pending_notices WHERE id = ?", id);
  }

  async #send(kind: RoomKind, name: string, { revocation, person }: Notice): Promise<void> {
    const { state, env } = this.#host;
    const ctx = objectContext(state, env);
    const rooms = namespaceOf(env, kind);
    if (revocation) await callObject(ctx, rooms, name, (room) => room.revoke(revocation));
    if (person) await callObject(ctx, rooms, name, (room) => room.updatePerson(person));
  }
}
