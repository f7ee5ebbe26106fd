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
const byEvent = new Map<string, Channel[]>();

/** Events that several kinds of room know: what they name says which is meant. */
const SHARED_EVENTS: ReadonlySet<string> = new Set(["event"]);
/** Where an event of any kind of room may name its room, as what it arrives as does. */
const COMMON_FIELDS = ["roomId", "room_id"];

/** Called once for each kind of room, by whoever puts the product together. */
export function registerChannel(channel: Channel): void {
  byId.set(channel.id, channel);
  for (const event of [...Object.keys(channel.commands), channel.join, channel.leave]) {
    const others = (byEvent.get(event) ?? []).filter((other) => other !== channel);
    if (others[0] && !SHARED_EVENTS.has(event))
      throw new Error(`${event} belongs to ${others[0].id} and ${channel.id}`);
    byEvent.set(event, [...others, channel]);
  }
}

export const channelCalled = (id: string): Channel | undefined => byId.get(id);

/** A room that a client is in, as far as it tells what an event is for. */
type Inside = { channel: string; name: string };

/**
 * The channel that an event belongs to; undefined: it is for the user's own hub, or to be refused there. An event that
 * several kinds of room know is for the kind whose own field names a room; with the field that all have, for a room of that
 * name that the client is `inside` of; without a name, for the only room that the client is inside of.
 */
export function channelOf(
  event: string,
  data: Record<string, unknown> | null,
  inside: readonly Inside[],
): Channel | undefined {
  const all = byEvent.get(event) ?? [];
  if (all.length <= 1 || !data) return all[0];
  const common = named(COMMON_FIELDS, data);
  const rooms = inside.filter(({ name }) => common === null || name === common);
  const kinds = all.filter(({ id }) => rooms.some(({ channel }) => channel === id));
  const own = all.find(({ names }) => named(names.fields, data) !== null);
  if (own && (common === null || kinds.length === 0 || kinds.includes(own))) return own;
  return common === null && rooms.length > 1 ? undefined : kinds[0];
}

const Name = z.union([z.string().min(1).max(200), z.number().int().transform(String)]);

/** What an event says about where it belongs. */
export type Target = { name: string } | { object: string } | null;

/** What the first of these fields that is there names. */
function named(fields: readonly string[], data: Record<string, unknown>): string | null {
  for (const field of fields) {
    const name = Name.safeParse(data[field]);
    if (name.success) return name.data;
  }
  return null;
}

export function targetOf({ names }: Channel, event: string, data: Record<string, unknown>): Target {
  const name = named(names.fields, data) ?? (SHARED_EVENTS.has(event) ? named(COMMON_FIELDS, data) : null);
  if (name !== null) return { name };
  const object = typeof data.messageId === "string" ? names.objectOfMessage?.(data.messageId) : null;
  return object ? { object } : null;
}
