/** A product's own events, in every kind of room, by both doors (SPEC 14). */
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { at } from "./support/items.ts";
import { mintStream } from "./support/media.ts";
import { as, mintGroup, openCourse, openRoom, promote } from "./support/rooms.ts";
import { openSocket, type TestSocket } from "./support/socket.ts";
import { connectSocketIo } from "./support/socketio.ts";
import { meeting } from "./support/webrtc.ts";

const DATA = { user_id: "0", nested: [{ is_group: 1, __proto__x: null }], html: "<b>" };
const RAW = '{"user_id":"0","userId":1,"__proto__":{"a":"01"},"n":[1.5,true,null,"\\u0000"]}';

const sent = (name: string, data: unknown, more: object = {}) => ({ name, data, ...more });
const frameOf = async (socket: TestSocket) => (await socket.next("event")).data;

async function group() {
  const { roomId, people } = await mintGroup("ann", "bob");
  const [ann, bob] = people;
  return { roomId, ann, bob, one: await openRoom(ann, roomId), two: await openRoom(bob, roomId) };
}

async function course(...people: TestUser[]) {
  const teacher = await mintUser("teacher");
  await promote(env.DB, teacher, "moderator");
  const courseId = `course ${crypto.randomUUID()}`;
  await call("/chat/courses", { method: "POST", token: teacher.token, body: { courseId, name: "Sums" } });
  return { courseId, sockets: await Promise.all(people.map((user) => openCourse(user, courseId))) };
}

async function watch(user: TestUser, streamId: number): Promise<TestSocket> {
  const socket = await openSocket(`/streams/${streamId}/ws?token=${user.token}`);
  await socket.next("connected");
  return socket;
}

it("reaches everybody in a group, its sender too, with the data as it was sent", async () => {
  const { roomId, ann, one, two } = await group();
  expect(await one.ask("event", sent("cursor:moved", DATA))).toMatchObject({ type: "ack" });
  const twins = { roomId, room_id: roomId, userId: ann.id, user_id: ann.id };
  for (const socket of [one, two]) {
    const frame = await socket.next("event");
    expect(frame.data).toEqual({ name: "cursor:moved", data: DATA, ...twins });
    expect(frame.seq).toBeUndefined();
  }
  one.send(`{"type":"event","data":{"name":"raw","data":${RAW}}}`);
  await two.next("event");
  expect(two.messages.at(-1)).toContain(`"data":${RAW}`);
  expect((await one.ask("event", { name: "bare" })).type).toBe("ack");
  expect(await frameOf(two)).toMatchObject({ name: "bare", data: null });
});

it("is the same in a private room, a course, a stream and a call, each naming the room as its other frames do", async () => {
  const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
  const pair = await as(ann, "POST", "/rooms", { isGroup: false, memberIds: [bob.id] });
  const [a, b] = [await openRoom(ann, pair.body.id), await openRoom(bob, pair.body.id)];
  await a.ask("event", sent("x", 1));
  expect(await frameOf(b)).toMatchObject(sent("x", 1, { userId: ann.id, roomId: pair.body.id }));
  const { courseId, sockets } = await course(ann, bob);
  await sockets[0]?.ask("event", sent("x", [2], { course_id: courseId }));
  for (const socket of sockets)
    expect(await frameOf(socket)).toEqual(sent("x", [2], { userId: ann.id, roomId: courseId }));
  const stream = await mintStream(ann);
  const [owner, viewer] = [await watch(ann, stream.id), await watch(bob, stream.id)];
  await owner.ask("event", sent("x", "3"));
  for (const socket of [owner, viewer])
    expect(await frameOf(socket)).toEqual(sent("x", "3", { userId: ann.id, roomId: stream.id }));
  const { sessionId, users, sockets: peers } = await meeting("cid", "dan");
  await peers[0].ask("event", sent("x", { four: 4 }));
  for (const socket of peers)
    expect(await frameOf(socket)).toEqual(sent("x", { four: 4 }, { userId: users[0].id, roomId: sessionId }));
});

it("that is kept has a seq and is replayed, in a course and a stream as in a group; in a call nothing is kept", async () => {
  const { roomId, ann, one, two } = await group();
  const answer = await one.ask("event", sent("pin", DATA, { keep: 1 }));
  const frame = await two.next("event");
  expect(frame.seq).toBe(answer.data.seq);
  const late = await openSocket(`//ws/${roomId}/${ann.id}?token=${ann.token}&since=0`);
  expect(await late.next("event")).toEqual(frame);
  const { body } = await as(ann, "GET", `/rooms/${roomId}/messages`);
  expect(body.messages).toEqual([]);
  const { courseId, sockets } = await course(ann);
  await sockets[0]?.ask("event", sent("pin", 1, { keep: true }));
  const lateThere = await openSocket(`/chat/courses/${encodeURIComponent(courseId)}/ws?token=${ann.token}&since=0`);
  expect(await lateThere.next("event")).toMatchObject({ seq: 1, data: sent("pin", 1, { roomId: courseId }) });
  const stream = await mintStream(ann);
  await (await watch(ann, stream.id)).ask("event", sent("pin", 2, { keep: true }));
  const lateViewer = await openSocket(`/streams/${stream.id}/ws?token=${ann.token}&since=0`);
  expect(await lateViewer.next("event")).toMatchObject({ seq: 1, data: sent("pin", 2, { roomId: stream.id }) });
  const { sockets: peers } = await meeting("cid", "dan");
  const refused = await peers[0].ask("event", sent("pin", 3, { keep: true }));
  expect(refused.error).toMatchObject({ code: "INVALID_MESSAGE" });
  await peers[1].expectNothing("event");
});

it("is bounded: 4 KiB, a plain name, nested as deep as any frame, and the budget of messages", async () => {
  const { one, two } = await group();
  const code = async (data: object) => (await one.ask("event", data)).error?.code;
  expect(await code(sent("big", "é".repeat(2047)))).toBeUndefined();
  expect(await code(sent("big", "é".repeat(2048)))).toBe("INVALID_MESSAGE");
  expect(await code(sent("<b>", 1))).toBe("INVALID_MESSAGE");
  expect(await code(sent("", 1))).toBe("INVALID_MESSAGE");
  const deep = `${"[".repeat(63)}${"]".repeat(63)}`;
  one.send(`{"type":"event","id":"deep","data":{"name":"deep","data":${deep}}}`);
  await one.next("error");
  const spent = 5;
  for (let n = spent; n < 100; n += 1) one.send({ type: "event", data: sent("again", n) });
  expect(await code(sent("over", 1))).toBe("RATE_LIMIT");
  await two.collect("event", 100 - spent + 1);
  expect(two.frames.filter(({ data }) => ["deep", "over", "<b>"].includes(data?.name))).toEqual([]);
});

it("who is muted sends none, in a stream only its owner and moderators do, and in a call only who takes part", async () => {
  const { ann, bob, one, two, roomId } = await group();
  await as(ann, "POST", `/rooms/${roomId}/members/${bob.id}/mute`, { seconds: 60 });
  expect((await two.ask("event", sent("x", 1))).error.code).toBe("FORBIDDEN");
  const stream = await mintStream(ann);
  const viewer = await watch(bob, stream.id);
  expect((await viewer.ask("event", sent("x", 1))).error.code).toBe("FORBIDDEN");
  expect((await viewer.ask("event", sent("x", 1, { keep: true }))).error.code).toBe("FORBIDDEN");
  const { sessionId, sockets } = await meeting("cid", "dan");
  const outsider = await openSocket(`/webrtc/sessions/${sessionId}/ws?token=${ann.token}`);
  expect((await outsider.ask("event", sent("x", 1))).error.code).toBe("FORBIDDEN");
  for (const socket of [one, viewer, sockets[0], outsider]) await socket.expectNothing("event");
});

it("over Socket.IO goes to the room that is named, by its own field or as roomId, or to the only one", async () => {
  const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
  const { courseId, sockets } = await course(bob);
  const made = await as(ann, "POST", "/rooms", { name: "G", isGroup: true, memberIds: [bob.id] });
  const inGroup = await openRoom(bob, made.body.id);
  const client = await connectSocketIo(ann);
  await client.ask("chat:join_room", { courseId });
  expect(await client.ask("event", sent("only", 1))).toEqual({ success: true });
  expect(await frameOf(at(sockets, 0))).toMatchObject({ name: "only" });
  await client.ask("join_room", { roomId: made.body.id });
  expect(await client.ask("event", sent("which", 1))).toMatchObject({
    success: false,
    error: { code: "INVALID_MESSAGE" },
  });
  await client.ask("event", sent("group", DATA, { room_id: made.body.id }));
  expect(await frameOf(inGroup)).toMatchObject(sent("group", DATA, { userId: ann.id }));
  await client.ask("event", sent("course", DATA, { courseId }));
  await client.ask("event", sent("course again", DATA, { roomId: courseId }));
  await client.ask("event", sent("again", DATA, { roomId: courseId }));
  expect(await frameOf(at(sockets, 0))).toMatchObject(sent("course", DATA));
  expect(await frameOf(at(sockets, 0))).toMatchObject(sent("again", DATA, { roomId: courseId }));
  expect((await client.collect("event", 4)).map(({ name }) => name)).toEqual(["only", "group", "course", "again"]);
  expect(await client.ask("event", sent("x", 1, { roomId: "elsewhere" }))).toMatchObject({
    error: { code: "FORBIDDEN" },
  });
  await inGroup.expectNothing("event");
});

it("of an erased member stays, and is nobody's", async () => {
  const { roomId, ann, bob, one } = await group();
  await (await openRoom(bob, roomId)).ask("event", sent("pin", 1, { keep: true }));
  await one.next("event");
  const admin = await mintUser("admin");
  await promote(env.DB, admin, "admin");
  await as(admin, "DELETE", `/admin/users/${bob.id}`, { reason: "asked for" });
  const late = await openSocket(`//ws/${roomId}/${ann.id}?token=${ann.token}&since=0`);
  expect((await late.next("event")).data).toMatchObject(sent("pin", 1, { userId: null }));
});
