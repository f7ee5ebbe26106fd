/** The room beside a stream: its chat, the news of its status, and how many are here. One object per stream. */
import { z } from "zod";
import { objectContext } from "../../context.ts";
import { AppError, CLOSE } from "../../errors.ts";
import { logFailure } from "../../platform/log.ts";
import { bindCommands, type CommandContext, type Outcome } from "../../realtime/commands.ts";
import type { Connection } from "../../realtime/connection.ts";
import type { ConnectRequest, Person } from "../../realtime/connection-state.ts";
import { ERASED_NAME, encodeFrame } from "../../realtime/protocol.ts";
import { Room } from "../../realtime/room.ts";
import { UserReferences } from "../../realtime/user-references.ts";
import { ChatMessage, type SendChatMessage, type StreamCommand, StreamCommands } from "./chat-contract.ts";
import { RoomDelivery } from "./room-client.ts";
import { type HistoryPart, StreamStore } from "./store.ts";
import { noteRoomViewers } from "./viewers.ts";

/** What the Worker knows about the stream. It never changes. */
export const StreamFacts = z.object({ ownerId: z.number().int() });
export type StreamFacts = z.infer<typeof StreamFacts>;

/** SPEC 7: at most one a second. */
const SHOW_EVERY_MS = 1000;
/** The database hears of the viewers less often: each time is a row written. */
const TELL_EVERY_MS = 10_000;

/** Opaque and sortable; as a number it is the message's seq. */
const idOf = (seq: number): string => String(seq).padStart(12, "0");

const StoredChatMessage = z.object({ data: ChatMessage });
const messageOf = ({ frame }: { frame: string }): ChatMessage => StoredChatMessage.parse(JSON.parse(frame)).data;

export class StreamRoom extends Room {
  protected override readonly kind = "stream";
  protected override readonly roomKind = "STREAM_ROOM";
  protected override readonly log: StreamStore;
  /** Who has written here. */
  readonly #authors: UserReferences;
  #viewers: number;
  #shownAt = 0;
  #toldAt = 0;
  /** Last message per user, ms, while slow mode is on. */
  readonly #wroteAt = new Map<number, number>();

  protected override readonly commands = bindCommands(
    StreamCommands,
    {
      join_stream: (_by, { streamId }) => this.#requireHere(streamId),
      leave_stream: (by, { streamId }) => this.#leave(by, streamId),
      chat_message: (by, input) => this.#write(by, input),
      chat_delete: (by, { messageId }) => this.#delete(by, Number(messageId)),
      chat_mute: (by, { userId, seconds }) => this.#mute(by, userId, by.now + seconds * 1000),
      chat_unmute: (by, { userId }) => this.#mute(by, userId, null),
      chat_slow_mode: (by, { seconds }) => this.#slowDown(by, seconds),
    },
    {},
    ["chat_message"],
  );

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.log = new StreamStore(state.storage);
    this.#viewers = this.connections.userCount;
    this.timers.add({ due: () => this.#nextShow(), ring: (now) => this.#showViewers(now) });
    this.timers.add({ due: () => this.#nextTell(), ring: (now) => this.#tellViewers(now) });
    this.#authors = new UserReferences({
      state,
      timers: this.timers,
      target: `stream:${this.#streamId}`,
      context: () => objectContext(this.ctx, this.env),
      anonymise: (userId) => this.#anonymise(userId),
    });
  }

  get #streamId(): number {
    return Number(this.ctx.id.name);
  }

  protected override async admit({ facts, since }: ConnectRequest): Promise<void> {
    this.log.change("owner_id", StreamFacts.parse(facts).ownerId);
    if (since !== undefined) await this.#authors.settle();
  }

  // ── Chat ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** RPC: a command that came over REST. */
  executeFor(facts: StreamFacts, person: Person, command: StreamCommand, data: unknown): Promise<Outcome> {
    this.log.change("owner_id", facts.ownerId);
    return this.execute(person, command, data);
  }

  #write({ person, now }: CommandContext, input: z.output<typeof SendChatMessage>): ChatMessage {
    const { userId, username } = person;
    this.#requireHere(input.streamId);
    const earlier = input.clientMessageId === undefined ? null : this.log.sentAs(userId, input.clientMessageId);
    if (earlier?.isDeleted) throw new AppError("FORBIDDEN", "This message was deleted.");
    if (earlier) return messageOf(earlier);
    if (!this.#moderates(person)) this.#requireVoice(userId, now);
    const seq = this.log.head + 1;
    const timestamp = new Date(now).toISOString();
    const message = {
      id: idOf(seq),
      streamId: this.#streamId,
      seq,
      userId,
      username,
      message: input.message,
      timestamp,
    };
    this.broadcast(
      this.log.append(now, { type: "chat_message", data: message }, { userId, clientId: input.clientMessageId }),
    );
    this.#authors.record(userId, now);
    if (this.log.settings.slow_seconds > 0) this.#wroteAt.set(userId, now);
    return message;
  }

  #requireHere(streamId: number | undefined): void {
    if (streamId !== undefined && streamId !== this.#streamId) {
      throw new AppError("INVALID_MESSAGE", "This is another stream's room.");
    }
  }

  #leave({ connection }: CommandContext, streamId: number | undefined): void {
    this.#requireHere(streamId);
    if (connection) this.disconnect(connection, 1000, "LEFT");
  }

  /** @throws AppError FORBIDDEN muted · RATE_LIMIT too soon in slow mode */
  #requireVoice(userId: number, now: number): void {
    if (this.log.mutedUntil(userId) > now) throw new AppError("FORBIDDEN", "You are muted in this chat.");
    const slow = this.log.settings.slow_seconds;
    if (slow === 0) return;
    const last = this.#wroteAt.get(userId) ?? this.log.lastWroteAt(userId);
    const seconds = Math.ceil((last + slow * 1000 - now) / 1000);
    if (seconds > 0) throw new AppError("RATE_LIMIT", `Slow mode: wait ${seconds} s.`, { retryAfterSeconds: seconds });
  }

  /** The stream's owner, moderators and admins. */
  #moderates(person: Person): boolean {
    return person.role !== "user" || person.userId === this.log.settings.owner_id;
  }

  #requireModeration({ person }: CommandContext): void {
    if (!this.#moderates(person)) throw new AppError("FORBIDDEN");
  }

  /** Deleting again changes and sends nothing. */
  #delete(by: CommandContext, seq: number): { messageId: string } {
    this.#requireModeration(by);
    const message = this.log.message(seq);
    if (!message) throw new AppError("NOT_FOUND");
    const data = { streamId: this.#streamId, messageId: idOf(seq) };
    if (!message.isDeleted) {
      const frame = { type: "chat_message_deleted", data };
      this.log.erase(seq, frame);
      this.broadcast(this.log.append(by.now, frame));
    }
    return { messageId: data.messageId };
  }

  /** Told to the one it is about; nobody else needs to see it. */
  #mute(by: CommandContext, userId: number, until: number | null): { userId: number; until: string | null } {
    this.#requireModeration(by);
    if (userId === this.log.settings.owner_id) throw new AppError("FORBIDDEN", "A stream's owner cannot be muted.");
    const answer = { userId, until: until === null ? null : new Date(until).toISOString() };
    if (until === null && !this.log.unmute(userId)) return answer;
    if (until !== null) this.log.mute(userId, until);
    const frame = encodeFrame({ type: "chat_muted", data: { streamId: this.#streamId, ...answer } });
    for (const connection of this.connections.of(userId)) this.send(connection, frame);
    return answer;
  }

  #slowDown(by: CommandContext, seconds: number): { seconds: number } {
    this.#requireModeration(by);
    if (seconds !== this.log.settings.slow_seconds) {
      this.log.change("slow_seconds", seconds);
      const frame = { type: "chat_slow_mode", data: { streamId: this.#streamId, seconds } };
      this.broadcast(this.log.append(by.now, frame));
    }
    return { seconds };
  }

  #anonymise(userId: number): void {
    this.log.anonymise(userId, ERASED_NAME);
    this.#wroteAt.delete(userId);
    this.#authors.forget(userId);
  }

  /** RPC: the chat as it is now, newest first; `before` and `after` are seqs. */
  async history(part: HistoryPart): Promise<ChatMessage[]> {
    await this.#authors.settle();
    return this.log.history(part).map(messageOf);
  }

  // ── Status ────────────────────────────────────────────────────────────────────────────────────────────────────────

  protected override delivered(payload: unknown): void | Promise<void> {
    const delivery = RoomDelivery.parse(payload);
    if (delivery.type === "stream:deleted") return this.#close();
    if (delivery.type === "anonymise") return this.#anonymise(delivery.userId);
    this.broadcast(this.log.append(Date.now(), delivery));
  }

  /** The stream is gone, and its chat with it. Nobody can come back: the Worker finds no such stream. */
  async #close(): Promise<void> {
    for (const connection of [...this.connections.values()]) this.disconnect(connection, CLOSE.notFound, "NOT_FOUND");
    this.log.clear();
    await this.#authors.withdraw();
  }

  // ── Viewers ───────────────────────────────────────────────────────────────────────────────────────────────────────

  protected override opened(connection: Connection, isFirst: boolean): void {
    if (isFirst) this.#viewers += 1;
    const now = Date.now();
    const isUnchanged = this.#viewers === this.log.settings.shown_viewers;
    if (isUnchanged) {
      this.#shownAt = now;
      this.send(connection, this.#encodedCount());
    }
    this.#tellRules(connection, now);
    this.#viewersChanged(now);
  }

  /** What holds back who has just come, if anything does; it may have begun long before. Not in the log, so without a seq. */
  #tellRules(connection: Connection, now: number): void {
    const streamId = this.#streamId;
    const { userId } = connection;
    const seconds = this.log.settings.slow_seconds;
    if (seconds > 0) this.send(connection, encodeFrame({ type: "chat_slow_mode", data: { streamId, seconds } }));
    const mutedUntil = this.log.mutedUntil(userId);
    if (mutedUntil <= now) return;
    const until = new Date(mutedUntil).toISOString();
    this.send(connection, encodeFrame({ type: "chat_muted", data: { streamId, userId, until } }));
  }

  protected override closed(_connection: Connection, isLast: boolean): void {
    if (isLast) this.#viewers -= 1;
    this.#viewersChanged(Date.now());
  }

  /** At once if it has been a while; otherwise the alarm does it, and the object may sleep until then. */
  #viewersChanged(now: number): void {
    const show = this.#nextShow();
    if (show !== null && show <= now) this.#showViewers(now);
    const tell = this.#nextTell();
    if (tell !== null && tell <= now) this.#tellViewers(now);
    this.timers.arm(now);
  }

  #encodedCount(): string {
    return encodeFrame({ type: "stream:viewer_count", data: { streamId: this.#streamId, count: this.#viewers } });
  }

  #nextShow(): number | null {
    return this.#viewers === this.log.settings.shown_viewers ? null : this.#shownAt + SHOW_EVERY_MS;
  }

  #showViewers(now: number): void {
    this.#shownAt = now;
    this.log.change("shown_viewers", this.#viewers);
    this.broadcast(this.#encodedCount());
  }

  #nextTell(): number | null {
    return this.#viewers === this.log.settings.told_viewers ? null : this.#toldAt + TELL_EVERY_MS;
  }

  #tellViewers(now: number): void {
    const count = this.#viewers;
    this.#toldAt = now;
    this.log.change("told_viewers", count);
    const told = noteRoomViewers(objectContext(this.ctx, this.env), this.#streamId, count);
    this.ctx.waitUntil(told.catch((error) => logFailure({ requestId: "" }, "stream.viewers", error)));
  }
}
