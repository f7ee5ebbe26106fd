/** What the event socket tells of rooms and friends, so that a list of them needs no polling (SPEC 14, "Live inbox"). */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { mintUser, type TestUser, worker } from "./support/api.ts";
import { passTime } from "./support/clock.ts";
import { as, mintGroup, mintThree, openRoom, post } from "./support/rooms.ts";
import { form, sample } from "./support/samples.ts";
import { openHub, type TestSocket } from "./support/socket.ts";
import { connectSocketIo } from "./support/socketio.ts";

const roomCalled = (id: string) => env.CHAT_ROOM.getByName(id);
const hubOf = (user: TestUser) => env.USER_HUB.getByName(String(user.id));
const isConnected = (user: TestUser) =>
  vi.waitFor(async () => {
    const at = await env.DB.prepare("SELECT connected_at FROM users WHERE id = ?").bind(user.id).first("connected_at");
    expect(at).not.toBeNull();
  });
/** Somebody's event socket, which the database knows of. */
async function online(user: TestUser): Promise<TestSocket> {
  const socket = await openHub(user);
  await isConnected(user);
  return socket;
}
const activity = async (socket: TestSocket) => (await socket.next("room:activity")).data;

/** Calls of hubs from now on, by user. */
function watchCalls(): number[] {
  const called: number[] = [];
  const getByName = env.USER_HUB.getByName.bind(env.USER_HUB);
  vi.spyOn(env.USER_HUB, "getByName").mockImplementation((name, ...more) => {
    called.push(Number(name));
    return getByName(name, ...more);
  });
  return called;
}

it("a member who is online and not in the room hears what was said, with their own count; who is in it does not", async () => {
  const { roomId, ann, bob, cid } = await mintThree();
  const [annOnline, bobOnline, cidOnline] = [await online(ann), await online(bob), await online(cid)];
  await openRoom(cid, roomId);
  await post(ann, roomId, "one");
  const { body } = await as(bob, "GET", "/rooms");
  const told = await bobOnline.next("room:activity");
  expect(told.data).toEqual({ roomId, unreadCount: 1, lastMessage: body.rooms[0].lastMessage });
  expect(told.seq).toBeUndefined();
  expect(await activity(annOnline)).toMatchObject({ unreadCount: 0, lastMessage: { content: "one" } });
  await cidOnline.expectNothing("room:activity");
});

it("is gathered: at most one in 5 s for a room, also when it slept in between, and the last one says how it is", async () => {
  const { roomId, ann, bob } = await mintThree();
  const bobOnline = await online(bob);
  await post(ann, roomId, "one");
  expect(await activity(bobOnline)).toMatchObject({ unreadCount: 1 });
  await post(ann, roomId, "two");
  await evictDurableObject(roomCalled(roomId));
  await post(ann, roomId, "three");
  await bobOnline.expectNothing("room:activity");
  passTime(5);
  await runDurableObjectAlarm(roomCalled(roomId));
  expect(await activity(bobOnline)).toMatchObject({ unreadCount: 3, lastMessage: { content: "three" } });
  passTime(5);
  const { body } = await as(ann, "GET", `/rooms/${roomId}/messages?limit=1`);
  await as(ann, "DELETE", `/rooms/${roomId}/messages/${body.messages[0].id}`);
  expect(await activity(bobOnline)).toMatchObject({ unreadCount: 2, lastMessage: { content: "two" } });
  passTime(5);
  await as(bob, "POST", `/rooms/${roomId}/messages/${body.messages[0].id.replace(/.$/, "1")}/reactions`, {
    emoji: "👍",
  });
  await runDurableObjectAlarm(roomCalled(roomId));
  await bobOnline.expectNothing("room:activity");
});

it("costs one read of the database for each gathering, a call for each who hears it, and none for anybody who is away", async () => {
  const { roomId, people } = await mintGroup("ann", "bob", "cid", "dan", "eve");
  const [ann, bob] = people;
  const bobOnline = await online(bob);
  await openRoom(ann, roomId);
  const called = watchCalls();
  const reads: { sql: string; rows: number }[] = [];
  const prepare = env.DB.prepare.bind(env.DB);
  vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
    if (sql.includes("connected_at IS NOT NULL")) reads.push({ sql, rows: 0 });
    return prepare(sql);
  });
  await runInDurableObject(roomCalled(roomId), () => undefined);
  const socket = await openRoom(ann, roomId);
  called.length = 0;
  for (const content of ["one", "two", "three"]) await socket.ask("send_message", { content });
  await activity(bobOnline);
  passTime(5);
  await runDurableObjectAlarm(roomCalled(roomId));
  expect(await activity(bobOnline)).toMatchObject({ unreadCount: 3 });
  expect(reads).toHaveLength(2);
  expect(called).toEqual([bob.id, bob.id]);
  const { meta } = await prepare(reads[0]?.sql ?? "")
    .bind(roomId, 100)
    .all();
  expect(meta.rows_read).toBeLessThanOrEqual(1 + 2 * people.length);
  vi.restoreAllMocks();
});

it("while nobody would hear it a room sets no alarm for it; who comes online hears the next", async () => {
  const { roomId, ann, bob } = await mintThree();
  const socket = await openRoom(ann, roomId);
  await socket.ask("send_message", { content: "one" });
  const setAlarm = await runInDurableObject(roomCalled(roomId), (_, { storage }) => vi.spyOn(storage, "setAlarm"));
  await vi.waitFor(async () => {
    const synced = (_: unknown, { storage }: DurableObjectState) =>
      storage.sql.exec("SELECT synced_seq AS seq FROM state").one().seq;
    expect(await runInDurableObject(roomCalled(roomId), synced)).toBe(1);
  });
  setAlarm.mockClear();
  await socket.ask("send_message", { content: "two" });
  expect(setAlarm).not.toHaveBeenCalled();
  const bobOnline = await online(bob);
  passTime(10);
  await runDurableObjectAlarm(roomCalled(roomId));
  expect(await activity(bobOnline)).toMatchObject({ unreadCount: 2 });
});

it("goes to members alone, and not in rooms of more than 100, nor courses", async () => {
  const { roomId, ann, bob, cid } = await mintThree();
  const [bobOnline, cidOnline] = [await online(bob), await online(cid)];
  await as(ann, "DELETE", `/rooms/${roomId}/members/${cid.id}`);
  await post(ann, roomId, "one");
  expect(await activity(bobOnline)).toMatchObject({ unreadCount: 1 });
  await cidOnline.expectNothing("room:activity");
  await env.DB.prepare("UPDATE rooms SET member_count = 101 WHERE id = ?").bind(roomId).run();
  passTime(5);
  await post(ann, roomId, "two");
  await runDurableObjectAlarm(roomCalled(roomId)).catch(() => undefined);
  await bobOnline.expectNothing("room:activity");
});

it("shows a file by a link that is signed, and opens for the member who got it", async () => {
  const { roomId, ann, bob } = await mintThree();
  const bobOnline = await online(bob);
  const uploaded = await worker.fetch("https://example.com/api/v1/files/upload", {
    method: "POST",
    headers: { Authorization: `Bearer ${ann.token}` },
    body: form(["file", sample("png"), "picture.png"]),
  });
  const { data } = await uploaded.json<{ data: { id: string } }>();
  await post(ann, roomId, "", { fileId: data.id });
  const { lastMessage } = await activity(bobOnline);
  expect(lastMessage.fileUrl).toMatch(/[?&]signature=/);
  expect(lastMessage).not.toHaveProperty("attachment");
  expect((await worker.fetch(new URL(lastMessage.fileUrl, "https://example.com"))).status).toBe(200);
  const kept = await runInDurableObject(hubOf(bob), (_, { storage }) =>
    storage.sql
      .exec("SELECT frame FROM log")
      .toArray()
      .map(({ frame }) => String(frame))
      .join(),
  );
  expect(kept).not.toContain("signature=");
});

it("who is online hears of being invited, removed, leaving, and of a room that is deleted: with a seq; who is away costs no call", async () => {
  const [ann, bob, cid] = [await mintUser("ann"), await mintUser("bob"), await mintUser("cid")];
  const [annOnline, bobOnline] = [await online(ann), await online(bob)];
  const id = `club-${crypto.randomUUID().slice(0, 8)}`;
  await as(ann, "POST", "/rooms", { id, name: "Club", isGroup: true, memberIds: [bob.id] });
  const actor = { id: ann.id, username: ann.username, avatarUrl: null };
  expect(await bobOnline.next("room:invited")).toMatchObject({
    seq: 1,
    data: { roomId: id, name: "Club", isGroup: true, actor },
  });
  const dan = await mintUser("dan");
  const called = watchCalls();
  await as(bob, "POST", `/rooms/${id}/members`, { userId: dan.id });
  await as(bob, "DELETE", `/rooms/${id}/members/${dan.id}`);
  expect(called).not.toContain(dan.id);
  vi.restoreAllMocks();
  const cidOnline = await online(cid);
  await as(bob, "POST", `/rooms/${id}/members`, { userId: cid.id });
  await as(bob, "POST", `/rooms/${id}/members`, { userId: cid.id });
  expect((await cidOnline.next("room:invited")).data).toMatchObject({ roomId: id, actor: { id: bob.id } });
  await as(ann, "DELETE", `/rooms/${id}/members/${cid.id}`);
  expect((await cidOnline.next("room:removed")).data).toEqual({ roomId: id, reason: "removed" });
  await as(bob, "DELETE", `/rooms/${id}/members/${bob.id}`);
  expect((await bobOnline.next("room:removed")).data).toEqual({ roomId: id, reason: "left" });
  await as(bob, "DELETE", `/rooms/${id}`);
  await as(ann, "DELETE", `/rooms/${id}`);
  expect((await annOnline.next("room:removed")).data).toEqual({ roomId: id, reason: "deleted" });
  const pair = await as(ann, "POST", "/rooms", { isGroup: false, memberIds: [bob.id] });
  await as(bob, "POST", "/rooms", { isGroup: false, memberIds: [ann.id] });
  expect((await bobOnline.next("room:invited")).data).toMatchObject({
    roomId: pair.body.id,
    name: null,
    isGroup: false,
  });
  for (const socket of [annOnline, bobOnline, cidOnline]) await socket.expectNothing("room:invited", "room:removed");
});

it("a member who is named in a room has a notification of it, as of a comment, and hears it once", async () => {
  const { roomId, ann, bob, cid } = await mintThree();
  const [bobOnline, cidOnline] = [await online(bob), await connectSocketIo(cid)];
  const stranger = await mintUser("stranger");
  const content = `@${bob.username.toUpperCase()}. and @${cid.username}, @${ann.username}, @${stranger.username}, @${bob.username}`;
  const sent = await post(ann, roomId, content);
  const notice = {
    type: "mention",
    refId: sent.body.id,
    seen: false,
    actor: { id: ann.id, username: ann.username, avatarUrl: null },
    target: { type: "room", id: roomId, title: "The group" },
  };
  const frame = await bobOnline.next("notification:new");
  expect(frame).toMatchObject({ seq: expect.any(Number), data: { ...notice, userId: bob.id } });
  expect(await cidOnline.next("notification:new")).toMatchObject(notice);
  expect((await bobOnline.next("notification:unseen_count")).data).toEqual({ count: 1 });
  expect((await as(bob, "GET", "/notifications")).body.notifications).toEqual([frame.data]);
  for (const user of [ann, stranger]) expect((await as(user, "GET", "/notifications")).body.notifications).toEqual([]);
  await as(bob, "POST", "/notifications/mark-seen", { notificationIds: [frame.data.id] });
  expect((await as(bob, "GET", "/notifications/unseen-count")).body).toEqual({ count: 0 });
});

it("nobody hears of being named by somebody whom they blocked, while muted, or after leaving; at most 20 hear of one message", async () => {
  const { roomId, ann, bob, cid } = await mintThree();
  const dan = await mintUser("dan");
  await as(ann, "POST", `/rooms/${roomId}/members`, { userId: dan.id });
  await as(ann, "DELETE", `/rooms/${roomId}/members/${dan.id}`);
  await as(bob, "POST", `/friends/${ann.id}/block`);
  await as(ann, "POST", `/rooms/${roomId}/members/${cid.id}/mute`, { seconds: 60 });
  await post(ann, roomId, `@${bob.username} @${cid.username} @${dan.username}`);
  const crowd = Array.from({ length: 20 }, (_, n) => `@nobody_${n}`).join(" ");
  await as(ann, "DELETE", `/rooms/${roomId}/members/${cid.id}/mute`);
  await post(ann, roomId, `${crowd} @${cid.username}`);
  await post(ann, roomId, `@${cid.username}, at last`);
  await vi.waitFor(async () => expect((await as(cid, "GET", "/notifications")).body.notifications).toHaveLength(1));
  for (const user of [bob, dan]) {
    const { body } = await as(user, "GET", "/notifications");
    expect(body.notifications.filter(({ type }: { type: string }) => type === "mention")).toEqual([]);
  }
});

it("what could not be told at once is told by the room's alarm, once", async () => {
  const { roomId, ann, bob } = await mintThree();
  const batch = vi.spyOn(env.DB, "batch").mockImplementation(() => Promise.reject(new Error("no database")));
  const socket = await openRoom(ann, roomId).catch(() => null);
  batch.mockRestore();
  const open = socket ?? (await openRoom(ann, roomId));
  const failing = vi.spyOn(env.DB, "batch").mockImplementation(() => Promise.reject(new Error("no database")));
  await open.ask("send_message", { content: `@${bob.username}` });
  await vi.waitFor(() => expect(failing).toHaveBeenCalled());
  failing.mockRestore();
  await evictDurableObject(roomCalled(roomId));
  passTime(11);
  await runDurableObjectAlarm(roomCalled(roomId));
  passTime(11);
  await runDurableObjectAlarm(roomCalled(roomId));
  expect((await as(bob, "GET", "/notifications")).body.notifications).toHaveLength(1);
});

it("accepted friends who are online hear who came and went, at most every 30 s; a reload is no leaving", async () => {
  const [ann, bob, cid] = [await mintUser("ann"), await mintUser("bob"), await mintUser("cid")];
  await as(ann, "POST", "/friends", { friendId: bob.id });
  await as(bob, "POST", `/friends/${ann.id}/accept`);
  await as(cid, "POST", "/friends", { friendId: ann.id });
  const [bobOnline, cidOnline] = [await online(bob), await online(cid)];
  const called = watchCalls();
  const first = await openHub(ann);
  const came = await bobOnline.next("presence:changed");
  expect(came.data).toEqual({ userId: ann.id, isOnline: true, lastSeen: null });
  expect(came.seq).toBeUndefined();
  first.close();
  await first.nextClose();
  const second = await online(ann);
  passTime(31);
  await runDurableObjectAlarm(hubOf(ann));
  await bobOnline.expectNothing("presence:changed");
  second.close();
  await second.nextClose();
  await vi.waitFor(() => runInDurableObject(hubOf(ann), (_, { storage }) => storage.getAlarm()));
  await bobOnline.expectNothing("presence:changed");
  passTime(4);
  await runDurableObjectAlarm(hubOf(ann));
  const went = await bobOnline.next("presence:changed");
  expect(went.data).toMatchObject({ userId: ann.id, isOnline: false, lastSeen: expect.any(String) });
  expect(called.filter((id) => id === cid.id)).toEqual([]);
  vi.restoreAllMocks();
  await cidOnline.expectNothing("presence:changed");
});
