/** Who is in a room, for the others: one by one, and in a crowd (SPEC 5). */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { TestUser } from "./support/api.ts";
import { call, mintUser } from "./support/api.ts";
import { at } from "./support/items.ts";
import { mintGroup, mintThree, openCourse, openRoom, promote } from "./support/rooms.ts";
import { openSocket, type TestSocket } from "./support/socket.ts";

const PRESENCE = ["user_joined", "user_left", "presence", "online_users"];

/** A room with so many people in it, the first of whom has a socket of their own. */
async function crowd(size: number) {
  const { roomId, people } = await mintGroup("first", ...Array.from({ length: size - 1 }, (_, at) => `p${at}`));
  const [first, ...others] = people;
  const watcher = await openRoom(first, roomId, "&heartbeat=client");
  return { roomId, first, others, watcher };
}

async function enter(roomId: string, people: TestUser[]): Promise<TestSocket[]> {
  const sockets = [];
  for (const user of people) sockets.push(await openRoom(user, roomId, "&heartbeat=client"));
  return sockets;
}

const countOf = (socket: TestSocket, type: string) => socket.frames.filter((frame) => frame.type === type).length;

describe("leaving", () => {
  it("is told once also when it is what wakes the room, and whoever was put out does not come back by its sleep", async () => {
    const { roomId, ann, bob, cid } = await mintThree();
    const [anns, bobs, cids] = [await openRoom(ann, roomId), await openRoom(bob, roomId), await openRoom(cid, roomId)];
    await call(`/rooms/${roomId}/members/${cid.id}`, { method: "DELETE", token: ann.token });
    await cids.nextClose();
    expect((await anns.next("user_left")).data).toMatchObject({ userId: cid.id });
    await evictDurableObject(env.CHAT_ROOM.getByName(roomId));
    bobs.close();
    expect((await anns.next("user_left")).data).toMatchObject({ userId: bob.id });
    const again = await openSocket(`/rooms/${roomId}/ws?token=${ann.token}`);
    expect((await again.next("online_users")).data).toMatchObject({ count: 1, users: [{ userId: ann.id }] });
    await anns.expectNothing("user_left");
  });
});

describe("typing", () => {
  it("ends for the others when its last typing connection closes, and not before", async () => {
    const { roomId, ann, bob } = await mintThree();
    const [one, two] = [await openRoom(ann, roomId), await openRoom(ann, roomId)];
    const bobs = await openRoom(bob, roomId);
    for (const socket of [one, two]) {
      await socket.ask("typing", { isTyping: true });
      await bobs.next("typing");
    }
    one.close();
    await one.nextClose();
    await bobs.expectNothing("typing", "user_left");
    two.close();
    expect(await bobs.next("typing")).toMatchObject({ data: { userId: ann.id, isTyping: false } });
    await bobs.next("user_left");
  });

  it("ends also after the room slept, and not twice for who said so", async () => {
    const { roomId, ann, bob, cid } = await mintThree();
    const [anns, bobs, cids] = [await openRoom(ann, roomId), await openRoom(bob, roomId), await openRoom(cid, roomId)];
    await anns.ask("typing", { isTyping: true });
    await bobs.ask("typing", { isTyping: true });
    await bobs.ask("typing", { isTyping: false });
    await cids.collect("typing", 3);
    await evictDurableObject(env.CHAT_ROOM.getByName(roomId));
    bobs.close();
    await cids.next("user_left");
    anns.close();
    await cids.next("user_left");
    expect(cids.frames.filter(({ type }) => type === "typing").map(({ data }) => [data.userId, data.isTyping])).toEqual(
      [
        [ann.id, true],
        [bob.id, true],
        [bob.id, false],
        [ann.id, false],
      ],
    );
  });
});

/** Somebody as a list of the messenger shows them, in both cases. */
const shown = ({ id, username }: TestUser) => ({ userId: id, user_id: id, username, avatarUrl: null });

describe("a crowd", () => {
  it("of up to 100 people is told of each; beyond, joins and leaves are gathered, and lists are cut", async () => {
    const { roomId, first, others, watcher } = await crowd(104);
    const sockets = await enter(roomId, others.slice(0, 99));
    const joined = await watcher.collect("user_joined", 99);
    expect(joined.map(({ data }) => data.userId)).toEqual(others.slice(0, 99).map(({ id }) => id));
    expect(countOf(watcher, "presence")).toBe(0);

    const late = await openRoom(at(others, 99), roomId);
    const online = late.frames.find(({ type }) => type === "online_users");
    expect(online?.data).toMatchObject({ roomId, count: 101 });
    expect(online?.data.users).toHaveLength(100);
    expect(online?.data.users[0]).toEqual(shown(first));
    const news = await watcher.next("presence");
    expect(news).toEqual({
      type: "presence",
      data: {
        roomId,
        room_id: roomId,
        count: 101,
        joined: [shown(at(others, 99))],
        left: [],
      },
    });
    await watcher.expectNothing("user_joined");

    // Within a second of that: gathered, whoever was here for a moment only left out.
    sockets[0]?.close();
    await sockets[0]?.nextClose();
    const more = await enter(roomId, others.slice(100, 103));
    more[0]?.close();
    await more[0]?.nextClose();
    const gathered = await watcher.next("presence");
    expect(gathered.data).toMatchObject({ count: 102, left: [others[0]?.id] });
    expect(gathered.data.joined.map(({ userId }: { userId: number }) => userId)).toEqual([
      others[101]?.id,
      others[102]?.id,
    ]);
    expect(countOf(watcher, "presence")).toBe(2);
    expect(countOf(watcher, "user_left")).toBe(0);

    // What would be told of each member to each member is not.
    await late.ask("typing", { isTyping: true });
    await late.ask("send_message", { content: "still talking" });
    expect((await late.ask("read", { seq: 1 })).data).toEqual({ seq: 1 });
    await watcher.next("new_message");
    await watcher.expectNothing("typing", "read");

    // It is a crowd until 90 are left, also across the room's sleep.
    await evictDurableObject(env.CHAT_ROOM.getByName(roomId));
    for (const socket of sockets.slice(1, 12)) socket.close();
    await watcher.next("presence");
    expect(countOf(watcher, "user_left")).toBe(0);
    expect(countOf(watcher, "online_users")).toBe(1);
    sockets[12]?.close();
    const whole = await watcher.next("online_users");
    expect(whole.data.count).toBe(90);
    expect(whole.data.users).toHaveLength(90);
    sockets[13]?.close();
    expect((await watcher.next("user_left")).data).toMatchObject({ userId: others[13]?.id });
    await watcher.expectNothing(...PRESENCE);
    await late.ask("typing", { isTyping: true });
    await watcher.next("typing");
  }, 60_000);
});

describe("a course", () => {
  it("says how many are here", async () => {
    const [mod, ann] = [await mintUser("mod"), await mintUser("ann")];
    await promote(env.DB, mod, "moderator");
    const courseId = `presence-${mod.id}`;
    await call("/chat/courses", { method: "POST", token: mod.token, body: { courseId, name: "Presence" } });
    await openCourse(mod, courseId);
    const socket = await openSocket(`/chat/courses/${courseId}/ws?token=${ann.token}`);
    const { data } = await socket.next("chat:online_users");
    expect(data).toMatchObject({ courseId, count: 2 });
    expect(data.users.map(({ userId }: { userId: number }) => userId)).toEqual([mod.id, ann.id]);
  });
});
