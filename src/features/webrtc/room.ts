/** A video session's object: who takes part, what they show of themselves, and the signaling between them. */
import { objectContext } from "../../context.ts";
import { AppError, CLOSE } from "../../errors.ts";
import { bindCommands, type CommandContext } from "../../realtime/commands.ts";
import type { Connection } from "../../realtime/connection.ts";
import type { ConnectRequest } from "../../realtime/connection-state.ts";
import type { ReplayLog } from "../../realtime/log.ts";
import { encodeFrame } from "../../realtime/protocol.ts";
import { Room } from "../../realtime/room.ts";
import type { Revocation } from "../../realtime/room-ref.ts";
import { UserReferences } from "../../realtime/user-references.ts";
import { type AttendanceRecord, type JoinSession, WebrtcCommands } from "./contract.ts";
import { Members } from "./members.ts";
import { OwnEnd } from "./own-end.ts";
import { arrived, contextOf, type Member, type ParticipantState, SessionContext, shownTo } from "./participant.ts";
import { recordOwnEnd } from "./service.ts";
import { SessionDelivery } from "./session-delivery.ts";
import { Signaling } from "./signaling.ts";
import { AttendanceStore, type StoredRecord } from "./store.ts";

/** A page that is reloaded is back within this time, ms. */
const GRACE_MS = 6000;
/** One row written; how far off the end of an attendance record may be that a crash ended. */
const ALIVE_EVERY_MS = 60_000;

/** Nothing said here matters later: who comes back joins again and is told who is there. */
const NO_LOG: ReplayLog = { head: 0, epoch: "live", canResume: () => false, page: () => null };

const asSignaling = <K extends string>(types: K[]) =>
  Object.fromEntries(types.map((type) => [type, "signaling" as const])) as Record<K, "signaling">;

export class WebrtcRoom extends Room {
  protected override readonly kind = "webrtc";
  protected override readonly roomKind = "WEBRTC_ROOM";
  protected override readonly log = NO_LOG;
  readonly #store: AttendanceStore;
  readonly #members: Members;
  /** Who is, or was, in the session. */
  readonly #guests: UserReferences;
  readonly #ownEnd: OwnEnd;
  readonly #signaling: Signaling;

  protected override readonly commands = bindCommands(
    WebrtcCommands,
    {
      "webrtc:join_session": (by, input) => this.#join(by, input),
      "webrtc:leave_session": (by, { sessionId }) => this.#leaveBy(by, sessionId),
      "webrtc:offer": (by, { offer, ...to }) => this.#signaling.passOn(by, to, "webrtc:offer_received", { offer }),
      "webrtc:answer": (by, { answer, ...to }) => this.#signaling.passOn(by, to, "webrtc:answer_received", { answer }),
      "webrtc:ice_candidate": (by, { candidate, ...to }) =>
        this.#signaling.passOn(by, to, "webrtc:ice_candidate_received", { candidate }),
      "webrtc:toggle_audio": (by, { sessionId, enabled }) =>
        this.#signaling.setFlag(by, sessionId, "audioEnabled", enabled, "webrtc:user_audio_toggled", { enabled }),
      "webrtc:toggle_video": (by, { sessionId, enabled }) =>
        this.#signaling.setFlag(by, sessionId, "videoEnabled", enabled, "webrtc:user_video_toggled", { enabled }),
      "webrtc:screen_share_start": (by, { sessionId }) =>
        this.#signaling.setFlag(by, sessionId, "screenSharing", true, "webrtc:screen_share_started"),
      "webrtc:screen_share_stop": (by, { sessionId }) =>
        this.#signaling.setFlag(by, sessionId, "screenSharing", false, "webrtc:screen_share_stopped"),
      "webrtc:raise_hand": (by, { sessionId }) =>
        this.#signaling.setFlag(by, sessionId, "handRaised", true, "webrtc:hand_raised"),
      "webrtc:lower_hand": (by, { sessionId }) =>
        this.#signaling.setFlag(by, sessionId, "handRaised", false, "webrtc:hand_lowered"),
      event: (by, { sessionId, name, data }) => this.#signaling.emit(by, sessionId, { name, data }),
    },
    { ...asSignaling(Object.keys(WebrtcCommands) as (keyof typeof WebrtcCommands)[]), event: "messages" },
  );

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#store = new AttendanceStore(state.storage);
    this.timers.add({ due: () => this.#members.nextLeave(), ring: (now) => this.#endGraces(now) });
    this.timers.add({ due: () => this.#nextCheck(), ring: (now) => this.#store.recordAlive(now) });
    this.#members = new Members(this.#store, this.connections);
    this.#signaling = new Signaling({
      members: this.#members,
      sessionId: () => this.#sessionId,
      send: this.senders.send,
    });
    const now = Date.now();
    if (this.#members.restore(now)) this.timers.arm(now);
    this.#guests = new UserReferences({
      state,
      timers: this.timers,
      target: `webrtc:${this.#name}`,
      context: () => objectContext(this.ctx, this.env),
      anonymise: (userId) => this.#anonymise(userId),
    });
    this.#ownEnd = new OwnEnd({
      store: this.#store,
      timers: this.timers,
      isEmpty: () => this.#members.size === 0 && this.connections.userCount === 0,
      write: (endedAt) => recordOwnEnd(objectContext(this.ctx, this.env), this.#name, endedAt),
    });
  }

  protected override startOver(): void {
    this.#store.reopen();
    this.#guests.recordAgain(Date.now());
  }

  protected override admit({ userId, context }: ConnectRequest): void {
    const { publicId, asOf, endsByItself = false } = SessionContext.parse(context);
    if (publicId !== undefined) this.#store.learn(publicId, endsByItself);
    if (this.#store.endedAt === null) return this.#requireAllowed(userId, asOf);
    if (!endsByItself) throw new AppError("NOT_FOUND");
    // It ended while they were on the way: who comes back begins a new one.
    throw new AppError("UNAVAILABLE", "This call has just ended. Join again.", { retryAfterSeconds: 1 });
  }

  /** The Worker has asked the database; what has happened since, only the room knows. */
  #requireAllowed(userId: number, asOf: number): void {
    if (this.#store.isExpelled(userId, asOf)) throw new AppError("FORBIDDEN");
  }

  // ── Joining and leaving ───────────────────────────────────────────────────────────────────────────────────────────

  #join({ person, connection, now }: CommandContext, input: JoinSession) {
    this.#signaling.requireHere(input.sessionId);
    if (!connection) throw new AppError("FORBIDDEN", "Joining takes a socket.");
    const { userId } = person;
    const known = this.#members.get(userId);
    if (!known && this.#members.size >= contextOf(connection).maxParticipants) {
      throw new AppError("FORBIDDEN", "The session is full.");
    }
    if (known?.connectionId !== connection.id) {
      const label = { displayName: input.displayName ?? person.displayName ?? person.username, role: input.role };
      const before = known && this.#members.connectionOf(known);
      const member = this.#members.arrive(connection, { ...(known?.state ?? arrived(now)), ...label }, now);
      this.#guests.record(userId, now);
      this.timers.arm(now);
      if (before) this.#sayTakenOver(before);
      this.#announce(member, known?.state);
    }
    const participants = this.#members.inOrder().map((member) => shownTo(userId, member));
    this.#signaling.tell(connection, "webrtc:participants_list", { participants });
    return { sessionId: this.#sessionId, participants };
  }

  /** Who comes back within the grace was never seen to leave: there is nothing to tell but a new label. */
  #announce(member: Member, before: ParticipantState | undefined): void {
    const { displayName, role } = member.state;
    if (before?.displayName === displayName && before.role === role) return;
    for (const connection of this.#members.connections(member.userId)) {
      this.#signaling.tell(connection, "webrtc:user_joined", shownTo(connection.userId, member));
    }
  }

  #sayTakenOver(connection: Connection): void {
    const data = { code: "CONFLICT", message: "You have joined from another window." };
    this.send(connection, encodeFrame({ type: "webrtc:error", data }));
  }

  #leaveBy(by: CommandContext, sessionId: string | undefined): void {
    this.#signaling.requireHere(sessionId);
    const member = this.#members.get(by.person.userId);
    // A window that was taken over from has nothing to leave.
    if (member && (!by.connection || by.connection.id === member.connectionId)) this.#leave(member, by.now);
  }

  #leave(member: Member, leftAt: number): void {
    this.#members.leave(member, leftAt);
    this.#signaling.tellOthers(member, "webrtc:user_left");
    this.#ownEnd.check(Date.now());
  }

  /** The connection is gone, its user may be back soon. Who was silent for long before has had the grace already. */
  protected override closed(connection: Connection): void {
    const now = Date.now();
    const member = this.#members.get(connection.userId);
    if (member?.connectionId === connection.id) this.#lose(member, connection, now);
    this.#ownEnd.check(now);
  }

  #lose(member: Member, connection: Connection, now: number): void {
    const hasVanished = connection.hasVanished(now);
    const absence = {
      awayAt: hasVanished ? connection.lastShownAt : now,
      leavesAt: Math.min(now + GRACE_MS, connection.lastShownAt + connection.staleAfterMs),
    };
    this.#members.suspend(member, absence);
    this.timers.arm(now);
    if (absence.leavesAt <= now) this.#endGraces(now);
  }

  /** RPC: whose access is revoked has no grace. */
  override revoke(revocation: Revocation): void {
    const wasHere = this.#members.get(revocation.userId)?.absence === null;
    super.revoke(revocation);
    const member = this.#members.get(revocation.userId);
    if (wasHere && member?.absence) this.#leave(member, member.absence.awayAt);
  }

  protected override delivered(payload: unknown, id: number): void {
    const delivery = SessionDelivery.parse(payload);
    if ("endedAt" in delivery) this.#end(delivery.endedAt);
    else if ("expelled" in delivery) this.#expel(delivery.expelled, id);
    else this.#anonymise(delivery.userId);
  }

  /** The host has ended the session. Doing it again changes nothing. */
  #end(endedAt: number): void {
    if (this.#store.endedAt !== null) return;
    this.ctx.storage.transactionSync(() => this.#members.end(endedAt));
    const data = { code: "NOT_FOUND", message: "The session has ended." };
    this.broadcast(encodeFrame({ type: "webrtc:error", data }));
    for (const connection of [...this.connections.values()]) this.disconnect(connection, CLOSE.notFound, "NOT_FOUND");
  }

  /** Without a grace; but who was allowed in again after that stays. Doing it again changes nothing. */
  #expel(userId: number, asOf: number): void {
    this.#store.recordExpulsion(userId, asOf);
    this.#guests.record(userId, Date.now());
    for (const connection of this.connections.of(userId)) {
      if (contextOf(connection).asOf < asOf) this.disconnect(connection, CLOSE.forbidden, "FORBIDDEN");
    }
    const member = this.#members.get(userId);
    if (member?.absence) this.#leave(member, member.absence.awayAt);
  }

  /** This user was erased: gone, and nobody in the attendance. Doing it again changes nothing. */
  #anonymise(userId: number): void {
    this.revoke({ userId, code: CLOSE.forbidden, reason: "Account deleted" });
    const member = this.#members.get(userId);
    if (member) this.#leave(member, member.absence?.awayAt ?? Date.now());
    this.#store.anonymise(userId);
    this.#guests.forget(userId);
  }

  /** RPC: who was there. */
  async attendance(): Promise<AttendanceRecord[]> {
    await this.#guests.settle();
    await this.connections.verify();
    return this.#store.records(Date.now()).map(toRecord);
  }

  /** RPC: when this user was here. */
  async exportOf(userId: number): Promise<AttendanceRecord[]> {
    const records = this.#store.records(Date.now());
    return records.filter((record) => record.userId === userId).map(toRecord);
  }

  /** What the database and the outbox call the session. */
  get #name(): string {
    return this.ctx.id.name ?? "";
  }

  /** What clients call it. */
  get #sessionId(): string {
    return this.#store.publicId ?? this.#name;
  }

  // ── Timers ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #endGraces(now: number): void {
    for (const member of this.#members.all()) {
      if (member.absence && member.absence.leavesAt <= now) this.#leave(member, member.absence.awayAt);
    }
  }

  /** While somebody is here: when the first of them would have been silent for too long, and every minute. */
  #nextCheck(): number | null {
    const here = this.#members.connections();
    if (here.length === 0) return null;
    const staleAt = here.map((connection) => connection.lastShownAt + connection.staleAfterMs + 1);
    return Math.min(...staleAt, this.#store.aliveAt + ALIVE_EVERY_MS);
  }
}

const toRecord = ({ userId, joinedAt, leftAt, until }: StoredRecord): AttendanceRecord => ({
  userId,
  joinedAt: new Date(joinedAt).toISOString(),
  leftAt: leftAt === null ? null : new Date(leftAt).toISOString(),
  seconds: Math.floor((until - joinedAt) / 1000),
});
