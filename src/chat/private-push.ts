/**
 * A message of a private room wakes the other's browsers (SPEC 13). Whether they have any, and are away, one read of the
 * database says: once in EVERY_MS of talking to somebody who is not in the room. Only then their hub is called, which gathers.
 * Nothing is kept of it here: who is told late, if the object breaks in between, hears of the next message.
 */
import { sql } from "drizzle-orm";
import type { Ctx } from "../context.ts";
import { nudge } from "../hub/client.ts";
import { logFailure } from "../platform/log.ts";
import type { Timer, Timers } from "../realtime/timers.ts";

const EVERY_MS = 5000;

type Said = { seq: number; author: number };

type Host = {
  roomId: string;
  timers: Timers;
  context: () => Ctx;
  later: (work: Promise<unknown>) => void;
  isPrivate: () => boolean;
  /** Whether somebody else than this user has a connection here. */
  isOtherHere: (userId: number) => boolean;
  messageId: (seq: number) => string;
};

export class PrivatePush implements Timer {
  readonly #host: Host;
  #waiting: Said | undefined;
  #askedAt = 0;

  constructor(host: Host) {
    this.#host = host;
    host.timers.add(this);
  }

  /** Somebody has said something. */
  note(said: Said, now: number): void {
    if (!this.#host.isPrivate() || this.#host.isOtherHere(said.author)) return;
    this.#waiting = said;
    if (now - this.#askedAt >= EVERY_MS) this.ring(now);
    else this.#host.timers.arm(now);
  }

  due(): number | null {
    return this.#waiting ? this.#askedAt + EVERY_MS : null;
  }

  ring(now: number): void {
    const said = this.#waiting;
    if (!said) return;
    this.#askedAt = now;
    this.#waiting = undefined;
    this.#host.later(this.#tell(said));
  }

  async #tell({ seq, author }: Said): Promise<void> {
    const { context, roomId, isOtherHere, messageId } = this.#host;
    const ctx = context();
    try {
      const [away] = await ctx.db.all<{ userId: number }>(sql`
        SELECT m.user_id AS userId FROM room_members m JOIN users u ON u.id = m.user_id
        WHERE m.room_id = ${roomId} AND m.user_id <> ${author} AND u.connected_at IS NULL
          AND EXISTS (SELECT 1 FROM push_subscriptions s WHERE s.user_id = m.user_id)`);
      if (!away || isOtherHere(author)) return;
      await nudge(ctx, away.userId, { kind: "room", roomId, messageId: messageId(seq), senderId: author });
    } catch (error) {
      logFailure(ctx, "room.push", error);
    }
  }
}
