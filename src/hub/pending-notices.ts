/** What rooms still have to be told about a hub's user. */
import { z } from "zod";
import { objectContext } from "../context.ts";
import { callObject } from "../platform/objects.ts";
import { Person } from "../realtime/connection-state.ts";
import { PendingCalls } from "../realtime/pending-calls.ts";
import { isBan, Revocation, RoomKind } from "../realtime/room-ref.ts";
import { namespaceOf } from "../realtime/rooms.ts";
import type { Timers } from "../realtime/timers.ts";

const Notice = z.object({
  revocation: Revocation.optional(),
  person: Person.partial().extend({ userId: z.number() }).optional(),
});
export type Notice = z.infer<typeof Notice>;

const NoticeRow = z.object({
  id: z.number(),
  kind: RoomKind,
  name: z.string(),
  notice: z.string().transform((json) => Notice.parse(JSON.parse(json))),
});
type NoticeRow = z.infer<typeof NoticeRow>;

const ROOM = "kind || ' ' || name";

type Host = { state: DurableObjectState; env: Env; timers: Timers };

export class PendingNotices {
  readonly #host: Host;
  readonly #sql: SqlStorage;
  readonly #calls: PendingCalls<NoticeRow>;

  constructor(host: Host) {
    this.#host = host;
    this.#sql = host.state.storage.sql;
    this.#calls = new PendingCalls(host, {
      table: "pending_notices",
      row: NoticeRow,
      target: ROOM,
      // One by one: the next may be withdrawn while this one is on its way.
      atOnce: 1,
      make: async (_room, notices) => {
        for (const notice of notices) await this.#send(notice);
      },
    });
  }

  /** Tells every room that the user is in. */
  add(notice: Notice): void {
    const rooms = this.#sql
      .exec<{ room: string }>(
        `INSERT INTO pending_notices (kind, name, notice) SELECT kind, name, ? FROM room_references RETURNING ${ROOM} AS room`,
        JSON.stringify(notice),
      )
      .toArray();
    this.#calls.noted(rooms.map(({ room }) => room));
  }

  /** What waits is not so any more. */
  clear(): void {
    this.#calls.clear();
  }

  /** Takes back bans that rooms have not heard of yet. */
  withdrawBans(): void {
    for (const row of this.#sql.exec("SELECT * FROM pending_notices").toArray()) {
      const { id, notice } = NoticeRow.parse(row);
      if (notice.revocation && isBan(notice.revocation)) {
        this.#sql.exec("DELETE FROM pending_notices WHERE id = ?", id);
      }
    }
  }

  async #send({ kind, name, notice: { revocation, person } }: NoticeRow): Promise<void> {
    const { state, env } = this.#host;
    const ctx = objectContext(state, env);
    const rooms = namespaceOf(env, kind);
    if (revocation) await callObject(ctx, rooms, name, (room) => room.revoke(revocation));
    if (person) await callObject(ctx, rooms, name, (room) => room.updatePerson(person));
  }
}
