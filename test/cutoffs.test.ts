/** Cut-offs hit whom they mean: a ban, a logout and a password change, whatever is on its way when they come. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ChatRoom } from "../src/chat/room.ts";
import { UserHub } from "../src/hub/hub.ts";
import { GatewayQueues } from "../src/realtime/gateway-queues.ts";
import { Room } from "../src/realtime/room.ts";
import { post as admin, mintAdmin, run } from "./support/admin.ts";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { remoteRequest } from "./support/callers.ts";
import { Gate } from "./support/held.ts";
import { as, mintGroup, openCourse, openRoom } from "./support/rooms.ts";
import { openSocket } from "./support/socket.ts";
import { startSocketIo } from "./support/socketio.ts";

const hubOf = (user: TestUser) => env.USER_HUB.getByName(String(user.id));
/** As the hub has stored them: apart, while it keeps nothing else. */
const roomsOf = (user: TestUser) =>
  runInDurableObject(hubOf(user), (_, { storage: { sql } }) => {
    const tables = "SELECT name FROM sqlite_master WHERE name IN ('room_references', 'first_rooms')";
    return sql
      .exec(tables)
      .toArray()
      .flatMap(({ name }) => sql.exec(`SELECT * FROM ${name}`).toArray());
  });
const ban = async (user: TestUser) => {
  const by = await mintAdmin();
  expect((await admin(by, `/users/${user.id}/ban`, { reason: "spam" })).status).toBe(200);
  return by;
};
const login = async ({ username, password }: TestUser): Promise<{ token: string }> =>
  (await call("/auth/login", { method: "POST", body: { username, password } })).body;

async function bobInARoom() {
  const { roomId, people } = await mintGroup("ann", "bob");
  const [ann, bob] = people;
  return { roomId, ann, bob };
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("who came in after a cut-off", () => {
  it("keeps their sockets, though they signed in right after they changed their password", async () => {
    const { roomId, bob } = await bobInARoom();
    const courseId = `c-${crypto.randomUUID()}`;
    const teacher = await mintUser("teacher");
    await run("UPDATE users SET role = 'moderator' WHERE id = ?", teacher.id);
    const course = { courseId, name: "Sums", joinPolicy: "open" };
    expect((await as(teacher, "POST", "/chat/courses", course)).status).toBe(201);
    const old = await openRoom(bob, roomId);
    const other = await login(bob);
    const next = "another password";
    const changed = await call("/auth/password", {
      method: "POST",
      token: other.token,
      body: { current: bob.password, next },
    });
    expect(changed.status).toBe(200);
    expect((await old.nextClose()).code).toBe(4001);
    const again = { ...bob, ...(await login({ ...bob, password: next })) };
    const sockets = [await openRoom(again, roomId), await openCourse(again, courseId)];
    await vi.waitFor(async () => expect(await roomsOf(bob)).toHaveLength(2));
    for (const socket of sockets) await socket.expectNothing("none");
    expect(sockets.map(({ closed }) => closed)).toEqual([undefined, undefined]);
  });

  it("is not hit by a ban that a room hears of when it has been lifted", async () => {
    const { roomId, bob } = await bobInARoom();
    const before = await openRoom(bob, roomId);
    const revoke = Room.prototype.revoke;
    let failures = 0;
    vi.spyOn(Room.prototype, "revoke").mockImplementation(function (this: Room, revocation) {
      if (this instanceof ChatRoom && failures++ === 0) throw new Error("not now");
      revoke.call(this, revocation);
    });
    const by = await ban(bob);
    await vi.waitFor(() => expect(failures).toBe(1));
    expect((await admin(by, `/users/${bob.id}/unban`)).status).toBe(200);
    await vi.waitFor(async () =>
      expect(await run("SELECT 1 FROM outbox WHERE target = ?", `user:${bob.id}`)).toEqual([]),
    );
    const after = await openRoom(bob, roomId);
    // The hub's next try would be five seconds after the first.
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 10_000 });
    await runDurableObjectAlarm(hubOf(bob));
    for (const socket of [before, after]) await socket.expectNothing("none");
    expect([before.closed, after.closed, failures]).toEqual([undefined, undefined, 1]);
  });

  it("is not hit by a ban that a room hears of late, nor by one that was put aside and is tried again", async () => {
    const { roomId, bob } = await bobInARoom();
    const before = await openRoom(bob, roomId);
    const [row] = await run<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'");
    const revocation = { userId: bob.id, code: 4003, reason: "Account banned", asOf: (row?.seq ?? 0) + 1 };
    // Something is told meanwhile: whoever comes in now comes after the ban.
    for (let n = 0; n < 2; n += 1) {
      await run("INSERT INTO outbox (target, payload, created_at) VALUES ('user:0', '{}', ?)", Date.now());
    }
    const after = await openRoom(bob, roomId);
    await env.CHAT_ROOM.getByName(roomId).revoke(revocation);
    expect((await before.nextClose()).code).toBe(4003);
    const { userId: _userId, asOf, ...again } = revocation;
    await run(
      "INSERT INTO outbox_parked (id, target, payload, created_at, attempts, reason, parked_at) VALUES (?, ?, ?, 1, 5, '', 1)",
      asOf,
      `user:${bob.id}`,
      JSON.stringify({ revocation: again }),
    );
    const by = await mintAdmin();
    expect((await admin(by, `/outbox/parked/${asOf}/retry`)).status).toBe(200);
    await vi.waitFor(async () =>
      expect(await run("SELECT 1 FROM outbox WHERE target = ?", `user:${bob.id}`)).toEqual([]),
    );
    await after.expectNothing("none");
    expect(after.closed).toBeUndefined();
  });
});

describe("a ban reaches", () => {
  it("a room that its user came back to, though the hub hears late that they had left it", async () => {
    const { roomId, bob } = await bobInARoom();
    const gate = new Gate();
    const untrack = UserHub.prototype.untrackRoom;
    const untracked = vi.spyOn(UserHub.prototype, "untrackRoom").mockImplementation(async function (
      this: UserHub,
      ...args
    ) {
      await gate.pass();
      untrack.apply(this, args);
    });
    const first = await openRoom(bob, roomId);
    await vi.waitFor(async () => expect(await roomsOf(bob)).toHaveLength(1));
    first.close();
    await gate.reached();
    const tracked = vi.spyOn(UserHub.prototype, "trackRoom");
    const second = await openRoom(bob, roomId);
    await vi.waitFor(() => expect(tracked).toHaveResolved());
    gate.open();
    await vi.waitFor(() => expect(untracked).toHaveResolved());
    expect(await roomsOf(bob)).toHaveLength(1);
    await ban(bob);
    expect((await second.nextClose()).code).toBe(4003);
  });

  it("a hub's own socket that was let in before, and arrives after it; nothing is shown to it", async () => {
    const bob = await mintUser("bob");
    const gate = new Gate();
    const open = UserHub.prototype.fetch;
    vi.spyOn(UserHub.prototype, "fetch").mockImplementation(async function (this: UserHub, request) {
      await gate.pass();
      return open.call(this, request);
    });
    const opening = openSocket(`/ws?token=${bob.token}&since=0`);
    await gate.reached();
    await ban(bob);
    gate.open();
    const socket = await opening;
    expect((await socket.nextClose()).code).toBe(4003);
    expect(socket.frames).toEqual([]);
  });

  it("a Socket.IO client that was let in before, and arrives after it", async () => {
    const bob = await mintUser("bob");
    const gate = new Gate();
    const join = Room.prototype.remoteJoin;
    vi.spyOn(Room.prototype, "remoteJoin").mockImplementation(async function (this: Room, ...args) {
      await gate.pass();
      return join.apply(this, args);
    });
    const client = await startSocketIo({ token: bob.token });
    await gate.reached();
    await ban(bob);
    gate.open();
    expect(await client.end()).toBe("io server disconnect");
    expect(client.named("connected")).toEqual([]);
  });

  it("a room in which a Socket.IO client goes on with a token that was revoked meanwhile", async () => {
    const { roomId, bob } = await bobInARoom();
    const sessions = () => run<{ id: string }>("SELECT id FROM sessions WHERE user_id = ?", bob.id);
    const [own] = await sessions();
    const other = await login(bob);
    const others = (await sessions()).find(({ id }) => id !== own?.id);
    const room = env.CHAT_ROOM.getByName(roomId);
    const [{ facts } = { facts: "" }] = await run<{ facts: string }>(
      "SELECT facts FROM room_facts WHERE room_id = ?",
      roomId,
    );
    const context = { room: JSON.parse(facts), readSeq: 0 };
    const request = (sessionId = "") => remoteRequest(bob, context, { sessionId });
    // No gateway of this name holds it: nothing may be sent there.
    vi.spyOn(GatewayQueues.prototype, "push").mockImplementation(() => {});
    const at = { gateway: "weur:1", socketId: "s" };
    expect((await room.remoteJoin(request(own?.id), at)).ok).toBe(true);
    expect((await call("/auth/logout", { method: "POST", token: other.token })).status).toBe(200);
    await vi.waitFor(async () =>
      expect(await run("SELECT 1 FROM outbox WHERE target = ?", `user:${bob.id}`)).toEqual([]),
    );
    const here = () =>
      runInDurableObject(room, (_, { storage }) => storage.sql.exec("SELECT id FROM remote_members").toArray());
    expect(await here()).toHaveLength(1);
    expect((await room.remoteJoin(request(others?.id), at)).ok).toBe(true);
    await vi.waitFor(async () => expect(await here()).toEqual([]));
  });
});

it("the numbers of visits go on where they were after eviction", async () => {
  const { roomId, bob } = await bobInARoom();
  const visits = [];
  for (let n = 0; n < 3; n += 1) {
    const socket = await openRoom(bob, roomId);
    await vi.waitFor(async () => expect(await roomsOf(bob)).toHaveLength(1));
    visits.push(...(await roomsOf(bob)).map(({ visit }) => visit));
    socket.close();
    await vi.waitFor(async () => expect(await roomsOf(bob)).toEqual([]));
    if (n > 0) await evictDurableObject(env.CHAT_ROOM.getByName(roomId));
  }
  expect(visits).toEqual([1, 2, 1001]);
});
