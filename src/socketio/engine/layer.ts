import type { MaybePromise } from "../../platform/promise.ts";
import type { EncodedPacket } from "../packets.ts";
import type { Handshake } from "./handshake.ts";
import type { Traffic } from "./traffic.ts";

/** Why a session ended. The names are those of Socket.IO's `disconnect` event on a server. */
export type CloseReason =
  | "transport close"
  | "transport error"
  | "ping timeout"
  | "parse error"
  | "forced server close";

/** What stands on top of Engine.IO: Socket.IO, or in the conformance server an echo. */
export interface EngineLayer {
  /** Before any session is restored: for what the layer keeps itself. */
  restore?(): Promise<void>;
  /** A new session, or, with what its receiver last gave as `record`, one that was here before the object slept. */
  receive(session: EngineSession, record?: ReceiverRecord): Receiver;
  /** Once per ping interval, for what is due. */
  tick?(now: number): void;
  /** When the object must next be woken even if no session is left, ms; null: never. */
  wakesAt?(now: number): number | null;
}

/** The layer's side of one session. */
export interface Receiver {
  /** One message. A returned promise keeps the object awake; it does not hold up the next message. */
  received(data: EncodedPacket): MaybePromise;
  closed(reason: CloseReason): MaybePromise;
  /** JSON of a few kilobytes that survives hibernation; asked for after `session.changed()`. */
  readonly lasting: unknown;
  /** The part of it that changes with what is sent; asked for after `session.touched()` as well. */
  readonly live: unknown;
}

export type ReceiverRecord = { lasting: unknown; live: unknown };

/** A session as its layer sees it. */
export interface EngineSession {
  readonly handshake: Handshake;
  readonly traffic: Traffic;
  send(packet: EncodedPacket): void;
  /** Ends the session; `code`: of its WebSocket. Packets sent before still reach a client that polls. */
  close(reason: CloseReason, code?: number): void;
  /** To be called when the layer knows who the client is: a stranger's session is worth no row and no alarm. */
  keep(): void;
  /** To be called when what the receiver gives as `lasting` has changed. */
  changed(): void;
  /** To be called when only what it gives as `live` has. */
  touched(): void;
  /** @throws RangeError if the session could not be kept with as much in it as there is now */
  assertFits(): void;
}

/** Takes what went wrong inside, and may not reach a client. */
export type Report = (error: unknown, during: string) => void;
