/** What the objects that somebody is in are called, for an admin who looks. */
import { sql } from "drizzle-orm";
import type { UserCtx } from "../../../context.ts";
import { inList } from "../../../db/json.ts";
import { rooms, streams, webrtcSessions } from "../../../db/tables.ts";
import type { RoomKind, RoomRef } from "../../../realtime/room-ref.ts";
import { streamOf } from "../../streams/service.ts";
import type { Place } from "./contract.ts";

/** One round trip; none for nobody. What is gone meanwhile keeps its own id. */
export async function namePlaces(ctx: UserCtx, refs: RoomRef[]): Promise<Place[]> {
  if (refs.length === 0) return [];
  const namesOf = (kind: RoomKind) => refs.filter((ref) => ref.kind === kind).map(({ name }) => name);
  const streamIds = [...namesOf("STREAM_ROOM"), ...namesOf("STREAM_AUDIENCE").map(streamOf)];
  const found = await ctx.db.batch({
    rooms: ctx.db
      .select()
      .from(rooms)
      .where(inList(rooms.id, namesOf("CHAT_ROOM"))),
    streams: ctx.db
      .select({ id: sql<string>`CAST(${streams.id} AS TEXT)`, title: streams.title })
      .from(streams)
      .where(inList(streams.id, streamIds.map(Number))),
    calls: ctx.db
      .select()
      .from(webrtcSessions)
      .where(inList(webrtcSessions.id, namesOf("WEBRTC_ROOM"))),
  });
  const chats = namesOf("CHAT_ROOM").map((id): Place => {
    const room = found.rooms.find((row) => row.id === id);
    return room?.courseId
      ? { kind: "course", id: room.courseId, name: room.name }
      : { kind: "room", id: room?.chosenId ?? id, name: room?.name ?? null };
  });
  const calls = namesOf("WEBRTC_ROOM").map((id): Place => {
    const call = found.calls.find((row) => row.id === id);
    return { kind: "call", id: call?.chosenId ?? id, name: call?.title ?? null };
  });
  const watched = [...new Set(streamIds)].map(
    (id): Place => ({ kind: "stream", id, name: found.streams.find((row) => row.id === id)?.title ?? null }),
  );
  const topics = namesOf("TOPIC_ROOM").map((id): Place => ({ kind: "topic", id, name: null }));
  return [...chats, ...watched, ...calls, ...topics];
}
