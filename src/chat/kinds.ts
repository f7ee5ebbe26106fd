/** The kinds of chat there are: a feature declares its own, and the composition root registers it, so that the engine knows none. */
import type { CallContext } from "../db/call-context.ts";
import type { Commands } from "../realtime/commands.ts";
import type { Dialect, RoomDialect } from "./dialect.ts";
import type { RoomInfo } from "./info.ts";
import type { RoomMention } from "./mentions.ts";
import type { RoomActions } from "./room-actions.ts";

export type ChatKind<D extends Dialect, Actions> = {
  /** Frames that one client is replayed at most; who missed more is told to `resync`, and reads the history by pages. */
  replayFrames: number;
  /** `roomId`: the object's name, which message ids begin with. */
  dialect: (roomId: string, info: RoomInfo) => D;
  /** Binds the kind's frames to what the engine does. */
  commands: (actions: Actions) => Commands;
};

/** A kind of room: a chat with members. */
export type RoomChat = ChatKind<RoomDialect, RoomActions> & {
  /** Of a kind that its members' lists of rooms show: how those who are named are told. May be called again. */
  inbox?: { notifyMentioned: (ctx: CallContext, mention: RoomMention) => Promise<void> };
};

const rooms = new Map<RoomInfo["kind"], RoomChat>();

/** Called once per kind, by src/wiring.ts. */
export function registerRoom(kind: RoomInfo["kind"], how: RoomChat): void {
  rooms.set(kind, how);
}

export function roomChat(kind: RoomInfo["kind"]): RoomChat {
  const found = rooms.get(kind);
  if (!found) throw new Error(`No room of kind ${kind} is registered`);
  return found;
}
