/** Tells users' hubs which rooms they are in: a hub cuts its user off everywhere (src/hub). */
import { CLOSE } from "../errors.ts";
import { logFailure } from "../platform/log.ts";
import { callObject, objectCaller } from "../platform/objects.ts";
import type { Connection } from "./connection.ts";
import type { RoomHooks } from "./room-hooks.ts";
import type { RoomRef } from "./room-ref.ts";

type Close = (connection: Connection, code: number, reason: string) => void;

export class HubRegistration {
  readonly #room: RoomHooks;
  readonly #close: Close;

  constructor(room: RoomHooks, close: Close) {
    this.#room = room;
    this.#close = close;
  }

  /** This room, as hubs know it; null for a hub itself. */
  get #here(): RoomRef | null {
    const kind = this.#room.roomKind();
    return kind && { kind, name: this.#room.state.id.name ?? "" };
  }

  /**
   * A connection has opened. If its hub cannot be told, the client has to come back; if the hub was told to cut the user off
   * since the database was asked, that holds here too.
   */
  opened(connection: Connection): void {
    const here = this.#here;
    if (here) this.#room.state.waitUntil(this.#track(connection, here));
  }

  async #track(connection: Connection, here: RoomRef): Promise<void> {
    const { userId, sessionId, authenticatedAt } = connection.state;
    const { env } = this.#room;
    try {
      const revocation = await callObject(objectCaller(env), env.USER_HUB, String(userId), (hub) =>
        hub.trackRoom(here, { sessionId, authenticatedAt }),
      );
      if (revocation) this.#close(connection, revocation.code, revocation.reason);
    } catch (error) {
      logFailure({ requestId: connection.id }, "socket.report", error);
      this.#close(connection, CLOSE.restart, "INTERNAL_ERROR");
    }
  }

  /** The user's last connection is gone. */
  left({ id: requestId, userId }: Connection): void {
    const here = this.#here;
    if (!here) return;
    const { env, state } = this.#room;
    const told = callObject(objectCaller(env), env.USER_HUB, String(userId), (hub) => hub.untrackRoom(here));
    state.waitUntil(told.catch((error) => logFailure({ requestId }, "socket.leave", error)));
  }
}
