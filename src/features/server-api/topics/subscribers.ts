/**
 * Users who hear a topic on their event sockets: one call of a user's hub for a publication, whatever the number of their
 * connections. Who subscribes is a row for as long as they do, so that it outlives the object's sleep.
 */
import { AppError } from "../../../errors.ts";
import type { TopicFrame } from "../../../hub/topics.ts";
import { logFailure } from "../../../platform/log.ts";
import { hasTable } from "../../../realtime/migrations.ts";
import type { Timer } from "../../../realtime/timers.ts";

/** More listen on the topic's own socket (SPEC 12). */
const MOST = 1000;
const RETRY_MS = 10_000;

const SCHEMA =
  "CREATE TABLE IF NOT EXISTS subscribers (user_id INTEGER PRIMARY KEY, is_behind INTEGER NOT NULL DEFAULT 0)";

type Host = {
  sql: SqlStorage;
  /** Sends frames to the user's connections. Answers whether any of them subscribes. */
  deliver(userId: number, frames: TopicFrame[]): Promise<boolean>;
  /** Has the user's connections subscribe again. Answers as `deliver`. */
  resync(userId: number): Promise<boolean>;
  later(work: Promise<unknown>): void;
  /** The set has changed, or a retry is to be armed. */
  changed(): void;
};

export class Subscribers implements Timer {
  readonly #host: Host;
  readonly #users = new Set<number>();
  /** Hubs that could not be reached: what they missed is told of later. */
  readonly #behind = new Set<number>();
  readonly #waiting = new Map<number, TopicFrame[]>();
  #retryAt = 0;

  constructor(host: Host) {
    this.#host = host;
    if (!hasTable(host.sql, "subscribers")) return;
    for (const row of host.sql.exec<{ user_id: number; is_behind: number }>(
      "SELECT user_id, is_behind FROM subscribers",
    )) {
      this.#users.add(row.user_id);
      if (row.is_behind) this.#behind.add(row.user_id);
    }
  }

  get size(): number {
    return this.#users.size;
  }

  has(userId: number): boolean {
    return this.#users.has(userId);
  }

  /** A row, once. @throws AppError RATE_LIMIT there are too many */
  add(userId: number): void {
    if (this.#users.has(userId)) return;
    if (this.#users.size >= MOST)
      throw new AppError("RATE_LIMIT", "Open the topic's own socket: it has room for more.");
    this.#host.sql.exec(SCHEMA);
    this.#host.sql.exec("INSERT OR IGNORE INTO subscribers (user_id) VALUES (?)", userId);
    this.#users.add(userId);
  }

  remove(userId: number): void {
    if (!this.#users.delete(userId)) return;
    this.#behind.delete(userId);
    this.#host.sql.exec("DELETE FROM subscribers WHERE user_id = ?", userId);
    this.#host.changed();
  }

  /** One call for each user; what comes while one is on its way goes with the next. */
  send(frame: TopicFrame): void {
    for (const userId of this.#users) {
      const waiting = this.#waiting.get(userId);
      if (waiting) waiting.push(frame);
      else {
        this.#waiting.set(userId, [frame]);
        this.#host.later(this.#drain(userId));
      }
    }
  }

  async #drain(userId: number): Promise<void> {
    // What is sent before the next microtask goes with the first call.
    await Promise.resolve();
    for (let frames = this.#take(userId); frames.length > 0; frames = this.#take(userId)) {
      if (!this.#users.has(userId)) continue;
      try {
        const isHere = await this.#host.deliver(userId, frames);
        if (!isHere) this.remove(userId);
      } catch (error) {
        logFailure({ requestId: "" }, "topic.deliver", error, { userId });
        this.#fallBehind(userId);
      }
    }
  }

  #take(userId: number): TopicFrame[] {
    const frames = this.#waiting.get(userId) ?? [];
    if (frames.length === 0) this.#waiting.delete(userId);
    else this.#waiting.set(userId, []);
    return frames;
  }

  /** Never a silent gap: a hub that missed something is told so when it can be reached again. */
  #fallBehind(userId: number): void {
    if (!this.#users.has(userId)) return;
    this.#behind.add(userId);
    this.#host.sql.exec("UPDATE subscribers SET is_behind = 1 WHERE user_id = ?", userId);
    this.#retryAt = Date.now() + RETRY_MS;
    this.#host.changed();
  }

  due(): number | null {
    return this.#behind.size === 0 ? null : this.#retryAt;
  }

  async ring(now: number): Promise<void> {
    this.#retryAt = now + RETRY_MS;
    for (const userId of [...this.#behind]) {
      try {
        const isHere = await this.#host.resync(userId);
        this.#behind.delete(userId);
        this.#host.sql.exec("UPDATE subscribers SET is_behind = 0 WHERE user_id = ?", userId);
        if (!isHere) this.remove(userId);
      } catch (error) {
        logFailure({ requestId: "" }, "topic.resync", error, { userId });
      }
    }
  }
}
