/** A hub that only hears which rooms its user is in: it makes next to nothing, and none of the rooms is lost when it does. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { UserHub } from "../src/hub/hub.ts";
import { HUB_SCHEMA } from "../src/hub/schema.ts";
import { migrate } from "../src/realtime/migrations.ts";
import { run } from "./support/admin.ts";
import { mintUser, type TestUser } from "./support/api.ts";
import { mintStream } from "./support/media.ts";
import { openSocket } from "./support/socket.ts";

const by = { sessionId: "s", asOf: 0 };
const ROOMS = [
  { kind: "CHAT_ROOM", name: "first" },
  { kind: "STREAM_ROOM", name: "2" },
] as const;

async function hubInRooms() {
  const user: TestUser = await mintUser();
  const hub = env.USER_HUB.getByName(String(user.id));
  for (const [at, room] of ROOMS.entries()) expect(await hub.trackRoom(room, at + 1, by)).toBeNull();
  return { user, hub };
}

const tablesOf = (hub: DurableObjectStub) =>
  runInDurableObject(hub, (_, { storage }) =>
    storage.sql
      .exec("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' ORDER BY name")
      .toArray()
      .map(({ name }) => name),
  );

it("makes a table for the rooms, and none for what it does not keep", async () => {
  const { hub } = await hubInRooms();
  expect(await tablesOf(hub)).toEqual(["first_rooms", "schema_version"]);
  await evictDurableObject(hub);
  expect(await hub.whereabouts(9)).toEqual({ connections: 0, rooms: ROOMS });
  expect(await hub.isIn("STREAM_ROOM")).toBe(true);
  await hub.untrackRoom(ROOMS[1], 1);
  expect(await hub.isIn("STREAM_ROOM")).toBe(true);
  await hub.untrackRoom(ROOMS[1], 2);
  expect(await hub.isIn("STREAM_ROOM")).toBe(false);
  expect(await tablesOf(hub)).toHaveLength(2);
});

it("keeps the rooms when something else is kept, and after it", async () => {
  const { hub } = await hubInRooms();
  expect(await hub.deliver([{ id: 1_000_000_001, payload: { frames: [{ type: "test:event", data: {} }] } }])).toEqual(
    [],
  );
  expect(await tablesOf(hub)).not.toContain("first_rooms");
  expect(await hub.whereabouts(9)).toMatchObject({ rooms: ROOMS });
  await evictDurableObject(hub);
  await hub.trackRoom({ kind: "WEBRTC_ROOM", name: "third" }, 1, by);
  expect((await hub.whereabouts(9)).rooms).toHaveLength(3);
});

it("loses none of them to the release before, which makes all tables at once, and works on when it is back", async () => {
  const { hub } = await hubInRooms();
  await evictDurableObject(hub);
  const rooms = await runInDurableObject(hub, (_, { storage }) => {
    migrate(storage, HUB_SCHEMA);
    return storage.sql.exec("SELECT kind, name, visit FROM room_references ORDER BY visit").toArray();
  });
  expect(rooms).toEqual(ROOMS.map((room, at) => ({ ...room, visit: at + 1 })));
  await evictDurableObject(hub);
  expect(await hub.whereabouts(9)).toEqual({ connections: 0, rooms: ROOMS });
  expect((await hub.exportOf(0)).events).toEqual([]);
  expect(await hub.whereabouts(9)).toEqual({ connections: 0, rooms: ROOMS });
});

it("is told by the room for whom it was made, and asks the database for nothing", async () => {
  const ann = await mintUser();
  const { id } = await mintStream(ann);
  const tracked = vi.spyOn(UserHub.prototype, "trackRoom");
  const socket = await openSocket(`/streams/${id}/ws?token=${ann.token}`);
  await vi.waitFor(() => expect(tracked).toHaveResolved());
  const [user] = await run(
    "SELECT created_at AS born, generation FROM users, database_generation WHERE users.id = ?",
    ann.id,
  );
  const hub = env.USER_HUB.getByName(String(ann.id));
  await runInDurableObject(hub, (_, { storage }) =>
    expect(storage.sql.exec("SELECT born, generation FROM origin").toArray()).toEqual([user]),
  );
  expect(tracked.mock.calls).toMatchObject([
    [{ kind: "STREAM_ROOM", name: String(id) }, 1, { ...user, asOf: expect.any(Number) }],
  ]);
  expect(socket.closed).toBeUndefined();
});
