/** The room beside a stream: its chat, the news of its status, and how many watch. One object per stream. */
import { Chat } from "../../chat/chat.ts";
import type { ReadQuery } from "../../chat/history.ts";
import { config } from "../../config.ts";
import { objectContext } from "../../context.ts";
import { CLOSE } from "../../errors.ts";
import type { Outcome } from "../../realtime/commands.ts";
import type { Connection } from "../../realtime/connection.ts";
import type { ConnectRequest, Person } from "../../realtime/connection-state.ts";
import type { EncodedFrame } from "../../realtime/encoded-frame.ts";
import { encodeFrame, type Frame } from "../../realtime/protocol.ts";
import { Audiences } from "./audience/audiences.ts";
import type { Attendance, LogPart, Redirect, Subscription } from "./audience/relay.ts";
import { StreamActions, streamChat } from "./chat.ts";
import { ChatHistory } from "./chat-contract.ts";
import { type StreamDialect, viewersFrame } from "./dialect.ts";
import { firstInfo, StreamContext, StreamEffect } from "./info.ts";
import { STREAM_ROOM_SCHEMA } from "./schema.ts";
import { ViewerCount } from "./viewer-count.ts";
import { recordRoomViewers } from "./viewers.ts";

export class StreamRoom extends Chat<StreamDialect, StreamActions, StreamContext> {
  protected override readonly kind = "stream";
  protected override readonly roomKind = "STREAM_ROOM";
  protected override readonly numberedIn = "streams";
  protected override readonly context = StreamContext;
  protected override readonly actions: StreamActions;
  readonly #viewers: ViewerCount;
  readonly #audiences: Audiences;

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
    this.#audiences = new Audiences({
      state,
      env,
      timers: this.timers,
      streamId: () => this.#streamId,
      position: () => this.#position,
      most: () => this.#mostViewers,
      changed: () => this.#viewers.changed(Date.now()),
    });
    this.#viewers = new ViewerCount({
      sql: state.storage.sql,
      timers: this.timers,
      people: () => this.connections.userCount + this.#audiences.people,
      show: (count) => this.broadcast(encodeFrame(viewersFrame(this.#streamId, count))),
      tell: (people) => recordRoomViewers(objectContext(this.ctx, this.env), this.#streamId, people),
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

  // ── Audience objects ──────────────────────────────────────────────────────────────────────────────────────────────

  get #mostViewers(): number {
    return config(this.env).AUDIENCE_OBJECT_MAX;
  }

  get #position(): Subscription {
    return { epoch: this.log.epoch, head: this.log.head };
  }

  protected override redirect({ userId, context }: ConnectRequest): string | null {
    // Where one connection of a user is held, their others are, too: so they are counted as one viewer.
    const isHere = this.connections.allOf(userId).length > 0;
    const hasSpace = this.connections.heldSize < this.#mostViewers && this.#audiences.audienceOf(userId) === undefined;
    if (isHere || hasSpace) return null;
    const known = StreamContext.parse(context);
    const region = known.region ?? "weur";
    const greeting = this.#greetingOf(userId, Date.now()).map((frame) => encodeFrame(frame).text);
    return JSON.stringify({
      name: this.#audiences.assign(userId, region),
      region,
      facts: { ...known, greeting },
    } satisfies Redirect);
  }

  protected override broadcast(frame: EncodedFrame, except?: Connection): void {
    super.broadcast(frame, except);
    this.#audiences.relay(frame);
  }

  protected override broadcastLogged(frame: EncodedFrame): void {
    super.broadcastLogged(frame);
    if (frame.type === "chat_message_deleted") this.#audiences.forgetPast();
    this.#audiences.relay(frame);
  }

  protected override tellUser(userId: number, frame: EncodedFrame): void {
    super.tellUser(userId, frame);
    this.#audiences.relayTo(userId, frame);
  }

  protected override anonymise(userId: number): void {
    super.anonymise(userId);
    this.#audiences.forgetPast();
  }

  protected override startOver(isSameRow: boolean): void {
    super.startOver(isSameRow);
    this.#audiences.close(CLOSE.restart, "UNAVAILABLE");
  }

  protected override end(): Promise<void> {
    this.#audiences.close(CLOSE.notFound, "NOT_FOUND");
    return super.end();
  }

  /** Audience objects are told first: of a room that is no more, nobody would be told again. */
  protected override beforeEnd(): Promise<void> {
    return this.#audiences.allTold();
  }

  /** RPC: an audience object hears the room from now on. */
  subscribe(audience: string): Subscription {
    return this.#audiences.subscribe(audience);
  }

  /** RPC: how many an audience object holds. */
  attended(audience: string, attendance: Attendance): void {
    this.#audiences.attended(audience, attendance);
  }

  /** RPC: the log after `seq`, as it is replayed, in a part of some `bytes`; or where it stands, if that cannot be had. */
  async logAfter(seq: number, epoch: string, bytes: number): Promise<LogPart> {
    await this.references.settle();
    const page = this.log.canResume(seq, epoch) ? this.log.page(seq, bytes) : null;
    if (!page) return { frames: [], to: seq, gap: this.#position };
    return { frames: page.frames.map(({ text, seq: at }) => ({ text, seq: at })), to: page.to, gap: null };
  }

  /** RPC: a command of somebody in an audience object, which has heard what came of it before this is answered. */
  async executeInAudience(
    audience: string,
    person: Person,
    context: StreamContext,
    type: string,
    data: unknown,
    requestId?: string,
  ): Promise<Outcome> {
    const outcome = await this.executeFor(person, context, type, data, requestId);
    await this.#audiences.drained(audience);
    return outcome;
  }

  // ── Viewers ───────────────────────────────────────────────────────────────────────────────────────────────────────

  protected override opened(connection: Connection): void {
    const now = Date.now();
    for (const frame of this.#greetingOf(connection.userId, now)) this.tell(connection, frame);
    this.#viewers.changed(now);
  }

  /**
   * How many watch, unless all are about to be told; and what holds back who has just come, if anything does: it may have
   * begun long before. Not in the log, so without a seq.
   */
  #greetingOf(userId: number, now: number): Frame[] {
    const count = this.#viewers.greet(now);
    const { slowModeSeconds } = this.moderation.info;
    const until = this.moderation.mutedUntil(userId, now);
    return [
      ...(count === null ? [] : [viewersFrame(this.#streamId, count)]),
      ...(slowModeSeconds > 0 ? [this.dialect.slowMode(slowModeSeconds)] : []),
      ...(until === null ? [] : [this.dialect.muted(userId, new Date(until).toISOString())]),
    ];
  }

  protected override closed(): void {
    if (!this.moderation.isClosed) this.#viewers.changed(Date.now());
  }
}
