/** Roomcast over Socket.IO: the same rooms, the same people, the same refusals as over native sockets (SPEC 9). */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { gatewaysOf, SocketIoGateway, settings } from "../src/socketio/rooms/gateway.ts";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { mintGroup, openCourse, openRoom, promote } from "./support/rooms.ts";
import { openHub, openSocket } from "./support/socket.ts";
import { connectSocketIo, type SocketIoClient, startSocketIo } from "./support/socketio.ts";

const newCourseId = () => `course-${crypto.randomUUID()}`;

async function mintCourse(joinPolicy: "open" | "members" = "open") {
  const teacher = await mintUser("teacher");
  await promote(env.DB, teacher, "moderator");
  const courseId = newCourseId();
  const made = await call("/chat/courses", {
    method: "POST",
    token: teacher.token,
    body: { courseId, name: "Sums", joinPolicy },
  });
  expect(made.status).toBe(201);
  const row = await env.DB.prepare("SELECT id FROM rooms WHERE course_id = ?").bind(courseId).first<{ id: string }>();
  return { teacher, courseId, roomId: String(row?.id) };
}

/** Every gateway that a test's clients can be in. Some may sleep already. */
async function evictGateways(): Promise<void> {
  const perRegion = settings.density.kind === "shards" ? settings.density.perRegion : 0;
  const gateways = Array.from({ length: perRegion }, (_, n) => gatewaysOf(env).stub(`weur-${n}`));
  await Promise.all(gateways.map(evict));
}

async function evict(object: DurableObjectStub): Promise<void> {
  try {
    await evictDurableObject(object);
  } catch (error) {
    if (!String(error).includes("not currently running")) throw error;
  }
}
const hubOf = (user: TestUser) => env.USER_HUB.getByName(String(user.id));
const roomCalled = (id: string) => env.CHAT_ROOM.getByName(id);
const isOnline = (user: TestUser) => hubOf(user).isOnline();

/** Gateways that go down with their sockets, as in a crash or a deployment: nobody is told. */
async function crashGateways(): Promise<void> {
  const perRegion = settings.density.kind === "shards" ? settings.density.perRegion : 0;
  const gateways = Array.from({ length: perRegion }, (_, n) => gatewaysOf(env).stub(`weur-${n}`));
  await Promise.allSettled(gateways.map((gateway) => evictDurableObject(gateway, { webSockets: "close" })));
}

async function inCourse(user: TestUser, courseId: string): Promise<SocketIoClient> {
  const client = await connectSocketIo(user);
  expect(await client.ask("chat:join_room", { courseId })).toMatchObject({ success: true });
  return client;
}

describe("connecting", () => {
  it("lets a token in, and says where its own events stand", async () => {
    const ann = await mintUser("ann");
    const client = await connectSocketIo(ann);
    expect(client.welcome).toMatchObject({ sid: expect.any(String), pid: expect.any(String) });
    expect(await client.next("connected")).toEqual({ userId: ann.id, seq: 0, epoch: expect.any(String) });
  });

  it("takes the token from the query, and a ticket once", async () => {
    const ann = await mintUser("ann");
    const byQuery = await startSocketIo({}, `&token=${ann.token}`);
    await byQuery.connected();
    const { body } = await call("/auth/ws-ticket", { method: "POST", token: ann.token });
    const byTicket = await startSocketIo({ ticket: body.ticket });
    await byTicket.connected();
    const again = await startSocketIo({ ticket: body.ticket });
    expect((await again.refused()).message).toBe("UNAUTHORIZED");
  });

  it.each([
    ["no token", {}],
    ["a bad one", { token: "nonsense" }],
    ["one that is no text", { token: 7 }],
  ])("refuses %s with UNAUTHORIZED", async (_what, auth) => {
    const client = await startSocketIo(auth);
    expect(await client.refused()).toMatchObject({ message: "UNAUTHORIZED", data: { code: "UNAUTHORIZED" } });
  });

  it("refuses a banned user with FORBIDDEN", async () => {
    const ann = await mintUser("ann");
    await env.DB.prepare("UPDATE users SET banned_at = 1, ban_reason = 'spam' WHERE id = ?").bind(ann.id).run();
    const client = await startSocketIo({ token: ann.token });
    expect((await client.refused()).message).toBe("FORBIDDEN");
  });
});

describe("the door", () => {
  const knock = (headers: Record<string, string>, query = "EIO=4&transport=polling") =>
    call(`//socket.io/?${query}`, { headers });

  it("turns foreign pages and made-up sessions away, and lets its own pages in", async () => {
    expect((await knock({ Origin: "https://evil.example" })).status).toBe(403);
    const own = await knock({ Origin: "http://localhost:5173" });
    expect([own.status, own.headers.get("Access-Control-Allow-Origin")]).toEqual([200, "http://localhost:5173"]);
    expect((await knock({}, "EIO=4&transport=polling&sid=weur-0.abc.def")).status).toBe(400);
  });

  it("bounds the sessions that one address opens, and not those of others", async () => {
    const from = (address: string) => knock({ "CF-Connecting-IP": address });
    const statuses: number[] = [];
    for (let n = 0; n < 601; n += 1) statuses.push((await from("192.0.2.77")).status);
    expect([statuses.indexOf(429), statuses.length]).toEqual([600, 601]);
    expect((await from("192.0.2.78")).status).toBe(200);
  });
});

describe("the user's own events", () => {
  it("arrive under the frames' names, in every connection, and are acted upon as on the native socket", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const [client, native] = [await connectSocketIo(bob), await openHub(bob)];
    await call("/messages", { method: "POST", token: ann.token, body: { receiverId: bob.id, content: "hello" } });
    const message = await client.next("message:new");
    expect(message).toMatchObject({ content: "hello", senderId: ann.id });
    expect((await native.next("message:new")).data).toEqual(message);
    const sender = await connectSocketIo(ann);
    const seen = await client.ask("message:mark_seen", { conversationWith: ann.id, messageIds: [message.id] });
    expect(seen).toMatchObject({ success: true });
    expect(await sender.next("message:seen")).toMatchObject({ messageIds: [message.id], seenBy: bob.id });
    expect(await client.ask("message:typing", { conversationWith: ann.id })).toMatchObject({ success: true });
    expect(await sender.next("message:typing")).toEqual({ userId: bob.id });
    expect(await client.ask("notification:mark_seen", { notificationIds: [] })).toMatchObject({ success: true });
  });

  it("end with the gateway that held them, though nobody could tell: the rooms ask", async () => {
    const ann = await mintUser("ann");
    const { courseId, roomId } = await mintCourse();
    await inCourse(ann, courseId);
    expect(await isOnline(ann)).toBe(true);
    await crashGateways();
    // What was asked a moment ago is not asked again; a new life of the object is.
    await evict(hubOf(ann));
    await evict(roomCalled(roomId));
    expect(await isOnline(ann)).toBe(false);
  });

  it("count as presence from connect to disconnect, and a lost connection at once not", async () => {
    const ann = await mintUser("ann");
    const client = await connectSocketIo(ann);
    await client.next("connected");
    expect(await isOnline(ann)).toBe(true);
    client.disconnect();
    await vi.waitFor(async () => expect(await isOnline(ann)).toBe(false));
    const second = await connectSocketIo(ann);
    await second.next("connected");
    expect(await isOnline(ann)).toBe(true);
    second.lose();
    await vi.waitFor(async () => expect(await isOnline(ann)).toBe(false));
  });
});

describe("a course room", () => {
  it("shows native and Socket.IO members the same messages in one order", async () => {
    const { teacher, courseId } = await mintCourse();
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const native = await openCourse(teacher, courseId);
    const [first, second] = [await inCourse(ann, courseId), await inCourse(bob, courseId)];
    for (let n = 0; n < 10; n += 1) {
      first.emit("chat:send_message", { course_id: courseId, message: `a${n}` });
      native.send({ type: "chat:send_message", data: { message: `t${n}` } });
      second.emit("chat:send_message", { courseId, message: `b${n}` });
    }
    const seen = (await native.collect("chat:new_message", 30)).map(({ data }) => data);
    for (const client of [first, second]) expect(await client.collect("chat:new_message", 30)).toEqual(seen);
    expect(seen.map(({ seq }) => seq)).toEqual(Array.from({ length: 30 }, (_, n) => n + 1));
  });

  it("answers every event by its callback, and failures without one by chat:error", async () => {
    const { courseId } = await mintCourse();
    const ann = await mintUser("ann");
    const client = await connectSocketIo(ann);
    const joined = await client.ask("chat:join_room", { courseId });
    const me = { userId: ann.id, userName: ann.username, avatarUrl: null };
    expect(joined).toEqual({ success: true, data: { courseId, users: [me], count: 1 } });
    const sent = await client.ask("chat:send_message", { course_id: courseId, message: "one", message_type: "text" });
    expect(sent).toMatchObject({ success: true, data: { message: "one", courseId } });
    const edited = await client.ask("chat:edit_message", { messageId: sent.data.id, message: "two" });
    expect(edited).toMatchObject({ success: true, data: { message: "two" } });
    expect(await client.next("chat:message_updated")).toMatchObject({ message: "two" });
    expect(await client.ask("chat:typing_start", { courseId })).toEqual({ success: true });
    expect(await client.ask("chat:delete_message", { messageId: sent.data.id })).toMatchObject({ success: true });
    for (const bad of [null, 7, "text", [], { courseId, message: "" }, { courseId, message: { a: 1 } }]) {
      const answer = await client.ask("chat:send_message", bad);
      expect(answer).toMatchObject({ success: false, error: { code: "INVALID_MESSAGE", message: expect.any(String) } });
    }
    client.emit("chat:send_message", { courseId, message: "" });
    expect(await client.next("chat:error")).toMatchObject({ code: "INVALID_MESSAGE" });
    expect(await client.ask("no:such_event", {})).toMatchObject({ success: false, error: { code: "INVALID_MESSAGE" } });
    client.emit("no:such_event");
    expect(await client.next("error")).toMatchObject({ code: "INVALID_MESSAGE" });
    expect(await client.ask("chat:leave_room", { courseId })).toEqual({ success: true });
    expect(await client.ask("chat:leave_room", { courseId })).toEqual({ success: true });
    expect(await client.ask("chat:typing_start", { courseId })).toMatchObject({ error: { code: "FORBIDDEN" } });
  });

  it("holds to its join policy, and takes one in who speaks before joining", async () => {
    const { courseId, teacher } = await mintCourse("members");
    const ann = await mintUser("ann");
    const client = await connectSocketIo(ann);
    expect(await client.ask("chat:join_room", { courseId })).toMatchObject({ error: { code: "FORBIDDEN" } });
    expect(await client.ask("chat:join_room", { courseId: newCourseId() })).toMatchObject({
      error: { code: "NOT_FOUND" },
    });
    expect(await client.ask("chat:send_message", { courseId, message: "x" })).toMatchObject({
      error: { code: "FORBIDDEN" },
    });
    await call(`/chat/courses/${courseId}/members`, { method: "POST", token: teacher.token, body: { userId: ann.id } });
    expect(await client.ask("chat:send_message", { courseId, message: "x" })).toMatchObject({ success: true });
    expect(await client.next("chat:new_message")).toMatchObject({ message: "x" });
  });

  it("tells a removed member so, who stays connected and hears no more", async () => {
    const { courseId, teacher } = await mintCourse("members");
    const ann = await mintUser("ann");
    await call(`/chat/courses/${courseId}/members`, { method: "POST", token: teacher.token, body: { userId: ann.id } });
    const client = await inCourse(ann, courseId);
    await call(`/chat/courses/${courseId}/members/${ann.id}`, { method: "DELETE", token: teacher.token });
    expect(await client.next("chat:error")).toMatchObject({ code: "FORBIDDEN", room: courseId });
    await call(`/chat/courses/${courseId}/messages`, {
      method: "POST",
      token: teacher.token,
      body: { message: "gone?" },
    });
    expect(await client.ask("chat:typing_start", { courseId })).toMatchObject({ error: { code: "FORBIDDEN" } });
    expect(client.named("chat:new_message")).toEqual([]);
    expect(client.ended).toBeNull();
  });

  it("sends a message to 100 members by one call for each gateway that has some", async () => {
    const { courseId, teacher } = await mintCourse();
    const ann = await mintUser("ann");
    const bob = await mintUser("bob");
    const clients = await Promise.all(Array.from({ length: 100 }, (_, n) => connectSocketIo(n % 2 ? ann : bob)));
    for (const client of clients) await client.ask("chat:join_room", { courseId });
    const native = await openCourse(teacher, courseId);
    await Promise.all(clients.map((client) => client.ask("message:mark_seen", { conversationWith: teacher.id })));
    const deliver = vi.spyOn(SocketIoGateway.prototype, "deliverBatches");
    await native.ask("chat:send_message", { message: "to all" });
    await Promise.all(clients.map((client) => client.collect("chat:new_message", 1)));
    const gateways = clients.map((client) => client.welcome?.pid.split(".")[0]);
    expect(deliver).toHaveBeenCalledTimes(new Set(gateways).size);
    const reached = deliver.mock.calls.flatMap(([batches]) => batches);
    expect(reached.flatMap(({ socketIds }) => socketIds).sort()).toEqual(
      clients.map(({ welcome }) => welcome?.sid).sort(),
    );
    expect(reached.flatMap(({ events }) => events)).toHaveLength(deliver.mock.calls.length);
    deliver.mockRestore();
  });
});

describe("the messenger and video sessions", () => {
  it("are rooms like any other: several at a time, told apart by roomId or message", async () => {
    const { roomId, people } = await mintGroup("ann", "bob");
    const [ann, bob] = people;
    const client = await connectSocketIo(ann);
    const native = await openRoom(bob, roomId);
    expect(await client.ask("join_room", { roomId })).toEqual({ success: true });
    const { data: message } = await client.ask("send_message", { roomId, content: "hi" });
    expect((await native.next("new_message")).data).toEqual(message);
    const other = await mintGroup("cleo");
    expect(await client.ask("join_room", { roomId: other.roomId })).toMatchObject({ error: { code: "FORBIDDEN" } });
    expect(await client.ask("reaction", { messageId: message.id, emoji: "👍" })).toMatchObject({ success: true });
    expect((await native.next("reaction")).data).toMatchObject({ userId: ann.id, emoji: "👍" });
    expect(await client.ask("leave_room", { roomId })).toEqual({ success: true });
    expect((await native.next("user_left")).data).toMatchObject({ userId: ann.id });
  });

  it("chats beside a stream, with native viewers", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const made = await call("/streams", { method: "POST", token: ann.token, body: { title: "Live" } });
    const streamId: number = made.body.id;
    const native = await openSocket(`/streams/${streamId}/ws?token=${ann.token}`);
    await native.next("connected");
    const client = await connectSocketIo(bob);
    expect(await client.ask("join_stream", { streamId: 999_999 })).toMatchObject({ error: { code: "NOT_FOUND" } });
    expect(await client.ask("join_stream", { streamId })).toEqual({ success: true });
    const sent = await client.ask("chat_message", { streamId: String(streamId), message: "hello" });
    expect(sent).toMatchObject({ success: true, data: { streamId, message: "hello", userId: bob.id } });
    expect((await native.next("chat_message")).data).toEqual(sent.data);
    expect(await client.next("chat_message")).toEqual(sent.data);
    client.emit("chat_message", { streamId });
    expect(await client.next("error")).toMatchObject({ code: "INVALID_MESSAGE" });
    expect(await client.ask("leave_stream", { streamId })).toEqual({ success: true });
  });

  it("joins a session and takes part in its signaling", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const made = await call("/webrtc/sessions", { method: "POST", token: ann.token, body: {} });
    const sessionId = made.body.id;
    const [first, second] = [await connectSocketIo(ann), await connectSocketIo(bob)];
    for (const client of [first, second]) {
      const joined = await client.ask("webrtc:join_session", { sessionId, displayName: "N", role: "student" });
      expect(joined).toMatchObject({ success: true, data: { sessionId } });
    }
    expect(await first.next("webrtc:user_joined")).toMatchObject({ userId: bob.id });
    const offer = { type: "offer", sdp: "v=0" };
    expect(await second.ask("webrtc:offer", { sessionId, targetUserId: ann.id, offer })).toEqual({ success: true });
    expect(await first.next("webrtc:offer_received")).toEqual({ sessionId, fromUserId: bob.id, offer });
    second.emit("webrtc:offer", { sessionId, targetUserId: 0, offer });
    expect(await second.next("webrtc:error")).toMatchObject({ code: expect.any(String) });
    expect(await second.ask("webrtc:leave_session", { sessionId })).toMatchObject({ success: true });
    expect(await first.next("webrtc:user_left")).toMatchObject({ userId: bob.id });
  });
});

describe("being put out", () => {
  it("a ban ends the connection, after its notice", async () => {
    const ann = await mintUser("ann");
    const client = await connectSocketIo(ann);
    await client.next("connected");
    const cut = { code: 4003, reason: "Account banned" };
    const frames = [{ type: "admin:user_banned", data: { userId: ann.id } }];
    await hubOf(ann).deliver([{ id: 1_000_000, payload: { frames, cut } }]);
    expect(await client.end()).toBe("io server disconnect");
    expect(client.named("admin:user_banned")).toHaveLength(1);
  });

  it("a logout ends the connections of its session alone", async () => {
    const ann = await mintUser("ann");
    const again = await call("/auth/login", {
      method: "POST",
      body: { username: ann.username, password: ann.password },
    });
    const [first, second] = [await connectSocketIo(ann), await connectSocketIo({ token: again.body.token })];
    await Promise.all([first.next("connected"), second.next("connected")]);
    expect((await call("/auth/logout", { method: "POST", token: ann.token })).status).toBeLessThan(300);
    expect(await first.end()).toBe("io server disconnect");
    expect(await second.ask("message:mark_seen", { conversationWith: 1 })).toMatchObject({ success: true });
    expect(second.ended).toBeNull();
  });

  it("an expired token ends it, unless it was refreshed", async () => {
    const ann = await mintUser("ann");
    const [client, other] = [await connectSocketIo(ann), await connectSocketIo(ann)];
    const bob = await mintUser("bob");
    expect(await client.ask("auth:refresh", { token: bob.token })).toMatchObject({ error: { code: "FORBIDDEN" } });
    expect(await client.ask("auth:refresh", {})).toMatchObject({ error: { code: "INVALID_MESSAGE" } });
    const now = Date.now();
    const day = 86_400_000;
    vi.useFakeTimers({ toFake: ["Date"], now: now + 6 * day });
    try {
      const login = { username: ann.username, password: ann.password };
      const { body } = await call("/auth/login", { method: "POST", body: login });
      const refreshed = await client.ask("auth:refresh", { token: body.token });
      expect(refreshed).toMatchObject({ success: true, data: { expiresAt: expect.any(String) } });
      vi.setSystemTime(now + 8 * day);
      other.emit("message:mark_seen", { conversationWith: bob.id });
      expect(await other.end()).toBe("io server disconnect");
      expect(await client.ask("message:mark_seen", { conversationWith: bob.id })).toMatchObject({ success: true });
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("after every object was evicted", () => {
  it("all goes on, rooms joined included", async () => {
    const { courseId, teacher, roomId } = await mintCourse();
    const ann = await mintUser("ann");
    const client = await inCourse(ann, courseId);
    const say = (message: string) =>
      call(`/chat/courses/${courseId}/messages`, { method: "POST", token: teacher.token, body: { message } });
    for (const evictSome of [evictGateways, () => evict(roomCalled(roomId)), () => evict(hubOf(ann))]) {
      await evictSome();
      await say("from outside");
      await client.next("chat:new_message");
      await evictSome();
      expect(await client.ask("chat:send_message", { courseId, message: "from here" })).toMatchObject({
        success: true,
      });
      await client.next("chat:new_message");
      await evictSome();
      await call("/messages", { method: "POST", token: teacher.token, body: { receiverId: ann.id, content: "psst" } });
      await client.next("message:new");
    }
    await evictGateways();
    expect(await isOnline(ann)).toBe(true);
    client.disconnect();
    await vi.waitFor(async () => expect(await isOnline(ann)).toBe(false));
  });
});

describe("a lost connection", () => {
  it.each(["kept", "evicted"])("is resumed with what was missed, in its rooms (gateway %s)", async (how) => {
    const { courseId, teacher } = await mintCourse();
    const ann = await mintUser("ann");
    const native = await openCourse(teacher, courseId);
    const client = await inCourse(ann, courseId);
    await native.next("chat:user_joined");
    await native.ask("chat:send_message", { message: "one" });
    await client.next("chat:new_message");
    const { sid, pid } = await client.connected();
    const deliver = vi.spyOn(SocketIoGateway.prototype, "deliverBatches");
    client.lose();
    await native.next("chat:user_left");
    await native.ask("chat:send_message", { message: "two" });
    // The author's ack does not wait for the others to have it.
    await vi.waitFor(() => expect(JSON.stringify(deliver.mock.calls)).toContain("two"));
    if (how === "evicted") await evictGateways();
    const back = await connectSocketIo(ann, { pid, offset: client.offset });
    expect(back.welcome).toMatchObject({ sid, pid });
    await native.next("chat:user_joined");
    await native.ask("chat:send_message", { message: "three" });
    const heard = (await back.collect("chat:new_message", 2)).map(({ message }) => message);
    expect(heard).toEqual(["two", "three"]);
    deliver.mockRestore();
    expect(await isOnline(ann)).toBe(true);
  });

  it("is not resumed by somebody else, nor after a ban", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const client = await connectSocketIo(ann);
    await client.next("connected");
    const { sid, pid } = await client.connected();
    client.lose();
    await vi.waitFor(async () => expect(await isOnline(ann)).toBe(false));
    const thief = await connectSocketIo(bob, { pid, offset: client.offset });
    expect(thief.welcome?.sid).not.toBe(sid);
    await hubOf(ann).deliver([
      { id: 1_000_000, payload: { frames: [], cut: { code: 4003, reason: "Account banned" } } },
    ]);
    await hubOf(ann).deliver([{ id: 1_000_001, payload: { frames: [], welcome: true } }]);
    const back = await connectSocketIo(ann, { pid, offset: client.offset });
    expect(back.welcome?.sid).not.toBe(sid);
  });
});
