import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { personOf } from "./support/callers.ts";
import { openCourse, promote } from "./support/rooms.ts";
import { openSocket } from "./support/socket.ts";

const as = (user: TestUser | undefined, method: string, path: string, body?: unknown) =>
  call(path, { method, token: user?.token, ...(body === undefined ? {} : { body }) });

let made = 0;

/** A course that a moderator made, and two people who are not moderators. */
async function course(joinPolicy: "open" | "members" = "open") {
  made += 1;
  const courseId = `Maths 10${made} / "A" ü`;
  const [mod, ann, bob] = [await mintUser("mod"), await mintUser("ann"), await mintUser("bob")];
  await promote(env.DB, mod, "moderator");
  const answer = await as(mod, "POST", "/chat/courses", { courseId, name: "Maths", joinPolicy });
  expect(answer.status).toBe(201);
  return { courseId, path: `/chat/courses/${encodeURIComponent(courseId)}`, mod, ann, bob };
}
const say = (user: TestUser | undefined, path: string, message: unknown, more: object = {}) =>
  as(user, "POST", `${path}/messages`, { message, ...more });
const roomIdOf = (courseId: string) =>
  env.DB.prepare("SELECT id FROM rooms WHERE course_id = ?").bind(courseId).first<string>("id");

describe("a course", () => {
  it("is made by moderators, once", async () => {
    const { courseId, mod, ann, path } = await course();
    const body = { courseId, name: "Again" };
    expect((await as(mod, "POST", "/chat/courses", body)).status).toBe(409);
    expect((await as(ann, "POST", "/chat/courses", { ...body, courseId: "x" })).status).toBe(403);
    expect((await as(undefined, "POST", "/chat/courses", body)).status).toBe(401);
    for (const bad of [{}, { courseId: "x" }, { courseId: "", name: "x" }, { ...body, joinPolicy: "all" }]) {
      expect((await as(mod, "POST", "/chat/courses", bad)).status).toBe(400);
    }
    expect((await as(ann, "GET", path)).body).toMatchObject({ courseId, name: "Maths", joinPolicy: "open" });
    const snake = await as(mod, "POST", "/chat/courses", { course_id: `${courseId} II`, name: "More" });
    expect(snake).toMatchObject({ status: 201, body: { courseId: `${courseId} II` } });
    expect((await as(ann, "GET", "/chat/courses")).body.courses).toContainEqual(expect.objectContaining({ courseId }));
    expect((await as(ann, "GET", "/rooms")).body.rooms).toEqual([]);
  });

  it("of members lets in those who were added, and moderators; a removed member's socket closes with 4003", async () => {
    const { path, courseId, mod, ann, bob } = await course("members");
    expect((await say(ann, path, "hi")).status).toBe(403);
    expect((await as(ann, "GET", `${path}/statistics`)).status).toBe(403);
    expect((await (await openSocket(`${path}/ws?token=${ann.token}`)).nextClose()).code).toBe(4003);
    expect(
      (await as(ann, "GET", "/chat/courses")).body.courses.map((it: { courseId: string }) => it.courseId),
    ).not.toContain(courseId);
    expect((await as(ann, "POST", `${path}/members`, { userId: ann.id })).status).toBe(403);
    expect((await as(mod, "POST", `${path}/members`, { userId: ann.id })).status).toBe(201);
    expect((await as(mod, "POST", `${path}/members`, { userId: ann.id })).status).toBe(200);
    expect((await as(mod, "POST", `${path}/members`, { userId: 999_999 })).status).toBe(404);
    expect((await as(mod, "POST", `${path}/members`, {})).status).toBe(400);
    expect((await as(mod, "POST", "/chat/courses/nope/members", { userId: ann.id })).status).toBe(404);
    expect((await say(ann, path, "hi")).status).toBe(201);
    expect((await say(mod, path, "welcome")).status).toBe(201);
    const socket = await openCourse(ann, courseId);
    expect((await as(mod, "DELETE", `${path}/members/${bob.id}`)).status).toBe(404);
    expect((await as(mod, "DELETE", `${path}/members/${ann.id}`)).status).toBe(200);
    expect((await socket.nextClose()).code).toBe(4003);
    expect((await say(ann, path, "hi")).status).toBe(403);
  });

  it("its WebRTC sessions are for those who may join it", async () => {
    const { courseId, path, mod, ann, bob } = await course("members");
    await as(mod, "POST", `${path}/members`, { userId: ann.id });
    expect((await as(bob, "POST", "/webrtc/sessions", { courseId })).status).toBe(403);
    const session = await as(ann, "POST", "/webrtc/sessions", { courseId });
    expect(session.status).toBe(201);
    expect((await as(bob, "GET", `/webrtc/sessions/${session.body.id}`)).status).toBe(403);
    expect((await as(mod, "GET", `/webrtc/sessions/${session.body.id}`)).status).toBe(200);
  });

  it("closes the socket with 4004 when there is no such course, 4001 without a token", async () => {
    const { path, ann } = await course();
    expect((await (await openSocket(`/chat/courses/nope/ws?token=${ann.token}`)).nextClose()).code).toBe(4004);
    expect((await (await openSocket(`${path}/ws`)).nextClose()).code).toBe(4001);
  });
});

describe("chat over REST", () => {
  it("takes the contract's snake_case and answers its camelCase; the live room hears of it", async () => {
    const { courseId, path, ann, bob } = await course();
    const socket = await openCourse(bob, courseId);
    const first = await say(ann, path, "see <3 this");
    expect(first.status).toBe(201);
    expect(Object.keys(first.body)).toEqual(
      "id courseId seq userId userName avatarUrl message messageType fileUrl replyTo createdAt".split(" "),
    );
    const more = { message_type: "file", reply_to: first.body.id, file_url: "https://example.com/a.pdf" };
    const second = await say(bob, path, "mine", more);
    expect(second.body).toMatchObject({
      courseId,
      seq: 2,
      userId: bob.id,
      userName: bob.username,
      messageType: "file",
      replyTo: first.body.id,
      fileUrl: "https://example.com/a.pdf",
    });
    expect(await socket.next("chat:new_message")).toEqual({ type: "chat:new_message", seq: 1, data: first.body });
    expect((await socket.next("chat:new_message")).data).toEqual(second.body);
    const { messages } = (await as(bob, "GET", `${path}/messages`)).body;
    expect(messages.map(({ message }: { message: string }) => message)).toEqual(["mine", "see <3 this"]);
  });

  it("a message is edited and deleted by its id alone", async () => {
    const { courseId, path, mod, ann, bob } = await course();
    const socket = await openCourse(bob, courseId);
    const { id } = (await say(ann, path, "frist")).body;
    const edit = (user: TestUser | undefined, body: unknown, messageId = id) =>
      as(user, "PUT", `/chat/messages/${messageId}`, body);
    expect((await edit(bob, { message: "no" })).status).toBe(403);
    expect((await edit(mod, { message: "no" })).status).toBe(403);
    expect((await edit(undefined, { message: "no" })).status).toBe(401);
    expect((await edit(ann, { message: "" })).status).toBe(400);
    expect((await edit(ann, { message: "no" }, "junk")).status).toBe(404);
    expect((await edit(ann, { message: "first" })).body).toMatchObject({ id, message: "first" });
    expect((await socket.next("chat:message_updated")).data).toMatchObject({ id, messageId: id, message: "first" });
    expect((await as(bob, "DELETE", `/chat/messages/${id}`)).status).toBe(403);
    expect((await as(undefined, "DELETE", `/chat/messages/${id}`)).status).toBe(401);
    expect((await as(mod, "DELETE", `/chat/messages/${id}`)).status).toBe(200);
    expect((await socket.next("chat:message_deleted")).data).toMatchObject({
      id,
      messageId: id,
      courseId,
      deletedBy: mod.id,
    });
    expect((await as(mod, "DELETE", `/chat/messages/${id}`)).status).toBe(404);
  });

  it("a messenger room's message is not found by the course's path", async () => {
    const { ann } = await course();
    const room = (await as(ann, "POST", "/rooms", { isGroup: true, name: "mine" })).body.id;
    const { id } = (await as(ann, "POST", `/rooms/${room}/messages`, { content: "x" })).body;
    expect((await as(ann, "PUT", `/chat/messages/${id}`, { message: "y" })).status).toBe(404);
    expect((await as(ann, "DELETE", `/chat/messages/${id}`)).status).toBe(404);
  });

  it("finds by words and by type; announcements and system messages are for moderators", async () => {
    const { path, mod, ann } = await course();
    await say(ann, path, "homework one");
    expect((await say(ann, path, "hear ye", { message_type: "announcement" })).status).toBe(403);
    expect((await say(ann, path, "beep", { message_type: "system" })).status).toBe(403);
    expect((await say(mod, path, "exam homework", { message_type: "announcement" })).status).toBe(201);
    expect((await say(ann, path, "x", { message_type: "poll" })).status).toBe(400);
    const texts = async (part: string) =>
      (await as(ann, "GET", `${path}/messages/${part}`)).body.messages.map(
        ({ message }: { message: string }) => message,
      );
    expect(await texts("search?q=homework")).toEqual(["exam homework", "homework one"]);
    expect(await texts("type/announcement")).toEqual(["exam homework"]);
    expect(await texts("type/text")).toEqual(["homework one"]);
    expect((await as(ann, "GET", `${path}/messages/type/poll`)).status).toBe(400);
    expect((await as(ann, "GET", `${path}/messages/search`)).status).toBe(400);
  });

  it("counts what is there: totals, types, senders, days", async () => {
    const { courseId, path, mod, ann, bob } = await course();
    for (const text of ["1", "2", "3"]) await say(ann, path, text);
    await say(mod, path, "hear ye", { message_type: "announcement" });
    const { id } = (await say(bob, path, "oops")).body;
    const read = async () => (await as(bob, "GET", `${path}/statistics`)).body;
    expect((await read()).totalMessages).toBe(5);
    await as(bob, "DELETE", `/chat/messages/${id}`);
    const today = new Date().toISOString().slice(0, 10);
    expect(await read()).toEqual({
      totalMessages: 4,
      activeUsers: 2,
      messagesByType: { announcement: 1, text: 3 },
      topSenders: [
        { userId: ann.id, userName: ann.username, count: 3 },
        { userId: mod.id, userName: mod.username, count: 1 },
      ],
      messagesPerDay: [{ date: today, count: 4 }],
    });
    await evictDurableObject(env.CHAT_ROOM.getByName((await roomIdOf(courseId)) ?? ""));
    expect((await read()).totalMessages).toBe(4);
    expect((await as(undefined, "GET", `${path}/statistics`)).status).toBe(401);
    expect((await as(ann, "GET", "/chat/courses/nope/statistics")).status).toBe(404);
  });

  it("slow mode and mutes hold here too", async () => {
    const { path, mod, ann } = await course();
    expect((await as(ann, "PATCH", path, { slowModeSeconds: 60 })).status).toBe(403);
    expect((await as(mod, "PATCH", path, { slowModeSeconds: -1 })).status).toBe(400);
    expect((await as(mod, "PATCH", path, { slowModeSeconds: 60 })).body.slowModeSeconds).toBe(60);
    expect((await say(ann, path, "one")).status).toBe(201);
    expect((await say(ann, path, "two")).status).toBe(429);
    await as(mod, "PATCH", path, { slowModeSeconds: 0 });
    expect((await say(ann, path, "two")).status).toBe(201);
    expect((await as(ann, "POST", `${path}/members/${mod.id}/mute`, { seconds: 5 })).status).toBe(403);
    expect((await as(mod, "POST", `${path}/members/${ann.id}/mute`, { seconds: 60 })).status).toBe(200);
    expect((await say(ann, path, "three")).status).toBe(403);
    expect((await as(mod, "DELETE", `${path}/members/${ann.id}/mute`)).body.mutedUntil).toBeNull();
    expect((await say(ann, path, "three")).status).toBe(201);
  });
});

describe("muting in a course", () => {
  it("takes whoever may be there, by every door: in an open one anybody, else its members", async () => {
    const { path, courseId, mod, ann } = await course();
    const stranger = await mintUser("stranger");
    const mute = (userId: number) => as(mod, "POST", `${path}/members/${userId}/mute`, {});
    expect((await mute(999_999)).status).toBe(404);
    expect((await mute(stranger.id)).status).toBe(200);
    await env.DB.prepare("UPDATE rooms SET join_policy = 'members' WHERE course_id = ?").bind(courseId).run();
    await as(mod, "POST", `${path}/members`, { userId: ann.id });
    const socket = await openCourse(mod, courseId);
    expect((await socket.ask("chat:mute_member", { userId: stranger.id })).error.code).toBe("NOT_FOUND");
    expect((await mute(stranger.id)).status).toBe(404);
    expect((await socket.ask("chat:mute_member", { userId: ann.id })).data).toMatchObject({ userId: ann.id });
  });
});

describe("chat on the native socket", () => {
  it("speaks chat:* frames: join, send, edit, delete, typing, who is here, leave", async () => {
    const { courseId, ann, bob } = await course();
    const annSocket = await openCourse(ann, courseId);
    const bobSocket = await openCourse(bob, courseId);
    expect((await annSocket.next("chat:user_joined")).data).toMatchObject({
      courseId,
      userId: bob.id,
      userName: bob.username,
    });
    const joined = await annSocket.ask("chat:join_room", { courseId });
    expect(joined.data).toMatchObject({ courseId, users: [{ userId: ann.id }, { userId: bob.id }] });
    const sent = await annSocket.ask("chat:send_message", { course_id: courseId, message: "hi", message_type: "text" });
    expect(await bobSocket.next("chat:new_message")).toEqual({ type: "chat:new_message", seq: 1, data: sent.data });
    const { id } = sent.data;
    await annSocket.ask("chat:edit_message", { messageId: id, message: "hello" });
    expect((await bobSocket.next("chat:message_updated")).data).toMatchObject({ id, message: "hello", courseId });
    await annSocket.ask("chat:typing_start", { courseId });
    await annSocket.ask("chat:typing_stop", { course_id: courseId });
    const typing = { courseId, userId: ann.id, userName: ann.username };
    expect((await bobSocket.next("chat:user_typing")).data).toEqual({ ...typing, isTyping: true });
    expect((await bobSocket.next("chat:user_typing")).data).toEqual({ ...typing, isTyping: false });
    await annSocket.ask("chat:delete_message", { messageId: id });
    expect((await bobSocket.next("chat:message_deleted")).data).toMatchObject({ id, courseId });
    await bobSocket.ask("chat:get_online_users", { courseId });
    expect((await bobSocket.next("chat:online_users")).data.users).toHaveLength(2);
    expect((await annSocket.ask("chat:leave_room", { courseId })).type).toBe("ack");
    expect((await annSocket.nextClose()).code).toBe(1000);
    expect((await bobSocket.next("chat:user_left")).data).toMatchObject({ courseId, userId: ann.id });
    await bobSocket.expectNothing("chat:new_message", "chat:error");
  });

  it("resumes in its own language, also after an eviction", async () => {
    const { courseId, ann, bob, path } = await course();
    const socket = await openCourse(ann, courseId);
    await socket.ask("chat:send_message", { message: "one" });
    await say(bob, path, "two");
    await evictDurableObject(env.CHAT_ROOM.getByName((await roomIdOf(courseId)) ?? ""));
    const back = await openCourse(bob, courseId, "&since=0");
    const frames = back.frames.filter(({ type }) => type === "chat:new_message");
    expect(frames.map(({ seq, data }) => [seq, data.message])).toEqual([
      [1, "one"],
      [2, "two"],
    ]);
  });

  it.each([
    ["chat:send_message", {}],
    ["chat:send_message", { message: "" }],
    ["chat:send_message", { message: "x".repeat(5001) }],
    ["chat:send_message", { message: "x", message_type: "video" }],
    ["chat:send_message", { message: "x", file_url: "data:text/html,x" }],
    ["chat:send_message", { message: "x", reply_to: 7 }],
    ["chat:send_message", []],
    ["chat:edit_message", { message: "x" }],
    ["chat:delete_message", { messageId: 7 }],
    ["chat:join_room", { courseId: 7 }],
    ["chat:typing_start", "now"],
    ["send_message", { content: "not spoken here" }],
  ])("%s %j is answered, nobody else hears of it, and without an id it is chat:error as well", async (type, data) => {
    const { courseId, ann, bob } = await course();
    const [annSocket, bobSocket] = [await openCourse(ann, courseId), await openCourse(bob, courseId)];
    expect((await annSocket.ask(type, data)).error.code).toBe("INVALID_MESSAGE");
    await annSocket.expectNothing("chat:error");
    annSocket.send({ type, data });
    expect((await annSocket.next("chat:error")).data).toMatchObject({
      code: "INVALID_MESSAGE",
      message: expect.any(String),
    });
    await bobSocket.expectNothing("chat:new_message", "chat:user_typing", "chat:error", "error");
    expect((await annSocket.ask("chat:send_message", { message: "alive" })).type).toBe("ack");
  });

  it("a frame for another course is refused here", async () => {
    const { courseId, ann } = await course();
    const other = await course();
    const socket = await openCourse(ann, courseId);
    const refused = await socket.ask("chat:send_message", { courseId: other.courseId, message: "x" });
    expect(refused.error.code).toBe("NOT_FOUND");
  });

  it("the same commands take a person without a socket, as Socket.IO and REST have it", async () => {
    const { courseId, ann, path } = await course();
    await say(ann, path, "so that the room knows itself");
    const roomId = (await roomIdOf(courseId)) ?? "";
    const facts = await env.DB.prepare("SELECT facts FROM room_facts WHERE room_id = ?").bind(roomId).first("facts");
    const context = { room: JSON.parse(String(facts)), readSeq: 0 };
    const outcome = await env.CHAT_ROOM.getByName(roomId).executeFor(personOf(ann), context, "chat:send_message", {
      message: "hi",
    });
    expect(outcome).toMatchObject({ ok: true, data: { message: "hi", seq: 2 } });
    const count = await runInDurableObject(env.CHAT_ROOM.getByName(roomId), (_, state) =>
      state.storage.sql.exec("SELECT count(*) AS n FROM log").one(),
    );
    expect(count).toEqual({ n: 2 });
  });
});
