/** What a product's own backend publishes (SPEC 12): to people, rooms, courses, streams and topics. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { SOCKETS } from "../src/contract.ts";
import { run } from "./support/admin.ts";
import { call, costOf, mintUser, type TestUser } from "./support/api.ts";
import { passTime } from "./support/clock.ts";
import { mintStream } from "./support/media.ts";
import { mintGroup, openRoom } from "./support/rooms.ts";
import { deedsOfKey, mintKey, mintOwn, serve, theAdmin } from "./support/server-api.ts";
import { openHub, openSocket, type TestSocket } from "./support/socket.ts";
import { connectSocketIo } from "./support/socketio.ts";

let key: { id: string; key: string };
let ann: TestUser;
let bob: TestUser;
beforeAll(async () => {
  key = await mintKey("users", "tokens", "publish", "read");
  [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
});

const publish = (body: object, by = key) => serve(by, "POST", "/publish", body);
let topics = 0;
const freshTopic = () => {
  topics += 1;
  return `open.${topics}`;
};
const hear = (socket: TestSocket, topic: string, more: object = {}) => socket.ask("subscribe", { topic, ...more });

describe("a publication to people", () => {
  it("reaches each of them, by either id, on all devices, with its data untouched; and is not kept unless asked", async () => {
    const own = await mintOwn(key);
    const sockets = [await openHub(ann), await openHub(ann), await openHub({ token: own.token })];
    const data = { user_id: "x", senderId: ann.id, __proto__x: [null, 1.5, "<b>"], nested: { snake_case: "0" } };
    const answer = await publish({ to: { users: [ann.id, own.externalId, "nobody"] }, type: "order:shipped", data });
    expect(answer).toMatchObject({ status: 202, body: { accepted: 2 } });
    for (const socket of sockets) expect(await socket.next("order:shipped")).toEqual({ type: "order:shipped", data });
    const late = await openHub(ann, "&since=0");
    await late.expectNothing("order:shipped");
  });

  it("that is kept has a seq, and waits for who is away", async () => {
    const { token, externalId } = await mintOwn(key);
    const body = { to: { users: [{ externalId }] }, type: "order:paid", data: { userId: ann.id }, keep: true };
    expect((await publish(body)).body).toEqual({ accepted: 1 });
    const socket = await openHub({ token }, "&since=0");
    expect(await socket.next("order:paid")).toEqual({ type: "order:paid", data: { userId: ann.id }, seq: 1 });
  });

  it("to a crowd is a row each and one answer, some hubs at a time; a thousand at most", async () => {
    const rows = await run<{ id: number }>(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
       INSERT INTO users (username, email, created_at) SELECT 'crowd_' || i, 'crowd_' || i || '@example.org', 1 FROM n RETURNING id`,
    );
    const ids = rows.map(({ id }) => id);
    const answer = await publish({ to: { users: [...ids, ...ids] }, type: "news:all", data: 1, keep: true });
    expect(answer).toMatchObject({ status: 202, body: { accepted: 60 } });
    expect(costOf(answer).object_calls).toBe(60);
    expect(await run("SELECT count(*) AS n FROM outbox")).toEqual([{ n: 0 }]);
    const last = env.USER_HUB.getByName(String(ids.at(-1)));
    const kept = await runInDurableObject(last, (_, { storage }) => storage.sql.exec("SELECT seq FROM log").toArray());
    expect(kept).toEqual([{ seq: 1 }]);
    expect((await publish({ to: { users: Array(1001).fill(1) }, type: "news:all" })).status).toBe(400);
  });
});

describe("a publication to a place", () => {
  it("reaches the members of a room, natively, and is in its log with the place that was answered", async () => {
    const { roomId, people } = await mintGroup("ann", "bob");
    const [member] = people;
    const socket = await openRoom(member, roomId);
    expect((await publish({ to: { roomId }, type: "poll:opened", data: 7 })).body).toEqual({ accepted: 1 });
    expect(await socket.next("poll:opened")).toEqual({ type: "poll:opened", data: 7 });
    const kept = await publish({ to: { roomId }, type: "poll:closed", data: { a: 1 }, keep: true });
    expect(kept.body).toEqual({ accepted: 1, seq: 1 });
    expect(await socket.next("poll:closed")).toEqual({ type: "poll:closed", data: { a: 1 }, seq: 1 });
    await evictDurableObject(env.CHAT_ROOM.getByName(roomId));
    const back = await openRoom(member, roomId, "&since=0");
    expect(back.frames.filter(({ type }) => type.startsWith("poll"))).toEqual([
      { type: "poll:closed", data: { a: 1 }, seq: 1 },
    ]);
    expect((await call(`/rooms/${roomId}/messages`, { token: member.token })).body.messages).toEqual([]);
  });

  it("reaches a course and a stream alike, and is 404 where there is none", async () => {
    const courseId = `published-${ann.id}`;
    const course = await openSocket(`/chat/courses/${courseId}/ws?token=${ann.token}`);
    const stream = await mintStream(ann);
    const chat = await openSocket(`/streams/${stream.id}/ws?token=${bob.token}`);
    await course.next("connected");
    await chat.next("connected");
    for (const [to, socket] of [
      [{ courseId }, course],
      [{ stream_id: String(stream.id) }, chat],
    ] as const) {
      const answer = await publish({ to, type: "quiz:begun", data: "?", keep: true });
      expect(answer.status).toBe(202);
      expect(await socket.next("quiz:begun")).toEqual({ type: "quiz:begun", data: "?", seq: answer.body.seq });
    }
    for (const to of [{ roomId: "none" }, { courseId: "none" }, { streamId: 999_999 }, { users: ["nobody"] }]) {
      expect([to, (await publish({ to, type: "quiz:begun" })).status]).toEqual([to, 404]);
    }
  });
});

describe("what is wrong with a publication", () => {
  it("is told: no type of ours, none without a space, one target, data up to 32 KiB", async () => {
    const to = { users: [ann.id] };
    const ours = Object.values(SOCKETS).flatMap(({ frames, commands }) => [
      ...Object.keys(frames),
      ...Object.keys(commands),
    ]);
    for (const type of [...ours, "auth:refresh", "ping", "order", "", ":x", "x:", "a b:c", "x:".repeat(40)]) {
      expect([type, (await publish({ to, type })).status]).toEqual([type, 400]);
    }
    for (const wrong of [{}, { ...to, topic: "x" }, { topic: ".." }, { topic: "x".repeat(129) }, { nobody: 1 }]) {
      expect([wrong, (await publish({ to: wrong, type: "a:b" })).status]).toEqual([wrong, 400]);
    }
    expect((await publish({ to, type: "a:b", data: "é".repeat(16 * 1024) })).status).toBe(400);
    expect((await publish({ to, type: "a:b", data: "é".repeat(16 * 1024 - 1) })).status).toBe(202);
  });

  it("stops no other of its batch, each of which is answered by itself, in order and in either case", async () => {
    const topic = freshTopic();
    const good = { to: { topic }, type: "a:b", keep: true };
    const nowhere = { ...good, to: { room_id: "none" }, dedupe_id: topic };
    const publications = [good, { ...good, type: "ping" }, nowhere, good, {}];
    const { status, body } = await serve(key, "POST", "/publish/batch", { publications });
    expect(status).toBe(202);
    expect(body.results).toMatchObject([
      { accepted: 1, seq: 1 },
      { error: { code: "INVALID_REQUEST" } },
      { error: { code: "NOT_FOUND" } },
      { accepted: 1, seq: 2 },
      { error: { code: "INVALID_REQUEST" } },
    ]);
    const many = (count: number) => ({ publications: Array.from({ length: count }, () => ({})) });
    expect((await serve(key, "POST", "/publish/batch", many(101))).status).toBe(400);
    const data = "x".repeat(32_000);
    const big = { publications: Array.from({ length: 20 }, () => ({ ...good, data })) };
    expect((await serve(key, "POST", "/publish/batch", big)).status).toBe(202);
  });
});

describe("a dedupeId", () => {
  it.each([true, false])(
    "makes twenty publications at once one (keep: %s), for people and for places",
    async (keep) => {
      const { roomId, people } = await mintGroup("ann", "bob");
      const [member] = people;
      if (!member) throw new Error("nobody");
      const own = await mintOwn(key);
      const [room, hub] = [await openRoom(member, roomId), await openHub({ token: own.token })];
      const by = await mintKey("publish");
      for (const [to, socket] of [
        [{ roomId }, room],
        [{ users: [own.id] }, hub],
      ] as const) {
        const body = { to, type: "once:only", data: 1, keep, dedupeId: `one-${Object.keys(to)[0]}` };
        const answers = await Promise.all(Array.from({ length: 20 }, () => publish(body, by)));
        expect(new Set(answers.map((answer) => JSON.stringify([answer.status, answer.body]))).size).toBe(1);
        await socket.next("once:only");
        await socket.expectNothing("once:only");
        expect((await publish({ ...body, data: 2 }, by)).status).toBe(409);
        expect((await publish(body, by)).body).toEqual(answers[0]?.body);
        await socket.expectNothing("once:only");
      }
      expect(await deedsOfKey(by)).toEqual(["publish publication once:only", "publish publication once:only"]);
    },
  );

  it("counts for its own key alone, and for a day; what fails is no publication", async () => {
    const topic = freshTopic();
    const body = { to: { topic }, type: "a:b", keep: true, dedupeId: "d" };
    const [one, other] = [await mintKey("publish"), await mintKey("publish")];
    expect((await publish(body, one)).body.seq).toBe(1);
    expect((await publish(body, other)).body.seq).toBe(2);
    expect((await publish(body, one)).body.seq).toBe(1);
    passTime(86_401);
    expect((await publish(body, one)).body.seq).toBe(3);
    const lost = { to: { roomId: "none" }, type: "a:b", dedupeId: "lost" };
    expect((await publish(lost, one)).status).toBe(404);
    expect((await publish({ ...lost, to: { topic } }, one)).status).toBe(202);
  });
});

describe("what a publication costs", () => {
  it("is one object call for a place, and constant rows", async () => {
    const { roomId } = await mintGroup("ann", "bob");
    const by = await mintKey("publish");
    await publish({ to: { roomId }, type: "a:b" }, by);
    for (const to of [{ roomId }, { topic: freshTopic() }]) {
      const cost = costOf(await publish({ to, type: "a:b", keep: true }, by));
      expect(cost.object_calls).toBe(1);
      expect(cost.d1_rows_written).toBeLessThanOrEqual(8);
      expect(cost.d1_rows_read).toBeLessThan(30);
    }
  });
});

describe("a topic", () => {
  it("is heard by who subscribes, until they unsubscribe, with its own position and never the hub's", async () => {
    const topic = freshTopic();
    const [one, other] = [await openHub(ann), await openHub(bob)];
    expect((await hear(one, topic)).data).toEqual({ topic, topicSeq: 0, topicEpoch: null, count: 1, resync: false });
    expect((await hear(other, topic)).data.count).toBe(2);
    await publish({ to: { topic }, type: "price:now", data: 1 });
    await publish({ to: { topic }, type: "price:kept", data: 2, keep: true });
    for (const socket of [one, other]) {
      expect(await socket.next("price:now")).toEqual({ type: "price:now", topic, data: 1 });
      const kept = await socket.next("price:kept");
      expect(kept).toEqual({ type: "price:kept", topic, data: 2, topicSeq: 1, topicEpoch: kept.topicEpoch });
      expect(kept.topicEpoch).toBeTruthy();
    }
    await one.ask("unsubscribe", { topic });
    await publish({ to: { topic }, type: "price:now", data: 3 });
    await other.next("price:now");
    await one.expectNothing("price:now");
    expect((await serve(key, "GET", `/topics/${topic}`)).body).toMatchObject({ topicSeq: 1, count: 1 });
    other.close();
  });

  it("takes up where a client was, over the sleep of the topic and of the hub, or says that it cannot", async () => {
    const topic = freshTopic();
    const say = (data: number) => publish({ to: { topic }, type: "t:n", data, keep: true });
    const socket = await openHub(ann);
    await hear(socket, topic);
    await say(1);
    const { topicEpoch } = await socket.next("t:n");
    const rooms = [env.TOPIC_ROOM.getByName(topic), env.USER_HUB.getByName(String(ann.id))];
    for (const object of rooms) await evictDurableObject(object);
    await say(2);
    expect(await socket.next("t:n")).toMatchObject({ data: 2, topicSeq: 2 });
    const fresh = await openHub(bob);
    const answer = await hear(fresh, topic, { since: 1, epoch: topicEpoch });
    expect(answer.data).toMatchObject({ topicSeq: 2, topicEpoch, resync: false });
    expect(fresh.frames.filter(({ type }) => type === "t:n").map(({ data }) => data)).toEqual([2]);
    expect((await hear(fresh, topic, { since: 1, epoch: "another" })).data.resync).toBe(true);
    expect((await hear(fresh, topic, { since: 9 })).data.resync).toBe(true);
    await evictDurableObject(env.TOPIC_ROOM.getByName(topic));
    fresh.close();
    await fresh.nextClose();
    await say(3);
    expect(await socket.next("t:n")).toMatchObject({ topicSeq: 3 });
    socket.close();
  });

  it("takes a token where TOPICS_OPEN does not name it: for this topic, for this user, until its end", async () => {
    const topic = `secret:${ann.id}`;
    const [own, peer] = [await mintOwn(key), await mintOwn(key)];
    const make = async (body: object) => String((await serve(key, "POST", "/topic-tokens", body)).body.token);
    const token = await make({ topic, externalId: own.externalId, expiresInSeconds: 60 });
    const [mine, theirs] = [await openHub({ token: own.token }), await openHub({ token: peer.token })];
    const refusal = { type: "error", error: { code: "FORBIDDEN" } };
    expect(await hear(mine, topic)).toMatchObject(refusal);
    expect(await hear(mine, `${topic}x`, { token })).toMatchObject(refusal);
    expect(await hear(theirs, topic, { token })).toMatchObject(refusal);
    expect(await hear(mine, topic, { token: own.token })).toMatchObject(refusal);
    expect((await call("/auth/me", { token })).status).toBe(401);
    expect(await hear(mine, topic, { token })).toMatchObject({ type: "ack" });
    const everybodys = await make({ topic });
    expect(await hear(theirs, topic, { token: everybodys })).toMatchObject({ type: "ack" });
    passTime(61);
    await publish({ to: { topic }, type: "t:n", data: 1 });
    await theirs.next("t:n");
    await mine.expectNothing("t:n");
    expect((await serve(key, "POST", "/topic-tokens", { topic, expiresInSeconds: 86_401 })).status).toBe(400);
    expect((await serve(key, "POST", "/topic-tokens", { topic, userId: ann.id })).status).toBe(403);
    expect((await serve(key, "POST", "/topic-tokens", { topic, externalId: "nobody" })).status).toBe(404);
  });

  it("may be heard by a user fifty at a time, and by each of their connections", async () => {
    const { token } = await mintOwn(key);
    const [socket, other] = [await openHub({ token }), await openHub({ token })];
    for (let n = 0; n < 50; n += 1) expect((await hear(socket, `open.many${n}`)).type).toBe("ack");
    expect(await hear(other, "open.many50")).toMatchObject({ error: { code: "RATE_LIMIT" } });
    expect((await hear(other, "open.many0")).type).toBe("ack");
    await socket.ask("unsubscribe", { topic: "open.many1" });
    expect((await hear(other, "open.__proto__")).type).toBe("ack");
    for (const topic of ["", "..", "a b", "x".repeat(129), "closed"]) {
      expect(await hear(other, topic)).toMatchObject({ type: "error" });
    }
    socket.close();
    other.close();
  });

  it("leaves nothing stored of a name under which nothing was kept, when the last one who listened is gone", async () => {
    const topic = freshTopic();
    const room = env.TOPIC_ROOM.getByName(topic);
    const tables = () =>
      runInDurableObject(room, (_, { storage }) => storage.sql.exec("SELECT name FROM sqlite_master").toArray().length);
    const socket = await openHub(ann);
    await hear(socket, topic);
    await publish({ to: { topic }, type: "a:b", data: 1 });
    await socket.next("a:b");
    await socket.ask("unsubscribe", { topic });
    expect(await tables()).toBe(0);
    socket.close();
  });

  it("ends with a ban, on the event socket and on the topic's own", async () => {
    const topic = freshTopic();
    const own = await mintOwn(key);
    const hub = await openHub({ token: own.token });
    const crowd = await openSocket(`/topics/${topic}/ws?token=${own.token}`);
    await crowd.next("connected");
    await hear(hub, topic);
    expect((await crowd.ask("topic:state")).data.count).toBe(1);
    await publish({ to: { topic }, type: "a:b", data: 1, keep: true });
    const kept = await crowd.next("a:b");
    expect(kept).toEqual({ type: "a:b", topic, data: 1, topicSeq: 1, topicEpoch: kept.topicEpoch, seq: 1 });
    await hub.next("a:b");
    const { token } = await theAdmin();
    await call(`/admin/users/${own.id}/ban`, { method: "POST", token, body: { reason: "spam" } });
    expect([(await hub.nextClose()).code, (await crowd.nextClose()).code]).toEqual([4003, 4003]);
    expect((await serve(key, "GET", `/topics/${topic}`)).body).toMatchObject({ count: 0, topicSeq: 1 });
  });

  it("has a socket of its own that resumes, closes with its token, and is shut to who may not hear it", async () => {
    const topic = `own:${bob.id}`;
    const { body } = await serve(key, "POST", "/topic-tokens", { topic, expiresInSeconds: 60 });
    const open = (query: string) => openSocket(`/topics/${topic}/ws?token=${bob.token}${query}`);
    expect((await (await open("")).nextClose()).code).toBe(4003);
    await publish({ to: { topic }, type: "a:b", data: 1, keep: true });
    const socket = await open(`&topicToken=${body.token}&since=0`);
    expect(await socket.next("connected")).toMatchObject({ seq: 1 });
    expect(await socket.next("a:b")).toMatchObject({ data: 1, seq: 1, topic });
    expect((await socket.ask("subscribe", { topic })).error?.code).toBe("INVALID_MESSAGE");
    socket.close();
    expect(
      (await (await openSocket(`/topics/${encodeURIComponent("a b")}/ws?token=${bob.token}`)).nextClose()).code,
    ).toBe(4004);
  });

  it("is heard over Socket.IO alike: where it is from is the event's second argument", async () => {
    const topic = freshTopic();
    const client = await connectSocketIo(ann);
    expect(await client.ask("subscribe", { topic })).toMatchObject({ success: true, data: { topic, count: 1 } });
    await publish({ to: { topic }, type: "a:b", data: { n: 1 }, keep: true });
    await client.next("a:b");
    const [data, where] = client.events.find(({ name }) => name === "a:b")?.args ?? [];
    expect([data, where]).toEqual([{ n: 1 }, { topic, topicSeq: 1, topicEpoch: where.topicEpoch }]);
    client.disconnect();
  });
});
