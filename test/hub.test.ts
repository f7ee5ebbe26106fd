import { evictDurableObject, listDurableObjectIds, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { decodeJwt, SignJWT } from "jose";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ConnectionState } from "../src/realtime/connection-state.ts";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { at } from "./support/items.ts";
import { openHub, openSocket, upgrade } from "./support/socket.ts";

const SECRET = new TextEncoder().encode("test-only-secret-of-at-least-32-bytes");
const hubOf = (user: TestUser) => env.USER_HUB.getByName(String(user.id));

const deliver = (user: TestUser, ...deliveries: { id: number; frames: { type: string; data: unknown }[] }[]) =>
  hubOf(user).deliver(deliveries.map(({ id, frames }) => ({ id, payload: { frames } })));

const event = (n: number) => ({ type: "test:event", data: { n } });

/** Time passes for the service. */
const pass = (ms: number): void => {
  const now = Date.now() + ms;
  if (vi.isFakeTimers()) vi.setSystemTime(now);
  else vi.useFakeTimers({ toFake: ["Date"], now });
};
afterEach(() => vi.useRealTimers());

/** A token like the user's own, but for its end. */
const tokenUntil = (user: TestUser, seconds: number) =>
  new SignJWT({ ...decodeJwt(user.token), exp: Math.floor(Date.now() / 1000) + seconds })
    .setProtectedHeader({ alg: "HS256" })
    .sign(SECRET);

describe("opening the event socket", () => {
  it("says where the log stands, before any event", async () => {
    const user = await mintUser();
    await deliver(user, { id: 1, frames: [event(1), event(2)] });
    const socket = await openSocket(`/ws?token=${user.token}`);
    const first = await socket.nextFrame();
    expect(first).toEqual({ type: "connected", userId: user.id, seq: 2, epoch: expect.any(String) });
    await socket.expectNothing("test:event");
  });

  it("answers 426 without an upgrade and 403 to a foreign page", async () => {
    const user = await mintUser();
    const plain = await call(`/ws?token=${user.token}`);
    expect([plain.status, plain.body.error.code]).toEqual([426, "UPGRADE_REQUIRED"]);
    for (const origin of [
      "https://evil.example",
      "http://localhost.evil.example",
      "null",
      "http://notlocalhost:8787",
    ]) {
      expect((await upgrade(`/ws?token=${user.token}`, { Origin: origin })).status).toBe(403);
    }
    for (const origin of ["http://localhost:8787", "http://localhost:3000", "http://127.0.0.1:5173"]) {
      expect((await upgrade(`/ws?token=${user.token}`, { Origin: origin })).status).toBe(101);
    }
  });

  it("closes with 4001 without a token and 4003 for a banned user, and makes no object", async () => {
    const banned = await mintUser();
    await env.DB.prepare("UPDATE users SET banned_at=1 WHERE id=?").bind(banned.id).run();
    const before = (await listDurableObjectIds(env.USER_HUB)).length;
    expect((await (await openSocket("/ws")).nextClose()).code).toBe(4001);
    expect((await (await openSocket("/ws?token=junk")).nextClose()).code).toBe(4001);
    expect((await (await openSocket("/ws?ticket=junk")).nextClose()).code).toBe(4001);
    expect(await (await openSocket(`/ws?token=${banned.token}`)).nextClose()).toEqual({
      code: 4003,
      reason: "FORBIDDEN",
    });
    expect((await listDurableObjectIds(env.USER_HUB)).length).toBe(before);
  });

  it("does not believe internal headers of a client", async () => {
    const [user, victim] = [await mintUser(), await mintUser()];
    const forged = encodeURIComponent(JSON.stringify({ userId: victim.id, role: "admin" }));
    const socket = await openSocket(`/ws?token=${user.token}`, { "x-roomcast-connect-request": forged });
    expect((await socket.next("connected")).userId).toBe(user.id);
  });

  it("answers 400 to a since that is no number", async () => {
    const user = await mintUser();
    expect((await upgrade(`/ws?token=${user.token}&since=abc`)).status).toBe(400);
  });
});

describe("resuming", () => {
  it("replays what was missed, in order, each once, before what is new", async () => {
    const user = await mintUser();
    const first = await openHub(user);
    const epoch = first.frames[0]?.epoch;
    await deliver(user, { id: 1, frames: [event(1)] }, { id: 2, frames: [event(2)] });
    await first.collect("test:event", 2);
    first.close();
    await deliver(user, { id: 3, frames: [event(3), event(4)] }, { id: 4, frames: [event(5)] });
    await evictDurableObject(hubOf(user));
    const again = await openSocket(`/ws?token=${user.token}&since=2&epoch=${epoch}`);
    await deliver(user, { id: 5, frames: [event(6)] });
    await again.collect("test:event", 4);
    expect(again.frames.map(({ type, seq, data }) => [type, seq, data?.n])).toEqual([
      ["connected", 5, undefined],
      ["test:event", 3, 3],
      ["test:event", 4, 4],
      ["test:event", 5, 5],
      ["test:event", 6, 6],
    ]);
  });

  it("says resync with the head when the epoch is another, or the position is ahead of the log", async () => {
    const user = await mintUser();
    await deliver(user, { id: 1, frames: [event(1)] });
    for (const query of ["&since=0&epoch=other", "&since=7"]) {
      const socket = await openSocket(`/ws?token=${user.token}${query}`);
      const hello = await socket.next("connected");
      expect(await socket.nextFrame()).toEqual({ type: "resync", data: { seq: 1, epoch: hello.epoch } });
      await socket.expectNothing("test:event");
    }
  });

  it("says resync when a frame is no longer kept, never a silent part; the last 1000 are", async () => {
    const user = await mintUser();
    const frames = (from: number, count: number) => Array.from({ length: count }, (_, n) => event(from + n));
    await deliver(user, { id: 1, frames: frames(1, 1500) });
    await runInDurableObject(hubOf(user), (_hub, state) => {
      state.storage.sql.exec("UPDATE log SET at = at - 8 * 86400000");
    });
    await deliver(user, { id: 2, frames: frames(1501, 600) });
    const kept = await runInDurableObject(hubOf(user), (_hub, state) =>
      state.storage.sql
        .exec<{ tail: number; head: number }>("SELECT min(seq) AS tail, max(seq) AS head FROM log")
        .one(),
    );
    expect(kept.head - kept.tail + 1).toBeGreaterThanOrEqual(1000);
    expect(kept.tail).toBeGreaterThan(500);
    const late = await openSocket(`/ws?token=${user.token}&since=${kept.tail - 2}`);
    await late.next("resync");
    const inTime = await openSocket(`/ws?token=${user.token}&since=${kept.tail - 1}&batch=1`);
    const replay = await inTime.collect("test:event", kept.head - kept.tail + 1);
    expect(replay.map(({ seq }) => seq)).toEqual(replay.map((_, n) => kept.tail + n));
    expect(inTime.messages.length).toBeLessThan(replay.length / 50);
  });

  it("drops what the outbox delivers twice", async () => {
    const user = await mintUser();
    const socket = await openHub(user);
    await deliver(user, { id: 10, frames: [event(1)] }, { id: 12, frames: [event(2)] });
    await evictDurableObject(hubOf(user));
    await deliver(user, { id: 10, frames: [event(1)] }, { id: 12, frames: [event(2)] }, { id: 13, frames: [event(3)] });
    await socket.collect("test:event", 3);
    await socket.expectNothing("none");
    expect(socket.frames.filter(({ type }) => type === "test:event").map(({ data }) => data.n)).toEqual([1, 2, 3]);
  });
});

describe("frames", () => {
  it("are acknowledged by their id", async () => {
    const socket = await openHub(await mintUser());
    socket.send({ type: "notification:mark_seen", data: { notificationIds: [] }, id: "a" });
    socket.send({ type: "notification:mark_seen", data: {}, id: 7 });
    await socket.collect("ack", 2);
    expect(socket.frames.filter(({ type }) => type === "ack").map(({ id }) => id)).toEqual(["a", 7]);
  });

  const junk: [name: string, frame: unknown, id: unknown][] = [
    ["text", "hello", undefined],
    ["broken JSON", '{"type":"message:typing"', undefined],
    ["a number", "42", undefined],
    ["null", "null", undefined],
    ["an array", "[]", undefined],
    ["no type", { id: "x" }, "x"],
    ["a type that is no string", { type: 7, id: "x" }, "x"],
    ["an unknown type", { type: "no:such", id: 5 }, 5],
    ["an inherited name as type", { type: "constructor", id: "x" }, "x"],
    ["an id that is too long", { type: "no:such", id: "x".repeat(65) }, undefined],
    ["an id that is an object", { type: "no:such", id: {} }, undefined],
    ["data of the wrong kind", { type: "message:typing", data: "bob", id: "x" }, "x"],
    ["data without what it needs", { type: "message:mark_seen", data: {}, id: "x" }, "x"],
    [
      "an id list with text in it",
      { type: "message:mark_seen", data: { conversationWith: 1, messageIds: ["1 OR 1"] }, id: "x" },
      "x",
    ],
    ["a binary frame", new ArrayBuffer(8), undefined],
    ["a prototype", '{"type":"message:typing","__proto__":{"id":"x"},"data":{"__proto__":{}}}', undefined],
  ];

  it.each(junk)("that are junk (%s) are answered, and the socket lives", async (_name, frame, id) => {
    const socket = await openHub(await mintUser());
    socket.send(frame);
    const answer = await socket.next("error");
    expect(answer).toEqual({
      type: "error",
      ...(id === undefined ? {} : { id }),
      error: { code: "INVALID_MESSAGE", message: expect.any(String), timestamp: expect.any(String) },
    });
    expect((await socket.ask("notification:mark_seen", {})).type).toBe("ack");
  });

  it("over 64 KiB close the socket with 1009; up to there they do not", async () => {
    const user = await mintUser();
    const socket = await openHub(user);
    const frame = (bytes: number) => `{"type":"${"x".repeat(bytes - 11)}"}`;
    socket.send(frame(64 * 1024));
    await socket.next("error");
    socket.send(frame(64 * 1024 + 1));
    expect((await socket.nextClose()).code).toBe(1009);
    const emoji = await openHub(user);
    emoji.send(`{"type":"${"😀".repeat(17_000)}"}`);
    expect((await emoji.nextClose()).code).toBe(1009);
  });

  it("over the limit get RATE_LIMIT, then a close with 4029 and a Retry-After; hibernation refills nothing", async () => {
    const user = await mintUser();
    const neighbour = await openHub(await mintUser());
    const socket = await openHub(user);
    for (let n = 0; n < 100; n += 1) socket.send({ type: "no:such" });
    await socket.collect("error", 100);
    await evictDurableObject(hubOf(user));
    socket.send({ type: "notification:mark_seen", data: {}, id: "over" });
    const refused = (await socket.collect("error", 101)).at(-1);
    expect(refused).toMatchObject({ id: "over", error: { code: "RATE_LIMIT" } });
    for (let n = 0; n < 1000; n += 1) socket.send("junk");
    const close = await socket.nextClose();
    expect(close.code).toBe(4029);
    expect(close.reason).toMatch(/^RATE_LIMIT; Retry-After: \d+$/);
    expect((await neighbour.ask("notification:mark_seen", {})).type).toBe("ack");
  });

  it("count together with REST sends", async () => {
    const [ann, bob] = [await mintUser(), await mintUser()];
    const socket = await openHub(ann);
    for (let n = 0; n < 99; n += 1) socket.send({ type: "no:such" });
    await socket.collect("error", 99);
    const send = () =>
      call("/messages", { method: "POST", token: ann.token, body: { receiverId: bob.id, content: "x" } });
    expect((await send()).status).toBe(201);
    const refused = await send();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(0);
  });

  it("typing reaches the other's devices, is never stored, and has its own limit", async () => {
    const [ann, bob] = [await mintUser(), await mintUser()];
    const [annSocket, bobSocket] = [await openHub(ann), await openHub(bob)];
    await env.DB.prepare("UPDATE users SET connected_at = 1").run();
    for (let n = 0; n < 10; n += 1) await annSocket.ask("message:typing", { conversationWith: bob.id });
    const frames = await bobSocket.collect("message:typing", 10);
    expect(frames[0]).toEqual({ type: "message:typing", data: { userId: ann.id } });
    expect((await annSocket.ask("message:typing", { conversationWith: bob.id })).error?.code).toBe("RATE_LIMIT");
    expect((await annSocket.ask("notification:mark_seen", {})).type).toBe("ack");
    const again = await openSocket(`/ws?token=${bob.token}&since=0`);
    expect((await again.next("connected")).seq).toBe(0);
    await again.expectNothing("message:typing");
  });
});

describe("heartbeat", () => {
  it("by the server: two pings unanswered, then 4008; a vanished client is gone within 75 s", async () => {
    const user = await mintUser();
    const socket = await openHub(user);
    pass(30_000);
    await runDurableObjectAlarm(hubOf(user));
    socket.send({ type: "pong", timestamp: (await socket.next("ping")).timestamp });
    expect((await socket.ask("notification:mark_seen", {})).type).toBe("ack");
    for (const wait of [30_000, 30_000]) {
      pass(wait);
      await runDurableObjectAlarm(hubOf(user));
    }
    expect(await socket.collect("ping", 3)).toEqual(
      Array.from({ length: 3 }, () => ({ type: "ping", timestamp: expect.stringMatching(/Z$/) })),
    );
    expect(socket.closed).toBeUndefined();
    pass(10_000);
    await runDurableObjectAlarm(hubOf(user));
    expect((await socket.nextClose()).code).toBe(4008);
    expect(await hubOf(user).isOnline()).toBe(false);
  });

  it.each([false, true])(
    "by the server: who never answered is not cut, here for 10 minutes, and sent to after them (hibernates: %s)",
    async (hibernates) => {
      const user = await mintUser();
      const socket = await openHub(user);
      const minutesPass = async (minutes: number) => {
        for (let beat = 0; beat < 2 * minutes; beat += 1) {
          pass(30_000);
          await runDurableObjectAlarm(hubOf(user));
          if (hibernates) await evictDurableObject(hubOf(user));
        }
      };
      await minutesPass(9);
      expect(await hubOf(user).isOnline()).toBe(true);
      await minutesPass(2);
      expect(await hubOf(user).isOnline()).toBe(false);
      await hubOf(user).push(event(1));
      expect((await socket.next("test:event")).data).toEqual({ n: 1 });
      expect((await socket.ask("notification:mark_seen", {})).type).toBe("ack");
      expect(await hubOf(user).isOnline()).toBe(true);
      await minutesPass(9);
      expect(await hubOf(user).isOnline()).toBe(true);
      expect(socket.closed).toBeUndefined();
    },
  );

  it("connections that are silent for long count among the 100 that a user may have", async () => {
    const user = await mintUser();
    for (let n = 0; n < 100; n += 1) await openHub(user);
    pass(601_000);
    await runDurableObjectAlarm(hubOf(user));
    expect(await hubOf(user).isOnline()).toBe(false);
    const refused = await openSocket(`/ws?token=${user.token}`);
    expect((await refused.nextClose()).code).toBe(4029);
  });

  it("by the server: a pong keeps the socket, also over an eviction", async () => {
    const user = await mintUser();
    const socket = await openHub(user);
    for (let n = 1; n <= 4; n += 1) {
      pass(30_000);
      await runDurableObjectAlarm(hubOf(user));
      const ping = (await socket.collect("ping", n)).at(-1);
      socket.send({ type: "pong", timestamp: ping?.timestamp });
      expect((await socket.ask("notification:mark_seen", {})).type).toBe("ack");
      await evictDurableObject(hubOf(user));
    }
    expect(socket.closed).toBeUndefined();
  });

  it("by the server: all sockets keep beating together, whenever each has come or answers", async () => {
    const user = await mintUser();
    const alarm = () => runInDurableObject(hubOf(user), (_hub, state) => state.storage.getAlarm());
    const sockets = [await openHub(user)];
    const first = (await alarm()) ?? 0;
    for (const ms of [7000, 9000]) {
      pass(ms);
      sockets.push(await openHub(user));
    }
    for (let beat = 1; beat <= 3; beat += 1) {
      expect(await alarm()).toBe(first + (beat - 1) * 30_000);
      vi.setSystemTime(first + (beat - 1) * 30_000);
      await runDurableObjectAlarm(hubOf(user));
      for (const socket of sockets) {
        const [ping] = (await socket.collect("ping", beat)).slice(-1);
        pass(300);
        socket.send({ type: "pong", timestamp: ping?.timestamp });
        expect((await socket.ask("notification:mark_seen", {})).type).toBe("ack");
      }
    }
  });

  it("by the client: answered without a wake, and no alarm rings but for the token's end", async () => {
    const user = await mintUser();
    const socket = await openHub(user, "&heartbeat=client");
    await evictDurableObject(hubOf(user));
    socket.send("ping");
    await socket.message("pong");
    // Nothing is running that could be evicted: the beat has woken nobody.
    await expect(evictDurableObject(hubOf(user))).rejects.toThrow();
    const alarm = await runInDurableObject(hubOf(user), (_hub, state) => state.storage.getAlarm());
    expect(alarm).toBeGreaterThan(Date.now() + 6 * 86_400_000);
  });

  it("by the client: who stops is gone from presence within 75 s", async () => {
    const user = await mintUser();
    const socket = await openHub(user, "&heartbeat=client");
    expect(await hubOf(user).isOnline()).toBe(true);
    pass(76_000);
    expect(await hubOf(user).isOnline()).toBe(false);
    expect((await socket.nextClose()).code).toBe(4008);
  });
});

describe("a token that ends while connected", () => {
  it("closes the socket with 4001 at that moment", async () => {
    const user = await mintUser();
    const socket = await openHub({ token: await tokenUntil(user, 2) });
    expect(await socket.nextClose()).toEqual({ code: 4001, reason: "UNAUTHORIZED" });
  });

  it("does not, if the client brought a new one before", async () => {
    const user = await mintUser();
    const socket = await openHub({ token: await tokenUntil(user, 3) });
    const fresh = (await call("/auth/refresh", { method: "POST", token: user.token })).body.token;
    expect((await socket.ask("auth:refresh", { token: "junk" })).error?.code).toBe("UNAUTHORIZED");
    const stranger = await mintUser();
    expect((await socket.ask("auth:refresh", { token: stranger.token })).error?.code).toBe("FORBIDDEN");
    expect((await socket.ask("auth:refresh", { token: fresh })).type).toBe("ack");
    const ends = await runInDurableObject(hubOf(user), (_, state) =>
      state.getWebSockets().map((server) => ConnectionState.parse(server.deserializeAttachment()).expiresAt),
    );
    expect(ends).toHaveLength(1);
    expect(at(ends, 0)).toBeGreaterThan(Date.now() + 86_400_000);
  });
});

describe("hibernation", () => {
  it("between any two frames changes nothing", async () => {
    const [ann, bob] = [await mintUser(), await mintUser()];
    const socket = await openHub(bob, "&batch=1");
    for (let n = 1; n <= 5; n += 1) {
      await evictDurableObject(hubOf(bob));
      await call("/messages", { method: "POST", token: ann.token, body: { receiverId: bob.id, content: `m${n}` } });
      const frame = await socket.next("message:new");
      expect([frame.seq, frame.data.content]).toEqual([n, `m${n}`]);
      await evictDurableObject(hubOf(bob));
      expect((await socket.ask("message:mark_seen", { conversationWith: ann.id })).data.messageIds).toEqual([
        frame.data.id,
      ]);
    }
  });
});

it("a socket that a client half-closed or dropped is gone from presence", async () => {
  const user = await mintUser();
  const [one, two] = [await openHub(user), await openHub(user)];
  one.close();
  await one.nextClose();
  expect(await hubOf(user).isOnline()).toBe(true);
  two.close(3000);
  await two.nextClose();
  expect(await hubOf(user).isOnline()).toBe(false);
});
