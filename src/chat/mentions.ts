/**
 * Who is named in a message hears of it, at most 20 a message (SPEC 14). The room notes that it has to tell in the event that
 * logs the message, and forgets it once the database has it: a crash in between is made good by the room's alarm.
 */
import { type Mention, mentionsIn } from "../auth/mentions.ts";
import { logFailure } from "../platform/log.ts";
import type { Timer, Timers } from "../realtime/timers.ts";
import type { ChatLog, Message } from "./log.ts";

const MENTIONS_MAX = 20;
const RETRY_MS = 10_000;
/** Who was named so long ago and could not be told is not told any more. */
const GIVEN_UP_MS = 3_600_000;

export type RoomMention = {
  author: { id: number; username: string; avatarUrl: string | null };
  room: { id: string; publicId: string; name: string | null; ownerId: number | null };
  messageId: string;
  named: Mention[];
  /** Users who are not told. */
  except: number[];
};

/** A message that names somebody, by an author who still is somebody. */
export type Naming = { message: Message & { userId: number; username: string }; named: Mention[] };

type Host = {
  log: ChatLog;
  timers: Timers;
  later: (work: Promise<unknown>) => void;
  /** Whether this kind of room tells, and is still there. */
  tells: () => boolean;
  notify: (naming: Naming) => Promise<void>;
};

export class Mentions implements Timer {
  readonly #host: Host;
  /** After hibernation: at once. */
  #retryAt = 0;
  #isTelling = false;

  constructor(host: Host) {
    this.#host = host;
    host.timers.add(this);
  }

  /** A message was logged. One row written if it names somebody. */
  note({ seq, content }: Message, now: number): void {
    if (!this.#host.tells() || mentionsIn(content, 1).length === 0) return;
    this.#host.log.sql.exec("INSERT INTO pending_mentions (seq) VALUES (?)", seq);
    this.#retryAt = now + RETRY_MS;
    this.#host.timers.arm(now);
    // After this event: never from within a transaction.
    this.#host.later(Promise.resolve().then(() => this.ring(now)));
  }

  due(): number | null {
    return this.#pending().length > 0 ? this.#retryAt : null;
  }

  /** Tells what is to be told; what is noted meanwhile goes with it. */
  async ring(now: number): Promise<void> {
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      for (let [seq] = this.#pending(); seq !== undefined; [seq] = this.#pending()) {
        const naming = this.#namingIn(seq, now);
        if (naming) await this.#host.notify(naming);
        this.#host.log.sql.exec("DELETE FROM pending_mentions WHERE seq = ?", seq);
      }
    } catch (error) {
      this.#retryAt = Date.now() + RETRY_MS;
      this.#host.timers.arm(Date.now());
      logFailure({ requestId: "" }, "room.mentions", error);
    } finally {
      this.#isTelling = false;
    }
  }

  #pending(): number[] {
    const rows = this.#host.log.sql.exec<{ seq: number }>("SELECT seq FROM pending_mentions ORDER BY seq LIMIT 1");
    return [...rows].map(({ seq }) => seq);
  }

  /** Null: the message, its author or the room is gone, or it was too long ago. */
  #namingIn(seq: number, now: number): Naming | null {
    const message = this.#host.tells() ? this.#host.log.message(seq) : undefined;
    if (!message || message.userId === null || message.username === null) return null;
    if (message.at < now - GIVEN_UP_MS) return null;
    const { userId, username } = message;
    return { message: { ...message, userId, username }, named: mentionsIn(message.content, MENTIONS_MAX) };
  }
}
