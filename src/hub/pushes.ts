/**
 * What a user's browsers are to be woken for while they have no connection: noted in the transaction that logs the frame,
 * sent by the alarm, tried again until it is done. The first of a conversation goes at once; what follows within
 * GATHER_MS goes as one. While the user has no subscription, nothing is noted, and nothing called.
 */
import { z } from "zod";
import { logFailure } from "../platform/log.ts";
import type { Timer, Timers } from "../realtime/timers.ts";

/** What happened, by its ids alone: what it says is read when it is sent. */
export const PushItem = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("message"), id: z.number().int(), senderId: z.number().int() }),
  z.object({ kind: z.literal("notification"), id: z.number().int() }),
  z.object({ kind: z.literal("room"), roomId: z.string(), messageId: z.string(), senderId: z.number().int() }),
]);
export type PushItem = z.infer<typeof PushItem>;

/** One push: the newest of what it tells, how many that are, and which subscriptions still need it; null: all. */
export type DuePush = { key: string; item: PushItem; count: number; to: string[] | null };

/**
 * What became of the pushes of a user. `done`: sent, or not to be sent at all. `left`: to be tried again for these
 * subscriptions; `isSent`: others have it. `until`: not before that time, ms. `isOn` false: there is no subscription.
 */
export type PushOutcome = {
  isOn: boolean;
  done: string[];
  left: { key: string; to: string[]; isSent: boolean }[];
  until?: number | undefined;
};

export const PUSHES_SCHEMA = `
  CREATE TABLE push_state (is_on INTEGER NOT NULL);
  INSERT INTO push_state (is_on) VALUES (0);
  CREATE TABLE pushes (
    key TEXT PRIMARY KEY, item TEXT NOT NULL, count INTEGER NOT NULL, since INTEGER NOT NULL, due_at INTEGER NOT NULL,
    tries INTEGER NOT NULL, left_to TEXT, pushed_at INTEGER NOT NULL
  ) WITHOUT ROWID;`;

const GATHER_MS = 60_000;
const FIRST_RETRY_MS = 5000;
const LONGEST_RETRY_MS = 15 * 60_000;
/** What could not be sent for a day is news no more. */
const GIVE_UP_MS = 24 * 60 * 60_000;
/** Sent in one go. */
const AT_ONCE = 20;

type Host = { sql: SqlStorage; timers: Timers; send: (due: DuePush[]) => Promise<PushOutcome> };
type Row = { key: string; item: string; count: number; left_to: string | null };

export class Pushes implements Timer {
  readonly #host: Host;
  readonly #sql: SqlStorage;
  #isOn: boolean;
  /** When the next one is due, ms. */
  #next: number | null;
  #sending: Promise<void> | undefined;

  constructor(host: Host) {
    this.#host = host;
    this.#sql = host.sql;
    this.#isOn = this.#sql.exec<{ is_on: number }>("SELECT is_on FROM push_state").one().is_on === 1;
    this.#next = this.#isOn ? this.#nextDue() : null;
    host.timers.add(this);
  }

  /** Whether the user has a subscription, as far as is known here: it may have ended meanwhile. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** The database was restored: what waits is not so any more, and whether there is a subscription is found out by the next. */
  startOver(): void {
    this.#sql.exec("DELETE FROM pushes");
    this.#next = null;
    this.switchOn();
  }

  /** The user has a subscription. */
  switchOn(): void {
    this.#switch(true);
  }

  #switch(isOn: boolean): void {
    if (isOn === this.#isOn) return;
    this.#isOn = isOn;
    this.#sql.exec("UPDATE push_state SET is_on = ?", isOn ? 1 : 0);
  }

  /** The user is away, and this has come for them. */
  note(item: PushItem, now: number): void {
    if (!this.#isOn) return;
    this.#sql.exec(
      `INSERT INTO pushes (key, item, count, since, due_at, tries, pushed_at) VALUES (?1, ?2, 1, ?3, ?3, 0, 0)
       ON CONFLICT (key) DO UPDATE SET item = ?2, left_to = NULL, count = count + 1,
         since = iif(count = 0, ?3, since), tries = iif(count = 0, 0, tries),
         due_at = iif(count = 0, max(?3, pushed_at + ?4), min(due_at, max(?3, pushed_at + ?4)))`,
      keyOf(item),
      JSON.stringify(item),
      now,
      GATHER_MS,
    );
    this.#plan(now);
  }

  /** The user is here, and sees all of it; or it is not to be told any more. */
  clear(): void {
    if (!this.#isOn) return;
    this.#sql.exec("DELETE FROM pushes");
    this.#next = null;
  }

  due(): number | null {
    return this.#next;
  }

  /** Sends what is due. Never throws. */
  ring(now: number): Promise<void> {
    this.#sending ??= this.#sendDue(now).finally(() => {
      this.#sending = undefined;
      this.#plan(Date.now());
    });
    return this.#sending;
  }

  async #sendDue(now: number): Promise<void> {
    this.#sql.exec(
      "DELETE FROM pushes WHERE (count = 0 AND pushed_at < ?) OR since < ?",
      now - GATHER_MS,
      now - GIVE_UP_MS,
    );
    const rows = this.#sql
      .exec<Row>(
        "SELECT key, item, count, left_to FROM pushes WHERE count > 0 AND due_at <= ? ORDER BY due_at LIMIT ?",
        now,
        AT_ONCE,
      )
      .toArray();
    if (rows.length === 0) return;
    const due = rows.map(toDue);
    try {
      this.#apply(due, await this.#host.send(due));
    } catch (error) {
      logFailure({ requestId: "" }, "hub.push", error);
      this.#apply(due, { isOn: true, done: [], left: due.map(({ key }) => ({ key, to: [], isSent: false })) });
    }
  }

  #apply(due: DuePush[], { isOn, done, left, until }: PushOutcome): void {
    const now = Date.now();
    if (!isOn) {
      this.clear();
      return this.#switch(false);
    }
    const counts = new Map(due.map(({ key, count }) => [key, count]));
    // What came while these were on their way is told by the next one.
    for (const key of done) {
      this.#sql.exec(
        "UPDATE pushes SET count = count - ?2, tries = 0, left_to = NULL, pushed_at = ?3, since = ?3, due_at = ?4 WHERE key = ?1",
        key,
        counts.get(key) ?? 0,
        now,
        now + GATHER_MS,
      );
    }
    for (const { key, to, isSent } of left) this.#retry(key, { to, isSent, now });
    if (until === undefined) return;
    const waiting = due.map(({ key }) => key).filter((key) => !done.includes(key));
    for (const key of waiting) this.#sql.exec("UPDATE pushes SET due_at = ? WHERE key = ?", until, key);
  }

  /** Nobody's failure holds up what comes anew: `note` brings the time forward. */
  #retry(key: string, { to, isSent, now }: { to: string[]; isSent: boolean; now: number }): void {
    this.#sql.exec(
      `UPDATE pushes SET tries = tries + 1, left_to = ?2, pushed_at = iif(?3, ?4, pushed_at),
         due_at = ?4 + min(?5 * (1 << min(tries, 10)), ?6) WHERE key = ?1`,
      key,
      to.length === 0 ? null : JSON.stringify(to),
      isSent ? 1 : 0,
      now,
      FIRST_RETRY_MS,
      LONGEST_RETRY_MS,
    );
  }

  #plan(now: number): void {
    this.#next = this.#sending ? null : this.#nextDue();
    this.#host.timers.arm(now);
  }

  #nextDue(): number | null {
    return this.#sql.exec<{ at: number | null }>("SELECT min(due_at) AS at FROM pushes WHERE count > 0").one().at;
  }
}

/** What is gathered into one push: a conversation, a room, and all notifications. */
function keyOf(item: PushItem): string {
  if (item.kind === "message") return `message:${item.senderId}`;
  return item.kind === "room" ? `room:${item.roomId}` : "notification";
}

const toDue = ({ key, item, count, left_to }: Row): DuePush => ({
  key,
  item: PushItem.parse(JSON.parse(item)),
  count,
  to: left_to === null ? null : z.array(z.string()).parse(JSON.parse(left_to)),
});
