/** Keeps the database's summary of a room up to date, and saves read marks with it: not a write per message. */
import type { Ctx } from "../context.ts";
import { logFailure } from "../platform/log.ts";
import type { Timer, Timers } from "../realtime/timers.ts";
import { DELETIONS_KEPT, type Mark, type Summary, SYNC_EVERY_MS, writeSummary } from "./directory.ts";
import type { ChatLog, Message } from "./log.ts";
import type { NewsCursor } from "./news.ts";
import type { ReadMarks } from "./read-marks.ts";

type Host = {
  roomId: string;
  log: ChatLog;
  marks: ReadMarks;
  timers: Timers;
  context: () => Ctx;
  /** Work that outlives the event. */
  later: (work: Promise<unknown>) => void;
  /** The room has a row in the database, still. */
  isListed: () => boolean;
  /** The message as lists of rooms show it. */
  describe: (message: Message) => Record<string, unknown>;
  /** What the room has to tell outside, and where that stands. */
  events: () => readonly string[];
  news: NewsCursor;
  /** The database has these users' marks now. */
  saved: (userIds: number[]) => void;
};

export class DirectorySync implements Timer {
  readonly #host: Host;
  #syncedSeq: number;
  #lastSyncAt = 0;
  #retryAt = 0;
  #isSyncing = false;
  /** The newest message has changed while it was being told. */
  #isStale = false;
  /** The alarm is set for the news that the database has not got. */
  #isPlanned = false;

  constructor(host: Host, syncedSeq: number) {
    this.#host = host;
    this.#syncedSeq = syncedSeq;
    host.timers.add(this);
  }

  /** Something happened that lists of rooms show. The alarm is set first: a crash cannot lose the news. */
  noteChange(now: number): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    this.#host.timers.arm(now);
    if (now - this.#lastSyncAt >= SYNC_EVERY_MS) this.syncSoon();
  }

  /** After this event, so that one summary tells of all that was gathered; never from within a transaction. */
  syncSoon(): void {
    this.#host.later(Promise.resolve().then(() => this.#sync()));
  }

  /** The newest message changed without a new seq. */
  invalidate(now: number): void {
    this.#isStale = true;
    this.#setSynced(Math.min(this.#syncedSeq, this.#host.log.head - 1));
    this.noteChange(now);
  }

  due(): number | null {
    const since = this.#behindSince();
    return since === null ? null : Math.max(since + SYNC_EVERY_MS, this.#retryAt);
  }

  ring(): Promise<void> {
    return this.#sync();
  }

  /** Since when the database has been behind, ms; null when it is not. */
  #behindSince(): number | null {
    const { log, marks, isListed } = this.#host;
    if (!isListed()) return null;
    const [row] = log.sql.exec<{ at: number }>("SELECT at FROM log WHERE seq = ?", this.#syncedSeq + 1).toArray();
    const times = [row?.at, marks.unsavedSince].filter((time) => typeof time === "number");
    return times.length > 0 ? Math.min(...times) : null;
  }

  /** The log or a mark went on since the last summary. */
  get #isBehind(): boolean {
    return this.#host.log.head > this.#syncedSeq || this.#host.marks.unsavedSince !== null;
  }

  summary(): Summary {
    const { log, describe } = this.#host;
    const last = log.lastMessage();
    const deletions = log.sql.exec<{ seq: number }>(
      "SELECT target AS seq FROM log WHERE kind = 'deletion' ORDER BY target DESC LIMIT ?",
      DELETIONS_KEPT,
    );
    return {
      head: log.head,
      messageCount: log.messageCount,
      deletedSeqs: [...deletions].map(({ seq }) => seq),
      lastMessage: last ? describe(last) : null,
      lastAt: last?.at ?? null,
    };
  }

  async #sync(): Promise<void> {
    const { roomId, marks, context, isListed, timers, events, news } = this.#host;
    if (this.#isSyncing || !isListed() || !this.#isBehind) return;
    this.#isSyncing = true;
    this.#isStale = false;
    const summary = this.summary();
    const moved = marks.unsaved();
    try {
      const isWanted = await writeSummary(context(), roomId, { summary, marks: moved, events: events() });
      if (isListed()) this.#noteSynced(summary, moved, isWanted);
    } catch (error) {
      this.#retryAt = Date.now() + SYNC_EVERY_MS;
      logFailure({ requestId: "" }, "room.sync", error, { room: roomId });
    } finally {
      this.#isSyncing = false;
      this.#isPlanned = this.#isBehind;
      if (this.#isPlanned) timers.arm(Date.now());
    }
    await news.ring();
  }

  #noteSynced({ head }: Summary, moved: Mark[], isWanted: boolean): void {
    const told = this.#host.news.reached(head, isWanted);
    this.#setSynced(this.#isStale ? head - 1 : head, told);
    this.#host.saved(this.#host.marks.saved(moved));
    this.#lastSyncAt = Date.now();
  }

  /** `told`: where the news stand, if that moved as well. One row written. */
  #setSynced(seq: number, told: number | null = null): void {
    this.#syncedSeq = seq;
    this.#host.log.sql.exec("UPDATE state SET synced_seq = ?, told_seq = coalesce(?, told_seq)", seq, told);
  }
}
