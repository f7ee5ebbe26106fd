import type { EngineSession } from "./engine-session.ts";
import type { EnginePacket } from "./packets.ts";
import type { Work } from "./work.ts";

/** Why a session ended. The names are those of Socket.IO's `disconnect` event on a server. */
export type CloseReason =
  | "transport close"
  | "transport error"
  | "ping timeout"
  | "parse error"
  | "forced server close";

/** What stands on top of Engine.IO: Socket.IO, or in the conformance server an echo. */
export interface EngineLayer {
  opened(session: EngineSession): void;
  /** The object woke up again: `record` is what `record()` last gave for this session. */
  restored(session: EngineSession, record: unknown): void;
  /** One message. A returned promise keeps the object awake; it does not hold up the next message. */
  received(session: EngineSession, data: EnginePacket): Work;
  closed(session: EngineSession, reason: CloseReason): Work;
  /** JSON of a few kilobytes that survives hibernation with the session. Asked for when `session.changed()` was called. */
  record(session: EngineSession): unknown;
  /** Once per ping interval, for what is due. */
  tick(now: number): void;
  /** When the object must next be woken even if no session is left; null: never. */
  wakesAt(now: number): number | null;
}

/** Takes what went wrong inside, and may not reach a client. */
export type Report = (error: unknown, during: string) => void;
