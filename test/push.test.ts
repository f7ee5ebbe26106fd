/** Web Push (SPEC 13): a push service is played here, and what it gets is decrypted as browsers do. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { config } from "../src/config.ts";
import { startContext } from "../src/context.ts";
import { quietUntil } from "../src/features/push/quiet-hours.ts";
import { sendPushes } from "../src/features/push/service.ts";
import { mintAdmin, run } from "./support/admin.ts";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { passTime } from "./support/clock.ts";
import { PRODUCTION } from "./support/production.ts";
import { FakePushService, PushBrowser, vapidOf } from "./support/push.ts";
import { as, openRoom, post as say } from "./support/rooms.ts";
import { signShared } from "./support/shared.ts";
import { get, post, remove } from "./support/social.ts";
import { openHub } from "./support/socket.ts";

const service = new FakePushService();
beforeAll(() => service.play());
afterAll(() => vi.restoreAllMocks());

const write = (from: { token: string }, to: { id: number }, content = "hello") =>
  post(from, "/messages", { receiverId: to.id, content });
const hubOf = ({ id }: { id: number }) => env.USER_HUB.getByName(String(id));
const set = (user: TestUser, body: object) => call("/push/settings", { method: "PATCH", token: user.token, body });
const subscriptionsOf = ({ id }: { id: number }) => run("SELECT id FROM push_subscriptions WHERE user_id = ?", id);

/** Somebody who is away, with a browser that is pushed to. */
async function away(): Promise<{ user: TestUser; browser: PushBrowser }> {
  const [user, browser] = [await mintUser("away"), await PushBrowser.open()];
  expect((await browser.register(user)).status).toBe(201);
  return { user, browser };
}

/** The platform says that the user's newest socket has ended. */
const endWith = (user: TestUser, code: number) =>
  runInDurableObject(hubOf(user), (hub, state) => {
    const socket = state.getWebSockets().at(-1);
    if (socket) hub.webSocketClose(socket, code);
  });

/** All alarms that are due, until nothing is. */
async function settled(user: { id: number }): Promise<void> {
  while (await runDurableObjectAlarm(hubOf(user))) {
    const isDue = await runInDurableObject(hubOf(user), async (_, { storage }) => {
      const at = await storage.getAlarm();
      return at !== null && at <= Date.now();
    });
    if (!isDue) return;
  }
}

describe("who has no open connection", () => {
  it("is pushed a direct message within a second, signed for its service, with who it is from and not what", async () => {
    const [{ user, browser }, ann] = [await away(), await mintUser("ann")];
    const before = Date.now();
    const { body } = await write(ann, user, "a secret");
    const { payload, headers } = await service.nth(browser);
    expect(Date.now() - before).toBeLessThan(1000);
    const sender = { id: ann.id, username: ann.username, displayName: null, avatarUrl: null };
    expect(payload).toEqual({ type: "message", sender, count: 1, tag: `message:${ann.id}` });
    expect(Object.fromEntries(headers)).toMatchObject({
      "content-encoding": "aes128gcm",
      ttl: "86400",
      urgency: "high",
    });
    const { payload: claims, key, algorithm } = await vapidOf(headers, "https://push.example.com");
    expect([key, algorithm]).toEqual([(await get(user, "/push/key")).body.key, "ES256"]);
    expect(claims.sub).toBe("mailto:development@localhost");
    expect(Number(claims.exp) * 1000 - before).toBeLessThan(24 * 3_600_000);
    expect(body.content).toBe("a secret");
  });

  it("is pushed a notification; who has a connection is not, nor is who sent", async () => {
    const [{ user, browser }, ann] = [await away(), await away()];
    await post(ann.user, `/users/${user.id}/follow`);
    const { payload, headers } = await service.nth(browser);
    expect(payload).toMatchObject({
      type: "notification",
      sender: { id: ann.user.id },
      notification: { type: "follow" },
    });
    expect(headers.get("urgency")).toBe("normal");
    const socket = await openHub(user);
    await write(ann.user, user);
    await socket.next("message:new");
    await settled(user);
    await settled(ann.user);
    expect(service.to(browser)).toHaveLength(1);
    expect(service.to(ann.browser)).toHaveLength(0);
  });

  it("is pushed what is said in a private room by its other member, and nothing while in the room", async () => {
    const [{ user, browser }, ann] = [await away(), await mintUser("ann")];
    const room = (await as(ann, "POST", "/rooms", { isGroup: false, memberIds: [user.id] })).body;
    await say(ann, room.id, "psst");
    const { payload } = await service.nth(browser);
    expect(payload).toMatchObject({ type: "room", roomId: room.id, sender: { id: ann.id }, count: 1 });
    const inRoom = await openRoom(user, room.id);
    passTime(120);
    await say(ann, room.id, "psst again");
    await inRoom.next("new_message");
    await settled(user);
    expect(service.to(browser)).toHaveLength(1);
  });

  it("is not pushed what an open socket takes, however silent; what a dead one was sent is pushed when it ends", async () => {
    const [{ user, browser }, ann] = [await away(), await mintUser("ann")];
    const silent = await openHub(user);
    passTime(601);
    expect(await hubOf(user).isOnline()).toBe(false);
    await write(ann, user);
    const room = (await as(ann, "POST", "/rooms", { isGroup: false, memberIds: [user.id] })).body;
    await say(ann, room.id, "psst");
    expect((await silent.next("message:new")).data).toMatchObject({ content: "hello" });
    await settled(user);
    expect(service.to(browser)).toHaveLength(0);
    await evictDurableObject(hubOf(user));
    await endWith(user, 1006);
    await settled(user);
    expect((await service.nth(browser)).payload).toMatchObject({ type: "message", sender: { id: ann.id }, count: 1 });
    const closing = await openHub(user);
    passTime(601);
    expect(await hubOf(user).isOnline()).toBe(false);
    await write(ann, user, "again");
    await closing.next("message:new");
    await endWith(user, 1000);
    await settled(user);
    expect(service.to(browser)).toHaveLength(1);
  });

  it("costs nothing while there is no subscription: nothing is noted", async () => {
    const [user, ann] = [await mintUser(), await mintUser()];
    await write(ann, user);
    const kept = await runInDurableObject(hubOf(user), async (_, { storage }) => ({
      rows: storage.sql.exec("SELECT * FROM pushes").toArray(),
      isOn: storage.sql.exec("SELECT is_on FROM push_state").one().is_on,
    }));
    expect(kept).toEqual({ rows: [], isOn: 0 });
  });
});

describe("what is pushed", () => {
  it("is gathered: a busy conversation is one push at once, and one a minute after, with how many there were", async () => {
    const [{ user, browser }, ann] = [await away(), await mintUser("ann")];
    await write(ann, user);
    await service.nth(browser);
    for (const text of ["two", "three", "four"]) await write(ann, user, text);
    await settled(user);
    expect(service.to(browser)).toHaveLength(1);
    passTime(61);
    await settled(user);
    expect((await service.nth(browser, 2)).payload).toMatchObject({ count: 3 });
    const bob = await mintUser("bob");
    await write(bob, user);
    await settled(user);
    expect((await service.nth(browser, 3)).payload).toMatchObject({ sender: { id: bob.id }, count: 1 });
  });

  it("is only what may still be seen: not what was read elsewhere, nor by somebody who is blocked, nor to who is banned", async () => {
    const [{ user, browser }, ann, admin] = [await away(), await mintUser("ann"), await mintAdmin()];
    await set(user, { quietHours: { from: "00:00", to: "23:59", timeZone: "UTC" } });
    const quiet = async (act: () => Promise<unknown>) => {
      await write(ann, user);
      await settled(user);
      await act();
      passTime(86_400);
      await settled(user);
    };
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2027-01-01T12:00:00Z") });
    await quiet(() =>
      call("/messages/seen", { method: "POST", token: user.token, body: { conversationWith: ann.id } }),
    );
    await quiet(() => post(user, `/users/${ann.id}/block`));
    await remove(user, `/users/${ann.id}/block`);
    await quiet(() =>
      call(`/admin/users/${user.id}/ban`, { method: "POST", token: admin.token, body: { reason: "x" } }),
    );
    expect(service.to(browser)).toHaveLength(0);
  });

  it("says as much as PUSH_CONTENT lets it", async () => {
    const [{ user, browser }, ann] = [await away(), await mintUser("ann")];
    await runInDurableObject(hubOf(user), (_, { storage }) => void storage.sql.exec("UPDATE push_state SET is_on = 0"));
    await evictDurableObject(hubOf(user));
    const { body } = await write(ann, user, "I'm <3".padEnd(600, "!"));
    const due = { key: "k", item: { kind: "message" as const, id: body.id, senderId: ann.id }, count: 2, to: null };
    const sent = async (PUSH_CONTENT: string, number: number) => {
      const ctx = startContext({ env: Object.assign({}, env, { PUSH_CONTENT }), later: () => {} });
      expect(await sendPushes(ctx, user.id, [due])).toEqual({ isOn: true, done: ["k"], left: [] });
      return (await service.nth(browser, number)).payload;
    };
    expect(await sent("none", 1)).toEqual({ type: "new", count: 2, tag: "k" });
    expect(await sent("text", 2)).toMatchObject({ sender: { id: ann.id }, text: "I'm <3".padEnd(500, "!") });
  });

  it("has a room's text with PUSH_CONTENT=text, of messages and mentions, while it may be seen", async () => {
    const [{ user, browser }, ann] = [await away(), await mintUser("ann")];
    await openHub(user);
    const pair = (await as(ann, "POST", "/rooms", { isGroup: false, memberIds: [user.id] })).body;
    const group = (await as(ann, "POST", "/rooms", { isGroup: true, name: "All", memberIds: [user.id] })).body;
    const { body: psst } = await say(ann, pair.id, "psst");
    const { body: hey } = await say(ann, group.id, `hey @${user.username}`);
    const mention = await vi.waitFor(async () => {
      const [row] = await run("SELECT id FROM notifications WHERE user_id = ?", user.id);
      return z.object({ id: z.number() }).parse(row).id;
    });
    const due = [
      {
        key: "r",
        item: { kind: "room" as const, roomId: pair.id, messageId: psst.id, senderId: ann.id },
        count: 1,
        to: null,
      },
      { key: "n", item: { kind: "notification" as const, id: mention }, count: 1, to: null },
    ];
    const send = async (PUSH_CONTENT: string) => {
      const ctx = startContext({ env: Object.assign({}, env, { PUSH_CONTENT }), later: () => {} });
      const before = service.to(browser).length;
      await sendPushes(ctx, user.id, due);
      const pushed = service.to(browser).slice(before);
      return Promise.all(pushed.map(({ body }) => browser.decrypt(body)));
    };
    const texts = (payloads: unknown[]) =>
      payloads.map((payload) => z.object({ text: z.string().optional() }).parse(payload).text);
    expect(texts(await send("text"))).toEqual(["psst", `hey @${user.username}`]);
    expect(texts(await send("sender"))).toEqual([undefined, undefined]);
    await as(ann, "DELETE", `/rooms/${group.id}/messages/${hey.id}`);
    expect(texts(await send("text"))).toEqual(["psst"]);
    await run("UPDATE room_members SET read_seq = 99 WHERE room_id = ? AND user_id = ?", pair.id, user.id);
    expect(await send("text")).toEqual([]);
  });

  it("is what the user wants, outside of their quiet hours", async () => {
    const [{ user, browser }, ann] = [await away(), await mintUser("ann")];
    expect((await set(user, {})).body).toEqual({ messages: true, notifications: true, quietHours: null });
    expect((await set(user, { messages: false })).body.messages).toBe(false);
    await write(ann, user);
    await post(ann, `/users/${user.id}/follow`);
    expect((await service.nth(browser)).payload).toMatchObject({ type: "notification" });
    const quietHours = { from: "22:00", to: "07:00", timeZone: "Europe/Berlin" };
    expect((await set(user, { messages: true, quietHours })).body).toEqual({
      messages: true,
      notifications: true,
      quietHours,
    });
    const at = (time: string) => Date.parse(`2026-11-28T${time}Z`);
    expect(quietUntil(quietHours, at("20:59:30"))).toBeUndefined();
    expect(quietUntil(quietHours, at("21:00:30"))).toBe(at("21:00") + 9 * 3_600_000);
    expect(quietUntil(quietHours, at("05:59:59"))).toBe(at("06:00"));
    expect(quietUntil(quietHours, at("06:00"))).toBeUndefined();
    for (const bad of [
      { ...quietHours, timeZone: "Mars" },
      { ...quietHours, from: "24:00" },
    ]) {
      expect((await set(user, { quietHours: bad })).status).toBe(400);
    }
    expect((await set(user, { quietHours: null })).body.quietHours).toBeNull();
  });
});

describe("a push service", () => {
  it("that fails is asked again, by nobody's loss: others have it once, also after the object was put to sleep", async () => {
    const [{ user, browser }, other, ann] = [await away(), await PushBrowser.open(), await mintUser("ann")];
    await other.register(user);
    service.answer(browser.endpoint, 503, 429);
    await write(ann, user);
    await service.nth(browser, 1);
    const triesOf = (_: unknown, { storage }: DurableObjectState) =>
      storage.sql.exec("SELECT tries FROM pushes").toArray();
    await vi.waitFor(async () => expect(await runInDurableObject(hubOf(user), triesOf)).toEqual([{ tries: 1 }]));
    await evictDurableObject(hubOf(user));
    passTime(6);
    await settled(user);
    passTime(20);
    await settled(user);
    expect((await service.nth(browser, 3)).payload).toMatchObject({ count: 1 });
    expect(service.to(other)).toHaveLength(1);
    passTime(4000);
    await settled(user);
    expect(service.to(browser)).toHaveLength(3);
  });

  it.each([404, 410])("that answers %i is forgotten", async (status) => {
    const [{ user, browser }, ann] = [await away(), await mintUser("ann")];
    service.answer(browser.endpoint, status);
    await write(ann, user);
    await service.nth(browser);
    await vi.waitFor(async () => expect(await subscriptionsOf(user)).toEqual([]));
    await write(await mintUser(), user);
    await settled(user);
    expect(service.to(browser)).toHaveLength(1);
  });
});

describe("a subscription", () => {
  it("ends with its session, and by its owner alone", async () => {
    const [{ user, browser }, ann] = [await away(), await mintUser("ann")];
    const { id } = (await browser.register(user)).body;
    expect(await subscriptionsOf(user)).toEqual([{ id }]);
    expect((await remove(ann, `/push/subscriptions/${id}`)).status).toBe(404);
    expect((await remove(user, `/push/subscriptions/${id}`)).status).toBe(200);
    expect((await remove(user, `/push/subscriptions/${id}`)).status).toBe(404);
    await browser.register(user);
    await call("/auth/logout", { method: "POST", token: user.token });
    expect(await subscriptionsOf(user)).toEqual([]);
    await write(ann, user);
    await settled(user);
    expect(service.to(browser)).toHaveLength(0);
  });

  it("of a token that somebody else signed ends with a logout", async () => {
    const token = await signShared({ sub: `ext-${crypto.randomUUID()}`, role: "user" });
    const { id } = (await call("/auth/me", { token })).body;
    await (await PushBrowser.open()).register({ token });
    expect(await subscriptionsOf({ id })).toHaveLength(1);
    await call("/auth/logout", { method: "POST", token });
    expect(await subscriptionsOf({ id })).toEqual([]);
  });

  it("is the user's who registers the browser last", async () => {
    const [{ user, browser }, bob, ann] = [await away(), await mintUser("bob"), await mintUser("ann")];
    await browser.register(bob);
    expect(await subscriptionsOf(user)).toEqual([]);
    await write(ann, user);
    await settled(user);
    expect(service.to(browser)).toHaveLength(0);
    await write(ann, bob);
    expect((await service.nth(browser)).payload).toMatchObject({ type: "message" });
  });

  it("is one of ten, also when twelve are registered at once", async () => {
    const user = await mintUser();
    const browsers = await Promise.all(Array.from({ length: 12 }, () => PushBrowser.open()));
    const answers = await Promise.all(browsers.map((browser) => browser.register(user)));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(10).fill(201), 409, 409]);
    expect(await subscriptionsOf(user)).toHaveLength(10);
  });

  it("is at a browser's push service, with keys that are some", async () => {
    const [user, browser] = [await mintUser(), await PushBrowser.open()];
    const register = (more: object) =>
      call("/push/subscriptions", { method: "POST", token: user.token, body: { ...browser.subscription, ...more } });
    for (const endpoint of [
      "http://push.example.com/x",
      "https://push.example.com:8443/x",
      "https://user@push.example.com/x",
      "https://evil.push.example.com/x",
      "https://push.example.com.evil.example/x",
      "https://169.254.169.254/latest",
      "http://192.168.0.1/",
      "file:///etc/passwd",
    ]) {
      const { status, body } = await register({ endpoint });
      expect([endpoint, status, body.error?.details?.[0].path]).toEqual([endpoint, 400, "endpoint"]);
    }
    expect((await register({ endpoint: "http://127.0.0.1:9999/x" })).status).toBe(201);
    const { keys } = browser.subscription;
    for (const p256dh of ["short", "B".padEnd(87, "A"), keys.p256dh.slice(1)]) {
      expect((await register({ keys: { ...keys, p256dh } })).status).toBe(400);
    }
    expect((await register({ keys: { ...keys, auth: "AAAA" } })).status).toBe(400);
  });

  it("is gone with the account, with all that was to be pushed", async () => {
    const [{ user }, admin] = [await away(), await mintAdmin()];
    await set(user, { messages: false });
    await call(`/admin/users/${user.id}`, { method: "DELETE", token: admin.token, body: { reason: "asked for" } });
    expect(await subscriptionsOf(user)).toEqual([]);
    expect(await run("SELECT 1 FROM push_settings WHERE user_id = ?", user.id)).toEqual([]);
  });

  it("is nobody's who is not signed in", async () => {
    const body = (await PushBrowser.open()).subscription;
    expect((await call("/push/key")).status).toBe(401);
    expect((await call("/push/subscriptions", { method: "POST", body })).status).toBe(401);
    expect((await call("/push/subscriptions/x", { method: "DELETE" })).status).toBe(401);
    expect((await call("/push/settings", { method: "PATCH", body: {} })).status).toBe(401);
  });
});

describe("the keys", () => {
  it("go together, need somebody to write to in production, and are keys", () => {
    const { VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY, ...rest }: Record<string, unknown> = { ...env };
    const keys = { VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY };
    expect(config({ ...rest }).VAPID).toBeUndefined();
    expect(() => config({ ...rest, VAPID_PUBLIC_KEY })).toThrow(/go together/);
    expect(() => config({ ...rest, ...keys, VAPID_PRIVATE_KEY: "x" })).toThrow(/VAPID_PRIVATE_KEY must be a key/);
    const { VAPID_SUBJECT, ...production } = PRODUCTION;
    expect(() => config({ ...rest, ...keys, ...production })).toThrow(/VAPID_SUBJECT is missing/);
    expect(config({ ...rest, ...keys, ...PRODUCTION }).VAPID?.subject).toBe(VAPID_SUBJECT);
  });
});
