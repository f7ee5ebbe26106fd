/** The room beside a stream: its chat, the news of its status, and how many watch. One object per stream. */
import { Chat } from "../../chat/chat.ts";
import type { ReadQuery } from "../../chat/history.ts";
import { objectContext } from "../../context.ts";
import type { Connection } from "../../realtime/connection.ts";
import { encodeFrame, type Frame } from "../../realtime/protocol.ts";
import { StreamActions, streamChat } from "./chat.ts";
import { ChatHistory } from "./chat-contract.ts";
import { type StreamDialect, viewersFrame } from "./dialect.ts";
import { firstInfo, StreamContext, StreamEffect } from "./info.ts";
import { STREAM_ROOM_SCHEMA } from "./schema.ts";
import { ViewerCount } from "./viewer-count.ts";
import { noteRoomViewers } from "./viewers.ts";

export class StreamRoom extends Chat<StreamDialect, StreamActions, StreamContext> {
  protected override readonly kind = "stream";
  protected override readonly roomKind = "STREAM_ROOM";
  protected override readonly numberedIn = "streams";
  protected override readonly context = StreamContext;
  protected override readonly actions: StreamActions;
  readonly #viewers: ViewerCount;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env, "stream", STREAM_ROOM_SCHEMA);
    this.actions = new StreamActions(
      this.conversation,
      this.moderation,
      Object.assign(this.chatHost, {
        streamId: this.#streamId,
        announce: (frame: Frame, now: number) => this.#announce(frame, now),
      }),
    );
    this.#viewers = new ViewerCount({
      sql: state.storage.sql,
      timers: this.timers,
      people: () => this.connections.userCount,
      show: (count) => this.broadcast(encodeFrame(viewersFrame(this.#streamId, count))),
      tell: (people) => noteRoomViewers(objectContext(this.ctx, this.env), this.#streamId, people),
      later: (work) => this.ctx.waitUntil(work),
    });
  }

  get #streamId(): number {
    return Number(this.roomId);
  }

  protected override kindOf() {
    return streamChat;
  }

  protected override introduce(context: StreamContext): void {
    this.learn(firstInfo(context));
  }

  protected override letIn(_userId: number, context: StreamContext): void {
    this.introduce(context);
  }

  /** RPC: the chat as it is now, newest first. */
  async read(context: StreamContext, query: ReadQuery): Promise<ChatHistory> {
    this.learn(firstInfo(context));
    const { messages, before } = await this.page(query);
    return ChatHistory.parse({ messages, nextCursor: before });
  }

  // ── News ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  protected override delivered(payload: unknown): void | Promise<void> {
    const effect = StreamEffect.parse(payload);
    if (effect.type === "stream:deleted") return this.end();
    if (effect.type === "anonymise") return this.anonymise(effect.userId);
    if (effect.type === "stream:players") return this.#viewers.setPlayers(effect.players, Date.now());
    this.#announce(effect, Date.now());
  }

  #announce(frame: Frame, now: number): void {
    this.broadcastLogged(encodeFrame(frame, this.entries.addNotice(frame, now)));
  }

  // ── Viewers ───────────────────────────────────────────────────────────────────────────────────────────────────────

  protected override opened(connection: Connection): void {
    const now = Date.now();
    const count = this.#viewers.greet(now);
    if (count !== null) this.tell(connection, viewersFrame(this.#streamId, count));
    this.#tellRules(connection, now);
    this.#viewers.changed(now);
  }

  /** What holds back who has just come, if anything does; it may have begun long before. Not in the log, so without a seq. */
  #tellRules(connection: Connection, now: number): void {
    const { userId } = connection;
    const { slowModeSeconds } = this.moderation.info;
    if (slowModeSeconds > 0) this.tell(connection, this.dialect.slowMode(slowModeSeconds));
    const until = this.moderation.mutedUntil(userId, now);
    if (until !== null) this.tell(connection, this.dialect.muted(userId, new Date(until).toISOString()));
  }

  protected override closed(): void {
    if (!this.moderation.isClosed) this.#viewers.changed(Date.now());
  }
}
