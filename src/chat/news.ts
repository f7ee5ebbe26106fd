/**
 * Hands what was said in a room to whoever tells it outside, from the room's own log, by position: in groups, after the
 * database was told (directory-sync.ts), never on the way of a message. Where the room stands is kept with where the
 * database stands; what lies between is still to be handed over, whatever crashed.
 */
import type { Ctx } from "../context.ts";
import { readWants } from "../db/webhook-facts.ts";
import { logFailure } from "../platform/log.ts";
import type { Timer, Timers } from "../realtime/timers.ts";
import type { RoomInfo } from "./info.ts";
import { roomChat } from "./kinds.ts";
import type { ChatLog, LogEntry, Message } from "./log.ts";

export type RoomNews = {
  kind: "message" | "edit" | "deletion";
  seq: number;
  at: number;
  data: Record<string, unknown>;
};

export type NewsTeller = {
  /** The events that rooms of this kind have to tell of. */
  events(info: RoomInfo): readonly string[];
  /** Resolves once all of it is safe elsewhere. It may come again. */
  tell(ctx: Ctx, room: { roomId: string; info: RoomInfo }, news: RoomNews[]): Promise<void>;
};

let teller: NewsTeller | undefined;

/** Called once, by src/wiring.ts. */
export function tellNewsBy(how: NewsTeller): void {
  teller = how;
}

/** The events that a room of this kind has to tell of. */
export const eventsOf = (info: RoomInfo | null): readonly string[] => (info && teller?.events(info)) ?? [];

/** Entries of the log that are looked at, and handed over, at once. */
const GROUP = 200;
const RETRY_MS = 10_000;

type Host = {
  roomId: string;
  log: ChatLog;
  timers: Timers;
  context: () => Ctx;
  /** What the room is, or was; null while it does not know. */
  info: () => RoomInfo | null;
  /** As readers get it. */
  shown: (message: Message) => Message;
};

export class NewsCursor implements Timer {
  readonly #host: Host;
  #toldSeq: number;
  #upTo: number;
  #retryAt = 0;
  #isTelling = false;

  /** `upTo`: as far as the database knew the log. */
  constructor(host: Host, toldSeq: number, upTo: number) {
    this.#host = host;
    this.#toldSeq = toldSeq;
    this.#upTo = upTo;
    host.timers.add(this);
  }

  /** The database has the log up to here, and says whether anybody wants to hear of it. @returns the position to keep */
  reached(seq: number, isWanted: boolean): number {
    this.#upTo = Math.max(this.#upTo, seq);
    if (!isWanted && !this.#isTelling) this.#toldSeq = Math.max(this.#toldSeq, seq);
    return this.#toldSeq;
  }

  due(): number | null {
    return this.#toldSeq < this.#upTo ? this.#retryAt : null;
  }

  async ring(): Promise<void> {
    try {
      await this.handOver();
    } catch (error) {
      this.#retryAt = Date.now() + RETRY_MS;
      logFailure({ requestId: "" }, "room.news", error, { room: this.#host.roomId });
      this.#host.timers.arm(Date.now());
    }
  }

  /** The room is no more: what was not handed over yet is, before it goes. @throws if that fails */
  async finish(): Promise<void> {
    const { context, info, log } = this.#host;
    this.reached(log.head, await readWants(context(), eventsOf(info())));
    await this.handOver();
  }

  /** @throws if somebody did not take their share; it comes again */
  async handOver(): Promise<void> {
    const { roomId, context, info } = this.#host;
    const room = info();
    if (this.#isTelling || !room) return;
    this.#isTelling = true;
    try {
      while (this.#toldSeq < this.#upTo) {
        const { entries, last } = this.#nextGroup();
        const news = entries.flatMap((entry) => this.#toNews(entry, room) ?? []);
        if (news.length > 0) await teller?.tell(context(), { roomId, info: room }, news);
        this.#toldSeq = last;
        this.#host.log.sql.exec("UPDATE state SET told_seq = ?", last);
      }
    } finally {
      this.#isTelling = false;
    }
  }

  #nextGroup(): { entries: LogEntry[]; last: number } {
    const entries: LogEntry[] = [];
    for (const entry of this.#host.log.entriesAfter(this.#toldSeq)) {
      if (entry.seq > this.#upTo) break;
      entries.push(entry);
      if (entries.length === GROUP) return { entries, last: entry.seq };
    }
    return { entries, last: this.#upTo };
  }

  #toNews(entry: LogEntry, info: RoomInfo): RoomNews | null {
    const { roomId, shown } = this.#host;
    const dialect = roomChat(info.kind).dialect(roomId, info);
    const { seq } = entry;
    if (entry.kind === "message" || entry.kind === "edit") {
      const { message, kind } = entry;
      const at = kind === "edit" ? (message.editedAt ?? message.at) : message.at;
      return { kind, seq, at, data: dialect.message(shown(message)) };
    }
    if (entry.kind !== "deletion") return null;
    const messageId = dialect.messageId(entry.target);
    const deletedAt = new Date(entry.at).toISOString();
    const data = { roomId: info.publicId ?? roomId, id: messageId, messageId, deletedBy: entry.userId, deletedAt };
    return { kind: "deletion", seq, at: entry.at, data };
  }
}
