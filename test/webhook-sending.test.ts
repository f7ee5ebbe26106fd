import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { startContext } from "../src/context.ts";
import { sweepOutbox } from "../src/db/outbox-sweep.ts";
import { senderFor, sendersOf } from "../src/features/webhooks/endpoint.ts";
import { SENDER_SCHEMA } from "../src/features/webhooks/schema.ts";
import type { QueuedEvent } from "../src/features/webhooks/store.ts";
import { mintAdmin, post as postAdmin, run } from "./support/admin.ts";
import { call, mintUser } from "./support/api.ts";
import { makeEndpoint, standIn } from "./support/backend.ts";
import { passTime } from "./support/clock.ts";
import { at } from "./support/items.ts";
import { setBack } from "./support/old-objects.ts";
import { mintThree, openRoom, post } from "./support/rooms.ts";
import { openHub } from "./support/socket.ts";

const backend = standIn();

const typesHeard = () => backend.heard.flatMap(({ events }) => events.map(({ type }) => type));
const hearing = (...types: string[]) =>
  vi.waitFor(() => expect(typesHeard()).toEqual(expect.arrayContaining(types)), { timeout: 5000 });

const refOf = (endpoint: { id: number; createdAt: string }) => ({
  id: endpoint.id,
  bornAt: Date.parse(endpoint.createdAt),
});

/** The object of an endpoint that keeps this subject, and events for it. */
function queueOf(endpoint: { id: number; createdAt: string }, subject: string) {
  const stub = env.WEBHOOK_SENDER.getByName(senderFor(refOf(endpoint), subject));
  const event = (n: number, about = subject): QueuedEvent => ({
    id: `${about}-${n}`.replaceAll(":", "-"),
    subject: about,
    body: JSON.stringify({ type: "room.created", timestamp: new Date().toISOString(), subject: about, data: { n } }),
    people: [],
  });
  return { stub, event };
}

/** Subjects that one object of the endpoint keeps. */
function neighbours(endpoint: { id: number; createdAt: string }, count: number): string[] {
  const all = Array.from({ length: 200 }, (_, n) => `room:${n}`);
  const first = senderFor(refOf(endpoint), "room:0");
  return all.filter((subject) => senderFor(refOf(endpoint), subject) === first).slice(0, count);
}

describe("changes in the database", () => {
  it("reach an endpoint that wants them, signed, in the order of their subject, with what its product calls its people", async () => {
    const admin = await mintAdmin();
    const wanted = ["user.registered", "user.updated", "user.banned", "user.online", "user.offline", "message.sent"];
    await makeEndpoint(backend, admin, [
      ...wanted,
      "room.created",
      "room.deleted",
      "room.member_added",
      "room.member_removed",
    ]);
    const { roomId, ann, bob } = await mintThree();
    await run("INSERT INTO identities (issuer, subject, user_id) VALUES ('urn:roomcast:backend', 'crm-5', ?)", bob.id);
    await call("/messages", { method: "POST", token: ann.token, body: { receiverId: bob.id, content: "hi <b>" } });
    await call("/auth/me", { method: "PATCH", token: bob.token, body: { displayName: "Bobby" } });
    const socket = await openHub(bob);
    await hearing("user.online");
    socket.close();
    await hearing("user.offline");
    await call(`/rooms/${roomId}/members/${bob.id}`, { method: "DELETE", token: ann.token });
    await call(`/rooms/${roomId}`, { method: "DELETE", token: ann.token });
    await postAdmin(admin, `/users/${bob.id}/ban`, { reason: "spam" });
    await hearing(...wanted, "room.created", "room.deleted", "room.member_added", "room.member_removed");
    const events = backend.heard.flatMap((heard) => heard.events);
    const about = (subject: string) => events.filter((event) => event.subject === subject);
    expect(about(`room:${roomId}`).map(({ type }) => type)).toEqual([
      "room.created",
      ...Array(3).fill("room.member_added"),
      "room.member_removed",
      "room.deleted",
    ]);
    expect(about(`user:${bob.id}`).map(({ type }) => type)).toEqual([
      "user.registered",
      "user.updated",
      "user.online",
      "user.offline",
      "user.banned",
    ]);
    const [sent] = about(`users:${ann.id}-${bob.id}`);
    expect(sent?.data).toMatchObject({ senderId: ann.id, receiverId: bob.id, externalIds: { receiverId: "crm-5" } });
    expect(about(`user:${bob.id}`).at(-1)?.data).toMatchObject({ isBanned: true, banReason: "spam" });
    expect(new Set(backend.heard.map(({ id }) => id)).size).toBe(backend.heard.length);
    expect(await run("SELECT 1 FROM outbox WHERE target LIKE 'webhook:%'")).toEqual([]);
  });

  it("cost no row where no endpoint wants them, and one row where one does, however many", async () => {
    const admin = await mintAdmin();
    const [ann, bob] = [await mintUser(), await mintUser()];
    const send = async () => {
      const before = await run<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'");
      const sent = await call("/messages", {
        method: "POST",
        token: ann.token,
        body: { receiverId: bob.id, content: "x" },
      });
      expect(sent.status).toBe(201);
      const after = await run<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'");
      return (after[0]?.seq ?? 0) - (before[0]?.seq ?? 0);
    };
    await run("DELETE FROM webhooks");
    await makeEndpoint(backend, admin, ["room.created"]);
    const unwanted = await send();
    await makeEndpoint(backend, admin, ["message.sent"]);
    await makeEndpoint(backend, admin, ["message.sent"]);
    expect(await send()).toBe(unwanted + 1);
    await vi.waitFor(() => expect(typesHeard()).toEqual(["message.sent", "message.sent"]));
  });
});

describe("what is said in a room", () => {
  const said = (type = "room.message_sent") =>
    backend.heard.flatMap(({ events }) =>
      events.filter((event) => event.type === type).map(({ data }) => data.content ?? data.message),
    );

  it("reaches an endpoint in the room's order, with edits and deletions; what a room said last is told before it goes", async () => {
    await makeEndpoint(backend, await mintAdmin(), [
      "room.message_sent",
      "room.message_edited",
      "room.message_deleted",
    ]);
    const { roomId, ann, bob } = await mintThree();
    const first = await post(ann, roomId, "one");
    await post(bob, roomId, "two");
    const path = `/rooms/${roomId}/messages/${first.body.id}`;
    await call(path, { method: "PATCH", token: ann.token, body: { content: "uno" } });
    await call(path, { method: "DELETE", token: ann.token });
    await post(bob, roomId, "the last word");
    await call(`/rooms/${roomId}`, { method: "DELETE", token: ann.token });
    await vi.waitFor(() => expect(said()).toHaveLength(3), { timeout: 5000 });
    const events = backend.heard.flatMap((heard) => heard.events);
    expect(events.map(({ type }) => type.slice("room.message_".length))).toEqual([
      "sent",
      "sent",
      "edited",
      "deleted",
      "sent",
    ]);
    expect(new Set(events.map(({ subject }) => subject))).toEqual(new Set([`room:${roomId}`]));
    expect(said().slice(1)).toEqual(["two", "the last word"]);
    expect(events[1]?.data).toMatchObject({ roomId, userId: bob.id, content: "two" });
    expect(events[3]?.data).toMatchObject({ messageId: first.body.id, deletedBy: ann.id });
  });

  it("is handed over by position: not lost with the room's memory while the endpoint's object does not answer, and not told twice", async () => {
    const endpoint = await makeEndpoint(backend, await mintAdmin(), ["room.message_sent"]);
    const { roomId, ann } = await mintThree();
    const room = env.CHAT_ROOM.getByName(roomId);
    const broken = vi.spyOn(env.WEBHOOK_SENDER, "getByName").mockImplementation(() => {
      throw new Error("not there");
    });
    await post(ann, roomId, "one");
    await vi.waitFor(() => expect(broken).toHaveBeenCalled());
    await post(ann, roomId, "two");
    broken.mockRestore();
    await evictDurableObject(room);
    passTime(20);
    await runDurableObjectAlarm(room);
    await runDurableObjectAlarm(queueOf(endpoint, `room:${roomId}`).stub);
    await vi.waitFor(() => expect(said()).toEqual(["one", "two"]));
    expect(new Set(backend.heard.map(({ id }) => id)).size).toBe(2);
  });

  it("costs one call of the endpoint's object for a group, and no row of the database; a course tells its own", async () => {
    const events = ["room.message_sent", "course.message_sent"];
    const endpoint = await makeEndpoint(backend, await mintAdmin(), events, { batchSize: 100 });
    const { roomId, ann } = await mintThree();
    const { stub } = queueOf(endpoint, `room:${roomId}`);
    const socket = await openRoom(ann, roomId);
    await socket.ask("send_message", { content: "the first tells the database" });
    await vi.waitFor(() => expect(said()).toHaveLength(1));
    await socket.ask("no-such-command");
    const calls = vi.spyOn(env.WEBHOOK_SENDER, "getByName");
    const prepare = vi.spyOn(env.DB, "prepare");
    for (const content of ["a", "b", "c"]) await socket.ask("send_message", { content });
    expect(prepare).not.toHaveBeenCalled();
    expect(calls).not.toHaveBeenCalled();
    passTime(20);
    await runDurableObjectAlarm(env.CHAT_ROOM.getByName(roomId));
    await vi.waitFor(() => expect(calls).toHaveBeenCalledTimes(1));
    await runDurableObjectAlarm(stub);
    await vi.waitFor(() => expect(said()).toHaveLength(4));
    expect(calls).toHaveBeenCalledTimes(1);
    expect(await run("SELECT 1 FROM outbox WHERE target LIKE 'webhook:%'")).toEqual([]);
    const admin = await mintAdmin();
    const courseId = crypto.randomUUID();
    await call("/chat/courses", {
      method: "POST",
      token: admin.token,
      body: { courseId, name: "C", joinPolicy: "open" },
    });
    await call(`/chat/courses/${courseId}/messages`, {
      method: "POST",
      token: admin.token,
      body: { message: "lesson" },
    });
    const { stub: course } = queueOf(endpoint, `course:${courseId}`);
    await vi.waitFor(async () => {
      await runDurableObjectAlarm(course);
      expect(said("course.message_sent")).toEqual(["lesson"]);
    });
  });
});

describe("an endpoint that is down for an hour", () => {
  it("hears everything afterwards, in order per subject, repeats under the same id alone, whatever is killed in between", async () => {
    const endpoint = await makeEndpoint(backend, await mintAdmin(), ["room.created"]);
    const [a = "", b = ""] = neighbours(endpoint, 2);
    const { stub, event } = queueOf(endpoint, a);
    backend.answer = () => new Response("down", { status: 503 });
    await stub.take([1, 2, 3].flatMap((n) => [event(n), event(n, b)]));
    await stub.take([event(1)]);
    for (const seconds of [0, 6, 70, 400, 1900]) {
      passTime(seconds);
      await evictDurableObject(stub);
      await runDurableObjectAlarm(stub);
    }
    await stub.take([event(4), event(4, b)]);
    // Of each subject, the first alone was tried.
    expect(new Set(backend.heard.map(({ id }) => id))).toEqual(new Set([event(1).id, event(1, b).id]));
    expect(backend.heard.length).toBeGreaterThan(5);
    const tries = backend.heard.length;
    backend.answer = () => new Response(null, { status: 200 });
    passTime(3 * 3600);
    await evictDurableObject(stub);
    await runDurableObjectAlarm(stub);
    const after = backend.heard.slice(tries);
    for (const subject of [a, b]) {
      const numbers = after.flatMap(({ events }) =>
        events.filter((heard) => heard.subject === subject).map(({ data }) => data.n),
      );
      expect(numbers).toEqual([1, 2, 3, 4]);
    }
    expect(after).toHaveLength(8);
  });

  it("costs no wake-up before the next try: not by what waits behind an event, nor by what comes to wait there", async () => {
    const endpoint = await makeEndpoint(backend, await mintAdmin(), ["room.created"]);
    const { stub, event } = queueOf(endpoint, "room:0");
    const alarm = () => runInDurableObject(stub, (_, { storage }) => storage.getAlarm());
    backend.answer = () => new Response("down", { status: 503 });
    await stub.take([event(1), event(2)]);
    await vi.waitFor(async () => expect(await alarm()).toBeGreaterThan(Date.now() + 3000));
    const nextTry = await alarm();
    await stub.take([event(3)]);
    expect(await alarm()).toBe(nextTry);
    expect(backend.heard.map(({ id }) => id)).toEqual([event(1).id]);
  });

  it("costs a wake-up each half minute, not a loop of them, while the database cannot say where it is", async () => {
    const endpoint = await makeEndpoint(backend, await mintAdmin(), ["room.created"]);
    const { stub, event } = queueOf(endpoint, "room:0");
    const broken = vi.spyOn(env.DB, "prepare").mockImplementation(() => {
      throw new Error("not there");
    });
    await stub.take([event(1)]);
    const alarm = () => runInDurableObject(stub, (_, { storage }) => storage.getAlarm());
    await vi.waitFor(async () => expect(await alarm()).toBeGreaterThan(Date.now() + 20_000));
    await stub.take([event(2)]);
    expect(await alarm()).toBeGreaterThan(Date.now() + 20_000);
    broken.mockRestore();
    passTime(31);
    await runDurableObjectAlarm(stub);
    expect(backend.heard.map(({ id }) => id)).toEqual([event(1).id, event(2).id]);
  });

  it("is given up for one event after three days, and its subject goes on; it can be sent again", async () => {
    const admin = await mintAdmin();
    const endpoint = await makeEndpoint(backend, admin, ["room.created"]);
    const [subject = "", other] = neighbours(endpoint, 2);
    const { stub, event } = queueOf(endpoint, subject);
    backend.answer = ({ id }) => new Response(null, { status: id === event(1).id ? 500 : 204 });
    await stub.take([event(1), event(2)]);
    await runDurableObjectAlarm(stub);
    for (let hour = 0; hour < 80; hour += 10) {
      passTime(10 * 3600);
      // Another of its subjects is taken all the time: the endpoint is there.
      await stub.take([event(hour, other)]);
      await runDurableObjectAlarm(stub);
    }
    const path = `/admin/webhooks/${endpoint.id}`;
    const list = await call(`${path}/deliveries?state=parked`, { token: admin.token });
    expect(list.body.deliveries).toMatchObject([{ eventId: event(1).id, state: "parked", status: 500, subject }]);
    expect(backend.heard.filter(({ id }) => id === event(2).id)).toHaveLength(1);
    expect((await call(path, { token: admin.token })).body.isActive).toBe(true);
    backend.answer = () => new Response(null, { status: 204 });
    const again = `${path}/deliveries/${list.body.deliveries[0].id}/redeliver`;
    expect((await call(again, { method: "POST", token: admin.token })).body).toMatchObject({
      state: "waiting",
      attempts: 0,
    });
    await runDurableObjectAlarm(stub);
    expect(at(backend.heard, backend.heard.length - 1).id).toBe(event(1).id);
    const shown = await call(`${path}/deliveries?state=delivered&limit=2`, { token: admin.token });
    expect(shown.body.deliveries).toHaveLength(2);
    expect(shown.body.nextCursor).toEqual(expect.any(String));
    const next = await call(`${path}/deliveries?limit=100&before=${shown.body.nextCursor}`, { token: admin.token });
    const ids = [...shown.body.deliveries, ...next.body.deliveries].map(({ id }: { id: string }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(next.body.nextCursor).toBe(null);
    const search = async (text: string, more = "") => {
      const query = `search=${encodeURIComponent(text)}${more}`;
      const { body } = await call(`${path}/deliveries?${query}`, { token: admin.token });
      return { ids: body.deliveries.map(({ eventId }: { eventId: string }) => eventId), next: body.nextCursor };
    };
    expect(await search(event(2).id.toUpperCase())).toEqual({ ids: [event(2).id], next: null });
    expect((await search(subject)).ids).toEqual([event(2).id, event(1).id]);
    const firstOfTwo = await search(subject, "&limit=1");
    expect(firstOfTwo).toEqual({ ids: [event(2).id], next: expect.any(String) });
    expect((await search(subject, `&limit=1&before=${firstOfTwo.next}`)).ids).toEqual([event(1).id]);
    expect((await search("answered 500")).ids).toEqual([]);
    expect((await search("ROOM.created", "&limit=100")).ids).toHaveLength(ids.length);
    expect((await search("%")).ids).toEqual([]);
    expect((await call(`${path}/deliveries/7-999/redeliver`, { method: "POST", token: admin.token })).status).toBe(404);
  });
});

describe("an endpoint", () => {
  it("gets several events in one call, the same ones when it is repeated", async () => {
    const endpoint = await makeEndpoint(backend, await mintAdmin(), ["room.created"], { batchSize: 3 });
    const [a = "", b = ""] = neighbours(endpoint, 2);
    const { stub, event } = queueOf(endpoint, a);
    backend.answer = () => new Response(null, { status: 500 });
    await stub.take([event(1), event(1, b), event(2), event(3)]);
    await runDurableObjectAlarm(stub);
    await stub.take([event(4, b)]);
    backend.answer = () => new Response(null, { status: 204 });
    await evictDurableObject(stub);
    passTime(60);
    await runDurableObjectAlarm(stub);
    const calls = backend.heard.map(({ id, events }) => [
      id,
      events.map(({ subject, data }) => `${subject} ${data.n}`),
    ]);
    const first = [event(1).id, [`${a} 1`, `${b} 1`, `${a} 2`]];
    expect(calls[0]).toEqual(first);
    expect(calls.filter(([id]) => id === event(1).id)).toEqual(Array(2).fill(first));
    expect(calls.flatMap(([, events]) => events).filter((name) => name === `${b} 4`)).toHaveLength(1);
    const order = calls.slice(1).flatMap(([, events]) => events);
    expect(order.indexOf(`${a} 3`)).toBeGreaterThan(order.indexOf(`${a} 2`));
    expect(order.indexOf(`${b} 4`)).toBeGreaterThan(order.indexOf(`${b} 1`));
  });

  it("that answers 410 is switched off, and its admin is told; what waited is put aside", async () => {
    const admin = await mintAdmin();
    const endpoint = await makeEndpoint(backend, admin, ["room.created"]);
    const socket = await openHub(admin);
    const { stub, event } = queueOf(endpoint, "room:0");
    backend.answer = () => new Response(null, { status: 410 });
    await stub.take([event(1), event(2)]);
    await runDurableObjectAlarm(stub);
    expect((await socket.next("notification:new")).data).toMatchObject({
      type: "webhook_off",
      actor: null,
      target: { type: "webhook", id: endpoint.id },
    });
    const path = `/admin/webhooks/${endpoint.id}`;
    expect((await call(path, { token: admin.token })).body).toMatchObject({
      isActive: false,
      offReason: expect.stringContaining("410"),
    });
    expect((await call(`${path}/deliveries`, { token: admin.token })).body.deliveries).toMatchObject([
      { state: "parked" },
      { state: "parked" },
    ]);
    const audit = await call(`/admin/audit?targetType=webhook&targetId=${endpoint.id}&action=switch_off`, {
      token: admin.token,
    });
    expect(audit.body.entries).toMatchObject([{ adminUsername: "system" }]);
    expect(backend.heard).toHaveLength(1);
  });

  it("that answers 410 to a trial is switched off as well", async () => {
    const { token } = await mintAdmin();
    const { id } = await makeEndpoint(backend, { token }, ["room.created"]);
    backend.answer = () => new Response(null, { status: 410 });
    const tried = await call(`/admin/webhooks/${id}/test`, { method: "POST", token });
    expect(tried).toMatchObject({ status: 200, body: { state: "parked", status: 410 } });
    expect((await call(`/admin/webhooks/${id}`, { token })).body).toMatchObject({ isActive: false });
  });

  it("is not told what still waits of somebody who was erased, but that they were; then nothing of theirs is left", async () => {
    const endpoint = await makeEndpoint(backend, await mintAdmin(), ["room.created"]);
    const [ann, bob] = [await mintUser(), await mintUser()];
    const { stub } = queueOf(endpoint, "room:0");
    const event = (type: string, { id }: { id: number }): QueuedEvent => ({
      id: `${type}-${id}`,
      subject: "room:0",
      body: JSON.stringify({ type, timestamp: new Date().toISOString(), subject: "room:0", data: { userId: id } }),
      people: [id],
    });
    const queued = () =>
      runInDurableObject(stub, (_, { storage }) => storage.sql.exec("SELECT event_id FROM queue ORDER BY n").toArray());
    const named = () =>
      run("SELECT user_id FROM user_references WHERE target GLOB ? ORDER BY user_id", `sender:${endpoint.id}-*`);
    backend.answer = () => new Response(null, { status: 503 });
    await stub.take([event("room.message_sent", ann), event("room.message_sent", bob)]);
    await expect.poll(named).toEqual([{ user_id: ann.id }, { user_id: bob.id }]);
    await run("DELETE FROM users WHERE id = ?", bob.id);
    await run("INSERT INTO outbox (target, payload, created_at) VALUES (?, '{}', 1)", `erase:${bob.id}`);
    await sweepOutbox(startContext({ env, later: () => {} }));
    expect(await queued()).toEqual([{ event_id: event("room.message_sent", ann).id }]);
    await evictDurableObject(stub);
    backend.answer = () => new Response(null, { status: 204 });
    await stub.take([event("user.erased", bob), event("room.message_edited", ann)]);
    passTime(20);
    await runDurableObjectAlarm(stub);
    // The database has said meanwhile that the one whom it names was erased.
    await expect
      .poll(queued)
      .toEqual(["sent", "edited"].map((what) => ({ event_id: `room.message_${what}-${ann.id}` })));
    expect(new Set(typesHeard())).toEqual(new Set(["room.message_sent", "user.erased", "room.message_edited"]));
    expect(backend.heard.filter(({ id }) => id === `room.message_sent-${bob.id}`)).toEqual([]);
    expect(await named()).toEqual([{ user_id: ann.id }]);
    await call(`/admin/webhooks/${endpoint.id}`, { method: "DELETE", token: (await mintAdmin()).token });
    await expect.poll(named).toEqual([]);
  });

  it("is known to name those of whom its queue told before it kept whose an event is", async () => {
    const endpoint = await makeEndpoint(backend, await mintAdmin(), ["file.created"]);
    const bob = await mintUser();
    const { stub } = queueOf(endpoint, "file:1");
    const fact = { type: "file.created", timestamp: new Date().toISOString(), subject: "file:1" };
    const body = JSON.stringify({ ...fact, data: { fileId: "1", ownerId: bob.id, name: "hers.png" } });
    await runInDurableObject(stub, (_, { storage: { sql } }) =>
      setBack(sql, SENDER_SCHEMA.slice(0, 1), () => {
        const insert =
          "INSERT INTO queue (event_id, subject, body, at, state, due_at) VALUES ('e', 'file:1', ?, 1, 'parked', 1)";
        sql.exec(insert, body);
      }),
    );
    await evictDurableObject(stub);
    await runInDurableObject(stub, (sender) => sender.alarm());
    const named = run("SELECT user_id FROM user_references WHERE target GLOB ?", `sender:${endpoint.id}-*`);
    expect(await named).toEqual([{ user_id: bob.id }]);
  });

  it("that failed for three days, and did nothing else, is switched off", async () => {
    const admin = await mintAdmin();
    const endpoint = await makeEndpoint(backend, admin, ["room.created"]);
    const { stub, event } = queueOf(endpoint, "room:0");
    backend.answer = () => Promise.reject(new TypeError("no route"));
    await stub.take([event(1)]);
    for (let hours = 0; hours < 90; hours += 10) {
      await runDurableObjectAlarm(stub);
      passTime(10 * 3600);
    }
    const { body } = await call(`/admin/webhooks/${endpoint.id}`, { token: admin.token });
    expect(body).toMatchObject({ isActive: false, offReason: expect.stringContaining("three days") });
  });

  it("can be tried; redirects are not followed, and no more than 4 KiB of an answer is read", async () => {
    const admin = await mintAdmin();
    const endpoint = await makeEndpoint(backend, admin, ["room.created"]);
    const test = () => call(`/admin/webhooks/${endpoint.id}/test`, { method: "POST", token: admin.token });
    expect((await test()).body).toMatchObject({ type: "webhook.test", state: "delivered", status: 204, attempts: 1 });
    backend.answer = () => Response.redirect("https://product.example/elsewhere", 307);
    expect((await test()).body).toMatchObject({ state: "parked", status: 307 });
    expect(backend.heard).toHaveLength(2);
    let read = 0;
    const endless = new ReadableStream({
      pull(controller) {
        read += 1;
        controller.enqueue(new Uint8Array(1024));
      },
    });
    backend.answer = () => new Response(endless);
    expect((await test()).body).toMatchObject({ state: "delivered", status: 200 });
    expect(read).toBeLessThan(10);
    await run("UPDATE webhooks SET url = 'https://169.254.169.254/' WHERE id = ?", endpoint.id);
    expect((await test()).body).toMatchObject({
      state: "parked",
      status: null,
      reason: expect.stringContaining("public internet"),
    });
  });

  it("that is deleted hears nothing more, and nothing is left of it", async () => {
    const admin = await mintAdmin();
    const endpoint = await makeEndpoint(backend, admin, ["room.created"]);
    const { stub, event } = queueOf(endpoint, "room:0");
    backend.answer = () => new Response(null, { status: 500 });
    await stub.take([event(1)]);
    await runDurableObjectAlarm(stub);
    const heard = backend.heard.length;
    await call(`/admin/webhooks/${endpoint.id}`, { method: "DELETE", token: admin.token });
    const left = () => run("SELECT 1 FROM outbox WHERE target GLOB ?", `endpoint:${endpoint.id}-*`);
    await vi.waitFor(async () => expect(await left()).toEqual([]));
    expect(sendersOf(refOf(endpoint))).toHaveLength(8);
    expect(await stub.page({ at: Number.MAX_SAFE_INTEGER, n: 0 }, 10)).toEqual([]);
    passTime(3600);
    await runDurableObjectAlarm(stub);
    expect(backend.heard).toHaveLength(heard);
  });
});
