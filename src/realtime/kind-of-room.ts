/** What a kind of room brings, and what it may say: each hook has a default, and the parts of a room ask by `hooks`. */
import { DurableObject } from "cloudflare:workers";
import type { NumberedTable } from "../db/generation.ts";
import type { AppError } from "../errors.ts";
import { logFailure } from "../platform/log.ts";
import type { Commands } from "./commands.ts";
import type { Connection } from "./connection.ts";
import type { ConnectRequest } from "./connection-state.ts";
import type { ReplayLog } from "./log.ts";
import type { FrameId } from "./protocol.ts";
import type { RoomHooks } from "./room-hooks.ts";
import type { Authenticated, Revocation, RoomKind } from "./room-ref.ts";
import type { Timers } from "./timers.ts";

export abstract class KindOfRoom extends DurableObject<Env> {
  /** How this kind of object is called in logs and metrics. */
  protected abstract readonly kind: string;
  /** Where a user's hub finds this object; null for the hub itself. */
  protected abstract readonly roomKind: RoomKind | null;
  /** The table in which this object's name is the number of a row; null where it is an id that is never used again. */
  protected readonly numberedIn: NumberedTable | null = null;
  /** What `since` replays. */
  protected abstract readonly log: ReplayLog;
  protected abstract readonly commands: Commands;

  /** When the row of this object's number was made, as far as a connection tells. */
  protected bornAt(_request: ConnectRequest): number | undefined {
    return undefined;
  }

  /**
   * The database was restored: what is known of it is not so any more. `isSameRow` false: this object's number is now
   * another's, who must see nothing of what is here. Everybody is disconnected already. Nothing may be awaited.
   */
  protected startOver(_isSameRow: boolean): void {}

  /** @throws AppError to turn this member away before anything is sent */
  protected admit(_request: ConnectRequest): void | Promise<void> {}

  /** Where a client that may come in is held instead, as `Destination.followRedirect` understands it; null: here. */
  protected redirect(_request: ConnectRequest): string | null {
    return null;
  }

  /** Resolves when nobody who has been erased is named in what is replayed. Never throws. */
  protected async beforeReplay(): Promise<void> {}

  /** Where a connection that gives no `since` is replayed from; undefined: it is sent what is new. */
  protected queueStart(): number | undefined {
    return undefined;
  }

  /** What is known here to close this connection, although it was let in; a room asks its user's hub. */
  protected revocationOf(_by: Authenticated): Revocation | null {
    return null;
  }

  /** A connection has its position and its replay; `isFirst`: of this user. */
  protected opened(_connection: Connection, _isFirst: boolean): void {}

  /** A connection is gone, or lost or silent for long, and may be back; `isLast`: this user has no other. */
  protected closed(_connection: Connection, _isLast: boolean): void {}

  /** A connection is gone for good: it has closed, or was suspended and will not be back. */
  protected gone(_connection: Connection): void {}

  /** A connection's frame was refused, which it has been told; `id`: what the frame was called. */
  protected refused(_connection: Connection, _id: FrameId | undefined, _error: AppError): void {}

  /** Takes what the outbox has for this object: each id once, in order, and again if it throws. */
  protected delivered(_payload: unknown, _id: number): void | Promise<void> {}

  /** For the parts that the base is made of. */
  protected hooks(timers: Timers): RoomHooks {
    return {
      state: this.ctx,
      env: this.env,
      timers,
      kind: () => this.kind,
      roomKind: () => this.roomKind,
      numberedIn: () => this.numberedIn,
      log: () => this.log,
      commands: () => this.commands,
      queueStart: () => this.queueStart(),
      revocationOf: (by) => this.revocationOf(by),
      opened: (connection, isFirst) => this.opened(connection, isFirst),
      closed: (connection, isLast) => this.#guard("room.closed", () => this.closed(connection, isLast)),
      gone: (connection) => this.#guard("room.gone", () => this.gone(connection)),
      refused: (connection, id, error) => this.refused(connection, id, error),
      startOver: (isSameRow) => this.startOver(isSameRow),
    };
  }

  /** What is over is over, whatever a kind of room makes of it: others may be closing in the same event. */
  #guard(event: string, work: () => void): void {
    try {
      work();
    } catch (thrown) {
      logFailure({ requestId: "" }, event, thrown, { kind: this.kind, object: this.ctx.id.name });
    }
  }
}
