/** What the parts of a room ask of the room they belong to. */
import type { NumberedTable } from "../db/generation.ts";
import type { AppError } from "../errors.ts";
import type { Commands } from "./commands.ts";
import type { Connection } from "./connection.ts";
import type { EncodedFrame } from "./encoded-frame.ts";
import type { ReplayLog } from "./log.ts";
import type { FrameId } from "./protocol.ts";
import type { Authenticated, Revocation, RoomKind } from "./room-ref.ts";
import type { Timers } from "./timers.ts";

/** What the parts of a kind of room send by: as its own methods of these names. */
export type Senders = {
  broadcast(frame: EncodedFrame, except?: Connection): void;
  broadcastLogged(frame: EncodedFrame): void;
  send(connection: Connection, frame: EncodedFrame): void;
};

export type RoomHooks = {
  readonly state: DurableObjectState;
  readonly env: Env;
  readonly timers: Timers;
  /** A kind of room sets these after the base has made its parts: they are there from the first event on. */
  kind(): string;
  roomKind(): RoomKind | null;
  /** As Room.numberedIn. */
  numberedIn(): NumberedTable | null;
  log(): ReplayLog;
  commands(): Commands;
  /** As Room.queueStart. */
  queueStart(): number | undefined;
  revocationOf(by: Authenticated): Revocation | null;
  opened(connection: Connection, isFirst: boolean): void;
  closed(connection: Connection, isLast: boolean): void;
  /** As Room.gone. */
  gone(connection: Connection): void;
  refused(connection: Connection, id: FrameId | undefined, error: AppError): void;
  /** As Room.startOver. */
  startOver(isSameRow: boolean): void;
};
