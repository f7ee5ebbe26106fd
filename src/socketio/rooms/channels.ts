/**
 * How each kind of room is reached over Socket.IO. A feature declares its own channel; everything else is done in one place
 * (application.ts), so that a new kind of room needs no Socket.IO code.
 */
import { z } from "zod";
import type { UserCtx } from "../../context.ts";
import type { Destination } from "../../http/sockets.ts";
import type { CommandSchemas } from "../../realtime/commands.ts";
import type { RoomKind } from "../../realtime/room-ref.ts";

/** What names a room of this kind in an event. Numbers and text mean the same. */
type RoomName = {
  /** The fields of the event's data that may hold the name; the first that is there counts. */
  fields: string[];
  /** For events that name a message instead: which object (not: which name) it is in. Null: nothing that was ever an id. */
  objectOfMessage?: (messageId: string) => string | null;
};

export type Channel = {
  /** Kept in the state of sockets: never given to another channel. */
  id: string;
  kind: RoomKind;
  /** The room's commands (part of the feature's contract): the client's events, the same names. */
  commands: CommandSchemas;
  /** The events that enter a room and leave it. If the first is a command as well, it is given to the room after entering. */
  join: string;
  leave: string;
  /** Events that enter the room by themselves if the client has not: a page that came back and goes on talking. */
  alsoJoin?: string[];
  /** Whether joining says something about the client that the room forgets when it is lost, and has to be said again. */
  joinsAgain?: true;
  /** The event that tells of a failure if the client passed no callback. */
  failure: string;
  names: RoomName;
  /**
   * Asks the database whether this user may. `isBack`: they were there before, so that nothing is made or joined by it.
   * @throws AppError NOT_FOUND · FORBIDDEN
   */
  enter: (ctx: UserCtx, name: string, isBack: boolean) => Promise<Destination>;
};

const byId = new Map<string, Channel>();
const byEvent = new Map<string, Channel>();

/** Called once for each kind of room, by whoever puts the product together. */
export function registerChannel(channel: Channel): void {
  byId.set(channel.id, channel);
  for (const event of [...Object.keys(channel.commands), channel.join, channel.leave]) {
    const other = byEvent.get(event);
    if (other && other !== channel) throw new Error(`${event} belongs to ${other.id} and ${channel.id}`);
    byEvent.set(event, channel);
  }
}

export const channelCalled = (id: string): Channel | undefined => byId.get(id);

/** The channel that an event belongs to; undefined: it is for the user's own hub. */
export const channelOf = (event: string): Channel | undefined => byEvent.get(event);

const Name = z.union([z.string().min(1).max(200), z.number().int().transform(String)]);

/** What an event says about where it belongs. */
export type Target = { name: string } | { object: string } | null;

export function targetOf({ names }: Channel, data: Record<string, unknown>): Target {
  for (const field of names.fields) {
    const name = Name.safeParse(data[field]);
    if (name.success) return { name: name.data };
  }
  const object = typeof data.messageId === "string" ? names.objectOfMessage?.(data.messageId) : null;
  return object ? { object } : null;
}
