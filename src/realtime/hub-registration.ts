/** Tells users' hubs which rooms they are in: a hub cuts its user off everywhere (src/hub). */
import { CLOSE } from "../errors.ts";
import { logFailure } from "../platform/log.ts";
import { callObject, hubName, objectCaller } from "../platform/objects.ts";
import type { Connection } from "./connection.ts";
import { Counter } from "./counter.ts";
import type { RoomHooks } from "./room-hooks.ts";
import type { RoomRef } from "./room-ref.ts";

type Close = (connection: Connection, code: number, reason: string) => void;

export class HubRegistration {
  readonly #room: RoomHooks;
  readonly #close: Close;
  /** Calls arrive in any order: of two, a hub takes the one with the higher number for the later one. */
  readonly #counter: Counter;
  /** User → the number of their visit. One that began before hibernation has none here, and a lower one. */
  readonly #visits = new Map<number, number>();
  /** User → their hub is being told that they are here. */
  readonly #telling = new Map<number, Promise<unknown>>();

  constructor(room: RoomHooks, close: Close) {
    this.#room = room;
    this.#close = close;
    this.#counter = new Counter(room.state.storage.sql, "visit_counter");
  }

  /** This room, as hubs know it; null for a hub itself. */
  get #here(): RoomRef | null {
    const kind = this.#room.roomKind();
    return kind && { kind, name: this.#room.state.id.name ?? "" };
  }

  /**
   * A connection has opened, or has a new token. If its hub cannot be told, the client has to come back; if the hub was told
   * to cut the user off since the database was asked, that holds here too.
   */
  opened(connection: Connection): void {
    const { userId } = connection;
    const here = this.#here;
    if (!here) return this.#closeRevoked(connection, this.#room.revocationOf(connection.state));
    const visit = this.#visits.get(userId) ?? this.#counter.next();
    this.#visits.set(userId, visit);
    const told = Promise.all([this.#telling.get(userId), this.#track(connection, here, visit)]);
    this.#telling.set(userId, told);
    const forget = () => this.#telling.get(userId) === told && this.#telling.delete(userId);
    this.#room.state.waitUntil(told.finally(forget));
  }

  /** Never throws. */
  async #track(connection: Connection, here: RoomRef, visit: number): Promise<void> {
    const { userId, sessionId, asOf, generation, userBornAt: born } = connection.state;
    const { env } = this.#room;
    try {
      const revocation = await callObject(objectCaller(env), env.USER_HUB, hubName(userId), (hub) =>
        hub.trackRoom(here, visit, { sessionId, asOf, generation, born }),
      );
      this.#closeRevoked(connection, revocation);
    } catch (error) {
      logFailure({ requestId: connection.id }, "socket.report", error);
      this.#close(connection, CLOSE.restart, "INTERNAL_ERROR");
    }
  }

  #closeRevoked(connection: Connection, revocation: { code: number; reason: string } | null): void {
    if (revocation) this.#close(connection, revocation.code, revocation.reason);
  }

  /** The user's last connection is gone. */
  left({ id: requestId, userId }: Connection): void {
    const here = this.#here;
    if (!here) return;
    const visit = this.#visits.get(userId) ?? this.#counter.next();
    this.#visits.delete(userId);
    const told = this.#untrack(userId, here, visit);
    this.#room.state.waitUntil(told.catch((error) => logFailure({ requestId }, "socket.leave", error)));
  }

  /** What the hub is being told goes first, or it would think that the user is here when they have left. */
  async #untrack(userId: number, here: RoomRef, visit: number): Promise<void> {
    const { env } = this.#room;
    await this.#telling.get(userId);
    await callObject(objectCaller(env), env.USER_HUB, hubName(userId), (hub) => hub.untrackRoom(here, visit));
  }
}
