/** Joining or writing to a group or course that does not exist makes it (SPEC 14, "Made on first use"). */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { config } from "../src/config.ts";
import { ConfigError } from "../src/settings/config-error.ts";
import { mintUser, type TestUser } from "./support/api.ts";
import { spendAllBut } from "./support/call-budgets.ts";
import { at } from "./support/items.ts";
import { closeOf, count, dial, freshName, makeNamed } from "./support/places.ts";
import { PRODUCTION } from "./support/production.ts";
import { as, mintGroup, openCourse, openRoom, post, promote } from "./support/rooms.ts";
import { openSocket, type TestSocket } from "./support/socket.ts";
import { connectSocketIo } from "./support/socketio.ts";

const mintMany = (many: number) => Promise.all(Array.from({ length: many }, () => mintUser("many")));

async function mintModerator(): Promise<TestUser> {
  const mod = await mintUser("mod");
  await promote(env.DB, mod, "moderator");
  return mod;
}

describe("AUTO_CREATE", () => {
  const production = { ...env, ...PRODUCTION };

  it("is all in development and none in production, unless it is set; unknown words are an error", () => {
    expect(config({ ...env }).AUTO_CREATE).toEqual(["courses", "calls", "rooms"]);
    expect(config({ ...env, AUTO_CREATE: "" }).AUTO_CREATE).toEqual(["courses", "calls", "rooms"]);
    expect(config({ ...env, AUTO_CREATE: "none" }).AUTO_CREATE).toEqual([]);
    expect(config(production).AUTO_CREATE).toEqual([]);
    expect(config({ ...production, AUTO_CREATE: "calls, rooms" }).AUTO_CREATE).toEqual(["calls", "rooms"]);
    for (const bad of ["all", "rooms,none", "Rooms", "streams"]) {
      expect(() => config({ ...env, AUTO_CREATE: bad })).toThrow(ConfigError);
      expect(() => config({ ...env, AUTO_CREATE: bad })).toThrow(/Setting AUTO_CREATE must be none, or some of/);
    }
  });
});

describe("making on first use", () => {
  it("counts as a write: who has spent theirs makes and joins nothing, in whatever way, and still enters what is theirs", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const [mine, others] = [freshName(), freshName()];
    await openRoom(ann, mine);
    await openRoom(bob, others);
    await spendAllBut(2, ann, "writes");
    const path = freshName("course");
    await openCourse(ann, path);
    const names = [freshName(), freshName()];
    expect(await closeOf(dial(ann, others))).toBe(4029);
    const client = await connectSocketIo(ann);
    for (const [event, data] of [
      ["join_room", { roomId: names[0] }],
      ["chat:join_room", { courseId: names[0] }],
      ["webrtc:join_session", { sessionId: names[0] }],
    ] as const) {
      expect(await client.ask(event, data)).toMatchObject({ error: { code: "RATE_LIMIT" } });
    }
    const { code, reason } = await (await dial(ann, at(names, 1))).nextClose();
    expect([code, reason]).toEqual([4029, expect.stringMatching(/^RATE_LIMIT; Retry-After: \d+$/)]);
    const made = "chosen_id IN (?1, ?2)";
    expect(await count(`rooms WHERE ${made} OR course_id IN (?1, ?2)`, ...names)).toBe(0);
    expect(await count(`webrtc_sessions WHERE ${made}`, ...names)).toBe(0);
    await openRoom(ann, mine);
    await openCourse(ann, path);
  });
});

describe("a group", () => {
  it("is made by its first socket, open, owned by who came first, and takes in who comes", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const id = freshName();
    const first = await openRoom(ann, id);
    const room = await as(ann, "GET", `/rooms/${id}`);
    expect(room.body).toMatchObject({
      id,
      name: id,
      isGroup: true,
      joinPolicy: "open",
      ownerId: ann.id,
      memberCount: 1,
    });
    await first.ask("send_message", { content: "before you came" });
    const second = await openRoom(bob, id);
    await second.ask("send_message", { content: "hi" });
    expect((await first.next("user_joined")).data.userId).toBe(bob.id);
    expect((await first.collect("new_message", 2)).map(({ data }) => data.content)).toEqual(["before you came", "hi"]);
    // What was said before is read, as for who is invited.
    expect((await as(bob, "GET", "/rooms")).body.rooms).toMatchObject([{ id, unreadCount: 0 }]);
    expect((await as(bob, "PATCH", `/rooms/${id}`, { name: "Mine" })).status).toBe(403);
    expect((await as(bob, "DELETE", `/rooms/${id}`)).status).toBe(403);
  });

  it("is one, though 20 join for the first time at once, in every way there is", async () => {
    const people = await mintMany(20);
    const id = freshName();
    const ways: ((user: TestUser) => Promise<unknown>)[] = [
      (user) => openRoom(user, id),
      async (user) => expect((await post(user, id, "x")).status).toBe(201),
      async (user) =>
        expect(await (await connectSocketIo(user)).ask("join_room", { roomId: id })).toEqual({ success: true }),
      async (user) =>
        expect(await (await connectSocketIo(user)).ask("send_message", { roomId: id, content: "x" })).toMatchObject({
          success: true,
        }),
    ];
    await Promise.all(people.map((user, n) => at(ways, n % ways.length)(user)));
    expect(await count("rooms WHERE chosen_id = ?", id)).toBe(1);
    expect((await as(at(people, 0), "GET", `/rooms/${id}`)).body).toMatchObject({ memberCount: 20 });
    expect((await as(at(people, 0), "GET", `/rooms/${id}/messages`)).body.messages).toHaveLength(10);
  });

  it("is made neither by reading nor under what can be no id", async () => {
    const ann = await mintUser("ann");
    const id = freshName();
    for (const path of [`/rooms/${id}`, `/rooms/${id}/messages`, `/rooms/${id}/messages/search?q=x`]) {
      expect((await as(ann, "GET", path)).status).toBe(404);
    }
    expect((await as(ann, "POST", `/rooms/${id}/read`, { seq: 1 })).status).toBe(404);
    expect((await as(ann, "POST", `/rooms/${id}/members`, { userId: ann.id })).status).toBe(404);
    for (const bad of ["a b", "é", "<b>", "...", "x".repeat(65)]) {
      expect([bad, await closeOf(dial(ann, bad))]).toEqual([bad, 4004]);
    }
    const client = await connectSocketIo(ann);
    for (const bad of ["a/b", "..", "."]) {
      expect(await client.ask("join_room", { roomId: bad })).toMatchObject({ error: { code: "NOT_FOUND" } });
    }
    expect(await count("room_members WHERE user_id = ?", ann.id)).toBe(0);
    expect(await count("rooms WHERE chosen_id = ?", id)).toBe(0);
  });

  it("of members stays closed, whatever it is called, and so does another's UUID", async () => {
    const eve = await mintUser("eve");
    const { roomId, people } = await mintGroup("ann");
    const id = freshName();
    await makeNamed(at(people, 0), id);
    for (const name of [roomId, id]) {
      expect(await closeOf(dial(eve, name))).toBe(4003);
      expect((await post(eve, name, "x")).status).toBe(403);
    }
    expect(await count("rooms WHERE chosen_id = ?", roomId)).toBe(0);
  });

  it("is never made by itself again once it was deleted, whether it had a chosen id or none", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const id = freshName();
    await openRoom(ann, id);
    const { roomId } = await mintGroup("cid");
    const owner = await env.DB.prepare("SELECT owner_id AS id FROM rooms WHERE id = ?")
      .bind(roomId)
      .first<number>("id");
    await env.DB.prepare("DELETE FROM rooms WHERE id = ? AND owner_id = ?").bind(roomId, owner).run();
    expect((await as(ann, "DELETE", `/rooms/${id}`)).status).toBe(200);
    for (const gone of [id, roomId]) {
      expect(await closeOf(dial(bob, gone))).toBe(4004);
      expect((await post(bob, gone, "x")).status).toBe(404);
      const answer = await (await connectSocketIo(bob)).ask("join_room", { roomId: gone });
      expect(answer).toMatchObject({ error: { code: "NOT_FOUND" } });
    }
    // The last one out ends a room, too.
    const left = freshName();
    await openRoom(bob, left);
    await as(bob, "DELETE", `/rooms/${left}/members/${bob.id}`);
    expect(await closeOf(dial(bob, left))).toBe(4004);
    expect((await makeNamed(bob, left)).status).toBe(201);
  });

  it("is gone for all, when it is deleted while others join", async () => {
    const [ann, ...others] = await mintMany(11);
    if (!ann) throw new Error("Nobody");
    const id = freshName();
    await openRoom(ann, id);
    const [deleted, ...sockets] = await Promise.all([
      as(ann, "DELETE", `/rooms/${id}`),
      ...others.map((user) => dial(user, id)),
    ]);
    expect(deleted.status).toBe(200);
    for (const socket of sockets) expect((await socket.nextClose()).code).toBe(4004);
    expect(await count("rooms WHERE chosen_id = ?", id)).toBe(0);
    const ids = JSON.stringify(others.map((user) => user.id));
    expect(await count("room_members WHERE user_id IN (SELECT value FROM json_each(?))", ids)).toBe(0);
  });
});

describe("an open group", () => {
  it("is made so by POST, or becomes so by its owner, and sockets hear of it", async () => {
    const [ann, bob, cid] = [await mintUser("ann"), await mintUser("bob"), await mintUser("cid")];
    const id = freshName();
    expect((await makeNamed(ann, id, [], { joinPolicy: "open" })).body.joinPolicy).toBe("open");
    const socket = await openRoom(bob, id);
    expect((await as(bob, "PATCH", `/rooms/${id}`, { joinPolicy: "members" })).status).toBe(403);
    expect((await as(ann, "PATCH", `/rooms/${id}`, { joinPolicy: "everybody" })).status).toBe(400);
    expect((await as(ann, "PATCH", `/rooms/${id}`, { joinPolicy: "members" })).body.joinPolicy).toBe("members");
    expect((await socket.next("room_updated")).data).toMatchObject({ roomId: id, joinPolicy: "members" });
    expect(await closeOf(dial(cid, id))).toBe(4003);
    // Who is a member stays one.
    expect((await post(bob, id, "still here")).status).toBe(201);
    await as(ann, "PATCH", `/rooms/${id}`, { joinPolicy: "open" });
    await openRoom(cid, id);
    const mod = await mintModerator();
    await openRoom(mod, id);
    expect((await as(mod, "PATCH", `/rooms/${id}`, { joinPolicy: "members" })).status).toBe(403);
  });

  it("does not take in who was removed until they are invited, nor whom its owner blocked; who left may come back", async () => {
    const [ann, bob, eve] = [await mintUser("ann"), await mintUser("bob"), await mintUser("eve")];
    const id = freshName();
    await openRoom(ann, id);
    const socket = await openRoom(bob, id);
    expect((await as(ann, "DELETE", `/rooms/${id}/members/${bob.id}`)).status).toBe(200);
    expect((await socket.nextClose()).code).toBe(4003);
    expect(await closeOf(dial(bob, id))).toBe(4003);
    expect((await post(bob, id, "let me in")).status).toBe(403);
    const client = await connectSocketIo(bob);
    expect(await client.ask("join_room", { roomId: id })).toMatchObject({ error: { code: "FORBIDDEN" } });
    expect((await as(ann, "POST", `/rooms/${id}/members`, { userId: bob.id })).status).toBe(201);
    await openRoom(bob, id);
    expect((await as(bob, "DELETE", `/rooms/${id}/members/${bob.id}`)).status).toBe(200);
    await openRoom(bob, id);
    await as(ann, "POST", `/friends/${eve.id}/block`);
    expect(await closeOf(dial(eve, id))).toBe(4003);
    await as(ann, "DELETE", `/friends/${eve.id}/block`);
    await openRoom(eve, id);
  });
});

describe("the messenger's path", () => {
  it("names the token's own user, by id or username, before anything is made in their name", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const id = freshName();
    for (const other of [bob.id, bob.username, "nobody", `@${bob.username}`, `0${ann.id}`]) {
      expect(await closeOf(dial(ann, id, other))).toBe(4003);
    }
    expect(await count("rooms WHERE chosen_id = ?", id)).toBe(0);
    for (const own of [ann.id, ann.username, ann.username.toUpperCase(), `@${ann.username}`]) {
      await (await dial(ann, id, own)).next("online_users");
    }
  });
});

describe("a course", () => {
  const course = (courseId: string) => `/chat/courses/${encodeURIComponent(courseId)}`;

  it("is made by its first join or message, open and nobody's; reading makes none", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const courseId = `Maths / "${freshName()}" ü`;
    expect((await as(ann, "GET", `${course(courseId)}/messages`)).status).toBe(404);
    expect((await as(ann, "GET", `${course(courseId)}/statistics`)).status).toBe(404);
    expect((await as(ann, "POST", `${course(courseId)}/messages`, { message: "first" })).status).toBe(201);
    expect((await as(bob, "GET", course(courseId))).body).toMatchObject({
      courseId,
      joinPolicy: "open",
      ownerId: null,
    });
    const socket = await openCourse(bob, courseId);
    await socket.ask("chat:send_message", { message: "second" });
    const { messages } = (await as(bob, "GET", `${course(courseId)}/messages`)).body;
    expect(messages.map(({ message }: { message: string }) => message)).toEqual(["second", "first"]);
    // Being first gives no power.
    const firstMessage = messages[0].id;
    expect((await as(ann, "DELETE", `/chat/messages/${firstMessage}`)).status).toBe(403);
    expect((await as(ann, "POST", `${course(courseId)}/members/${bob.id}/mute`, {})).status).toBe(403);
  });

  it("is one, though 20 come at once, over native sockets, Socket.IO and REST", async () => {
    const people = await mintMany(20);
    const courseId = freshName("course");
    const ways: ((user: TestUser) => Promise<unknown>)[] = [
      (user) => openCourse(user, courseId),
      async (user) =>
        expect((await as(user, "POST", `${course(courseId)}/messages`, { message: "x" })).status).toBe(201),
      async (user) =>
        expect(await (await connectSocketIo(user)).ask("chat:join_room", { courseId })).toMatchObject({
          success: true,
        }),
    ];
    await Promise.all(people.map((user, n) => at(ways, n % ways.length)(user)));
    expect(await count("rooms WHERE course_id = ?", courseId)).toBe(1);
    expect((await as(at(people, 0), "GET", `${course(courseId)}/messages`)).body.messages).toHaveLength(7);
  });

  it("is adopted by a moderator's POST, once, whose word counts in the live room at once", async () => {
    const [mod, ann] = [await mintModerator(), await mintUser("ann")];
    const courseId = freshName("course");
    const socket = await openCourse(ann, courseId);
    const body = { courseId, name: "Adopted" };
    expect((await as(ann, "POST", "/chat/courses", body)).status).toBe(403);
    expect(await as(mod, "POST", "/chat/courses", body)).toMatchObject({
      status: 201,
      body: { courseId, name: "Adopted", ownerId: mod.id, joinPolicy: "open" },
    });
    expect((await as(mod, "POST", "/chat/courses", body)).status).toBe(409);
    expect((await socket.ask("chat:send_message", { message: "still here" })).type).toBe("ack");
  });

  it("that is adopted for members puts out who is none", async () => {
    const [mod, ann] = [await mintModerator(), await mintUser("ann")];
    const courseId = freshName("course");
    const socket: TestSocket = await openCourse(ann, courseId);
    const adopt = { courseId, name: "For members", joinPolicy: "members" };
    expect((await as(mod, "POST", "/chat/courses", adopt)).status).toBe(201);
    expect((await socket.nextClose()).code).toBe(1012);
    expect(await closeOf(openSocket(`${course(courseId)}/ws?token=${ann.token}`))).toBe(4003);
    expect((await as(ann, "POST", `${course(courseId)}/messages`, { message: "x" })).status).toBe(403);
  });
});
