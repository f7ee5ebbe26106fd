/** Who takes part in a session: in memory, and in the store what must outlive it. */
import type { Connection } from "../../realtime/connection.ts";
import type { PresentConnections } from "../../realtime/connections.ts";
import { contextOf, keepState, type Member, ParticipantState } from "./participant.ts";
import type { Absence, AttendanceStore } from "./store.ts";

/** After a crash everybody reconnects at once, after a random wait (SPEC 2, 1012). */
const RESTART_GRACE_MS = 30_000;

export class Members {
  readonly #store: AttendanceStore;
  readonly #here: PresentConnections;
  readonly #byUser = new Map<number, Member>();

  /** `here`: everybody who has a connection to the room, joined or not. */
  constructor(store: AttendanceStore, here: PresentConnections) {
    this.#store = store;
    this.#here = here;
  }

  /**
   * After hibernation everybody's attachment is here. Who is in without one was connected when the object crashed, and is
   * taken for gone since it was last seen to be alive.
   * @returns whether it has crashed, so that a timer has to be set
   */
  restore(now: number): boolean {
    for (const connection of this.#here.values()) {
      const { userId, id: connectionId } = connection;
      const { participant: state } = contextOf(connection);
      if (state) this.#byUser.set(userId, { userId, state, connectionId, absence: null });
    }
    let hasCrashed = false;
    for (const { userId, state: stored, absence } of this.#store.present()) {
      if (this.#byUser.has(userId)) continue;
      const state = ParticipantState.parse(stored);
      const member: Member = { userId, state, connectionId: null, absence: absence ?? this.#crashed(state, now) };
      this.#byUser.set(userId, member);
      if (absence) continue;
      this.#store.suspend(userId, member.absence, state);
      hasCrashed = true;
    }
    return hasCrashed;
  }

  #crashed({ joinedAt }: ParticipantState, now: number): Absence {
    return { awayAt: Math.max(joinedAt, this.#store.aliveAt), leavesAt: now + RESTART_GRACE_MS };
  }

  get size(): number {
    return this.#byUser.size;
  }

  get(userId: number): Member | undefined {
    return this.#byUser.get(userId);
  }

  all(): Member[] {
    return [...this.#byUser.values()];
  }

  /** In the order of joining, which sleep would otherwise shuffle. */
  inOrder(): Member[] {
    return this.all().sort((a, b) => a.state.joinedAt - b.state.joinedAt || a.userId - b.userId);
  }

  /** The connections that take part, but for one user's. */
  connections(exceptUserId?: number): Connection[] {
    const members = this.all().filter(({ userId }) => userId !== exceptUserId);
    return members.flatMap((member) => this.connectionOf(member) ?? []);
  }

  connectionOf({ connectionId }: Member): Connection | undefined {
    return connectionId === null ? undefined : this.#here.get(connectionId);
  }

  /** Joins, comes back, or goes on in another window. */
  arrive(connection: Connection, state: ParticipantState, now: number): Member {
    const { userId, id: connectionId } = connection;
    const known = this.#byUser.get(userId);
    if (this.size === 0) this.#store.recordAlive(now);
    if (!known) this.#store.enter(userId, state.joinedAt, state);
    else if (known.absence) this.#store.resume(userId);
    else this.#forgetState(known);
    const member: Member = { userId, state, connectionId, absence: null };
    this.#byUser.set(userId, member);
    keepState(connection, state);
    return member;
  }

  /** Stays a member without a connection, for now. */
  suspend({ userId, state }: Member, absence: Absence): void {
    this.#store.suspend(userId, absence, state);
    this.#byUser.set(userId, { userId, state, connectionId: null, absence });
  }

  leave(member: Member, leftAt: number): void {
    this.#store.leave(member.userId, leftAt);
    this.#byUser.delete(member.userId);
    this.#forgetState(member);
  }

  /** Keeps what the others see of this member through hibernation. */
  keep(member: Member): void {
    const connection = this.connectionOf(member);
    if (connection) keepState(connection, member.state);
  }

  #forgetState(member: Member): void {
    const connection = this.connectionOf(member);
    if (connection) keepState(connection, null);
  }

  /** Everybody leaves, for ever. */
  end(endedAt: number): void {
    for (const member of this.all()) this.leave(member, Math.min(member.absence?.awayAt ?? endedAt, endedAt));
    this.#store.end(endedAt);
  }

  /** When the first absence is over, ms. */
  nextLeave(): number | null {
    const times = this.all().flatMap(({ absence }) => absence?.leavesAt ?? []);
    return times.length > 0 ? Math.min(...times) : null;
  }
}
