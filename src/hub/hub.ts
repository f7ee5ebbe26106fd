/**
 * A user's object: their event log, all their connections to it, and the list of rooms they are in. The one place to push
 * to, and to cut off.
 */
import type { CallBudget } from "../auth/call-budgets.ts";
import type { Counted } from "../auth/call-meter.ts";
import { actingAs, objectContext, type UserCtx } from "../context.ts";
import type { Delivery } from "../db/outbox.ts";
import type { FailedDelivery } from "../db/outbox-parked.ts";
import { AppError, CLOSE } from "../errors.ts";
import type { CommandContext, Commands } from "../realtime/commands.ts";
import type { Connection } from "../realtime/connection.ts";
import type { ConnectRequest } from "../realtime/connection-state.ts";
import type { FrameLog } from "../realtime/log.ts";
import { migrate, versionOf } from "../realtime/migrations.ts";
import type { Stamp } from "../realtime/origin.ts";
import { peopleIn } from "../realtime/people.ts";
import { ERASED_FRAME, encodeFrame, type Frame } from "../realtime/protocol.ts";
import { Room } from "../realtime/room.ts";
import type { Authenticated, Revocation, RoomKind, RoomRef } from "../realtime/room-ref.ts";
import { HubDelivery } from "./delivery.ts";
import { exportPage, type HubExport } from "./export.ts";
import { hubFeatures } from "./features.ts";
import type { Notice } from "./pending-notices.ts";
import type { PushItem } from "./pushes.ts";
import { Revocations } from "./revocations.ts";
import { DROP_FIRST_ROOMS, RoomReferences } from "./room-references.ts";
import { HUB_SCHEMA } from "./schema.ts";
import { HubState } from "./state.ts";
import type { TopicFrame } from "./topics.ts";

/** What of a send's own deliveries must come again, and what is left of its sender's budget. */
export type Sent = Counted & { failed: FailedDelivery[] };

type Shown = { at: number; deliveryId: number; about: (number | null)[]; namesNobody: boolean | undefined };

export class UserHub extends Room {
  protected override readonly kind = "user";
  protected override readonly roomKind = null;
  protected override readonly numberedIn = "users";
  readonly #rooms: RoomReferences;
  #commands: Commands | undefined;
  #openState: HubState | undefined;
  /** Whether anything but rooms was ever kept: then there may be something due. */
  #hasState: boolean;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    const { storage } = state;
    const version = versionOf(storage.sql);
    this.#hasState = version !== undefined;
    if (this.#hasState) migrate(storage, HUB_SCHEMA, version);
    this.#rooms = new RoomReferences(storage.sql, () => this.#hasState);
    this.timers.addLater(() => void (this.#hasState && this.#state));
  }

  get #state(): HubState {
    this.#openState ??= this.#open();
    return this.#openState;
  }

  #open(): HubState {
    const { storage } = this.ctx;
    if (!this.#hasState) {
      migrate(storage, HUB_SCHEMA);
      storage.sql.exec(DROP_FIRST_ROOMS);
      this.#hasState = true;
    }
    return new HubState({
      state: this.ctx,
      env: this.env,
      timers: this.timers,
      connections: this.connections,
      context: () => objectContext(this.ctx, this.env),
      userId: () => this.#userId,
      send: this.senders.send,
      anonymise: (userId) => this.#anonymise(userId),
    });
  }

  protected override get log(): FrameLog {
    return this.#state.log;
  }

  protected override get commands(): Commands {
    this.#commands ??= hubFeatures().commands((by) => this.#as(by), this.#state.topics);
    return this.#commands;
  }

  /** The user of a connection, as a service wants them. */
  #as({ person, connection }: CommandContext): UserCtx {
    return actingAs(objectContext(this.ctx, this.env), {
      kind: "user",
      id: person.userId,
      username: person.username,
      displayName: person.displayName,
      avatarUrl: person.avatarUrl,
      role: person.role,
      sessionId: connection?.state.sessionId ?? "",
      expiresAt: connection?.state.expiresAt ?? 0,
      asOf: connection?.state.asOf ?? 0,
      generation: connection?.state.generation ?? "",
      bornAt: connection?.state.userBornAt ?? 0,
    });
  }

  protected override bornAt({ userBornAt }: ConnectRequest): number | undefined {
    return userBornAt;
  }

  /**
   * What the log tells of is not so any more, or is somebody else's: a new epoch has every client refetch. Wherever the user
   * is, they come back and are asked who they are.
   */
  protected override startOver(): void {
    this.log.clear();
    this.#state.references.clear();
    this.#state.revocations.clear();
    this.#state.notices.clear();
    this.#state.pushes.startOver();
    this.#state.notices.add({ revocation: { userId: this.#userId, code: CLOSE.restart, reason: "UNAVAILABLE" } });
  }

  /** The Worker asked the database before; what was revoked since then, the hub knows. */
  protected override async admit(request: ConnectRequest): Promise<void> {
    if (request.since !== undefined) await this.beforeReplay();
    const revocation = this.revocationOf(request);
    if (revocation) throw new AppError(revocation.code === CLOSE.unauthorized ? "UNAUTHORIZED" : "FORBIDDEN");
  }

  protected override beforeReplay(): Promise<void> {
    return this.#state.references.settle();
  }

  protected override revocationOf(by: Authenticated): Revocation | null {
    return this.#hasState ? new Revocations(this.ctx.storage.sql).against(by) : null;
  }

  protected override opened(_connection: Connection, isFirst: boolean): void {
    if (!isFirst) return;
    this.#state.pushes.clear();
    this.#state.presence.changed(Date.now());
  }

  protected override closed(connection: Connection, isLast: boolean): void {
    if (!isLast) return;
    this.#state.awayPushes.closed(connection, Date.now());
    this.#state.presence.changed(Date.now());
  }

  protected override gone(connection: Connection): void {
    this.#state.topics.gone(connection);
    this.#state.awayPushes.gone(connection, Date.now());
    if (this.connections.userCount === 0) this.#state.queue.begin(connection);
  }

  protected override queueStart(): number | undefined {
    return this.#state.queue.startBeside(this.connections.allOf(this.#userId), Date.now());
  }

  get #userId(): number {
    return Number(this.ctx.id.name);
  }

  /** Nothing is awaited, but at the very end: what other objects must be told is noted first, and done afterwards. */
  protected override delivered(payload: unknown, id: number): void | Promise<void> {
    const delivery = HubDelivery.parse(payload);
    if ("type" in delivery) return this.#anonymise(delivery.userId);
    const { frames, about, namesNobody, person, isReinstated, revocation, isErased, hasPush, asOf = id } = delivery;
    const now = Date.now();
    for (const frame of frames) this.#show(frame, { at: now, deliveryId: id, about, namesNobody });
    if (hasPush) this.#state.pushes.switchOn();
    if (person) this.#spread({ person: { ...person, userId: this.#userId } });
    if (isReinstated) this.#reinstate();
    if (revocation) this.#revokeEverywhere({ ...revocation, userId: this.#userId, asOf }, now);
    return isErased ? this.#erase() : undefined;
  }

  /** Logs and sends a frame; `about`: whose words are in it, besides those whom it names. */
  #show(frame: Frame, { about, namesNobody, ...origin }: Shown): void {
    const named = namesNobody ? [] : peopleIn(frame.data);
    const others = new Set([...named, ...about].filter((id) => id !== null));
    others.delete(this.#userId);
    const people = [...others];
    for (const userId of people) this.#state.references.record(userId, origin.at);
    this.broadcastLogged(this.log.append(frame, { ...origin, people }));
    this.#state.awayPushes.noteFrame(frame, origin.at);
  }

  /** Somebody whom the log names was erased: their frames are no more. Doing it again changes nothing. */
  #anonymise(userId: number): void {
    this.log.replaceAbout(userId, ERASED_FRAME);
    this.#state.references.forget(userId);
  }

  /** The user themself was erased. What is left is the order to close their connections, until all rooms have heard it. */
  async #erase(): Promise<void> {
    this.log.clear();
    this.#state.pushes.clear();
    await this.#state.references.withdraw();
  }

  /** RPC: shows a frame to whoever is connected; it is not logged. */
  push(frame: Frame): void {
    this.broadcast(encodeFrame(frame));
  }

  /** RPC: what was published under a topic; null: something was lost on the way. Answers whether anybody here hears it. */
  hearTopic(topic: string, frames: TopicFrame[] | null): boolean {
    return this.#state.topics.hear(topic, frames);
  }

  /** RPC: wakes the user's browsers, if they are away; nothing is logged. */
  nudge(item: PushItem): void {
    // Where nothing was ever kept, no browser is registered.
    if (this.#hasState) this.#state.awayPushes.noteItem(item, Date.now());
  }

  /** RPC: whether a connection is alive. */
  async isOnline(): Promise<boolean> {
    await this.connections.verify();
    return this.connections.userCount > 0;
  }

  /** RPC: what is kept here of the user, a bounded piece of it after a position in the log. */
  async exportOf(after: number): Promise<HubExport> {
    await this.beforeReplay();
    return exportPage(this.log, this.#state.topics.heard, after);
  }

  /** RPC: counts calls that the user has made over REST, from `address`. */
  countCalls(budget: CallBudget | "messages", count: number, address: string): Counted {
    return this.charge(this.#userId, budget, count, address);
  }

  /** RPC: takes what the user's own send has told, and counts what they have sent over REST. */
  async deliverSent(deliveries: Delivery[], sent: { count: number; address: string }): Promise<Sent> {
    const failed = await this.deliver(deliveries);
    return { failed, ...this.countCalls("messages", sent.count, sent.address) };
  }

  /**
   * RPC: the user has come into a room; `visit`: the room's number of their visit. Answers the revocation that this
   * connection slipped past, if there is one: it was authenticated before, and the room was not known here yet.
   */
  async trackRoom(room: RoomRef, visit: number, by: Authenticated & Stamp): Promise<Revocation | null> {
    await this.meet(by);
    this.#rooms.track(room, visit);
    return this.revocationOf(by);
  }

  /** RPC: the user's last connection of this visit to a room is gone. Of a later visit, that says nothing. */
  untrackRoom(room: RoomRef, visit: number): void {
    this.#rooms.untrack(room, visit);
  }

  /** RPC: whether the user is in a room of this kind. */
  isIn(kind: RoomKind): boolean {
    return this.#rooms.has(kind);
  }

  /** RPC: how many connections of the user's own are alive, and which rooms they are in, the first `most`. */
  async whereabouts(most: number): Promise<{ connections: number; rooms: RoomRef[] }> {
    await this.connections.verify();
    return { connections: this.connections.allOf(this.#userId).length, rooms: this.#rooms.list(most) };
  }

  /** Closes the user's connections here and in every room they are in. */
  #revokeEverywhere(revocation: Revocation & { asOf: number }, now: number): void {
    this.#state.revocations.add(revocation, now);
    this.#spread({ revocation });
  }

  #reinstate(): void {
    this.#state.revocations.liftBans();
    this.#state.notices.withdrawBans();
  }

  /** Does it here, and notes it for every room the user is in: a room that cannot be reached now is told later. */
  #spread(notice: Notice): void {
    if (notice.person) this.updatePerson(notice.person);
    this.#state.notices.add(notice);
    if (notice.revocation) this.revoke(notice.revocation);
  }
}
