/** The calls of a course: who is removed from the course is out of them (SPEC 8). */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { bearer, mintUser, type TestUser } from "./support/api.ts";
import { remoteRequest } from "./support/callers.ts";
import { as, openCourse, promote } from "./support/rooms.ts";
import { fetchWith } from "./support/settings.ts";
import { get, join, offer, open, roomOf } from "./support/webrtc.ts";

/** A course with two members, and a call of it that the first of them hosts. */
async function courseWithCall(joinPolicy: "open" | "members" = "members") {
  const [mod, ann, bob] = [await mintUser("mod"), await mintUser("ann"), await mintUser("bob")];
  await promote(env.DB, mod, "moderator");
  const courseId = `course-${mod.id}`;
  const path = `/chat/courses/${courseId}`;
  await as(mod, "POST", "/chat/courses", { courseId, name: "Maths", joinPolicy });
  for (const { id } of [ann, bob]) await as(mod, "POST", `${path}/members`, { userId: id });
  const { status, body } = await as(ann, "POST", "/webrtc/sessions", { courseId });
  expect(status).toBe(201);
  const remove = async (user: TestUser) => (await as(mod, "DELETE", `${path}/members/${user.id}`)).status;
  return { courseId, path, sessionId: String(body.id), mod, ann, bob, remove };
}

/** How many servers a deployment with TURN names to this user; STUN is one of them. */
async function iceServers(user: TestUser, query = ""): Promise<number> {
  const settings = { TURN_URLS: "turn:turn.example.com:3478", TURN_SHARED_SECRET: "north-and-further-north" };
  const response = await fetchWith(settings, `/api/v1/webrtc/ice-servers${query}`, { headers: bearer(user) });
  return response.ok ? (await response.json<{ iceServers: unknown[] }>()).iceServers.length : response.status;
}

describe("who is removed from a course of members", () => {
  it("is out of its chat and of its call at once, and gets no more TURN by it", async () => {
    const { courseId, sessionId, ann, bob, remove } = await courseWithCall();
    const chat = await openCourse(bob, courseId);
    const [host, guest] = [await join(ann, sessionId), await join(bob, sessionId)];
    await host.next("webrtc:user_joined");
    await vi.waitFor(async () => expect(await iceServers(bob)).toBe(2));
    expect(await remove(bob)).toBe(200);
    expect((await guest.nextClose()).code).toBe(4003);
    expect((await chat.nextClose()).code).toBe(4003);
    expect((await host.next("webrtc:user_left")).data).toMatchObject({ userId: bob.id });
    expect((await host.ask("webrtc:offer", { targetUserId: bob.id, offer: offer("late") })).error?.code).toBe(
      "NOT_FOUND",
    );
    await host.expectNothing();
    expect((await (await open(bob, sessionId)).nextClose()).code).toBe(4003);
    expect(await iceServers(bob, `?sessionId=${sessionId}`)).toBe(403);
    await vi.waitFor(async () => expect(await iceServers(bob)).toBe(1));
    expect(await iceServers(ann)).toBe(2);
  });

  it("is out of a call that sleeps, and of one that they host", async () => {
    const { sessionId, ann, bob, remove } = await courseWithCall();
    const [host, guest] = [await join(ann, sessionId), await join(bob, sessionId)];
    await host.next("webrtc:user_joined");
    await evictDurableObject(roomOf(sessionId));
    expect(await remove(ann)).toBe(200);
    expect((await host.nextClose()).code).toBe(4003);
    expect((await guest.next("webrtc:user_left")).data).toMatchObject({ userId: ann.id });
    expect((await get(ann, `/webrtc/sessions/${sessionId}`)).status).toBe(403);
    expect((await as(ann, "DELETE", `/webrtc/sessions/${sessionId}`)).status).toBe(200);
    expect((await guest.nextClose()).code).toBe(4004);
  });

  it("is turned away who was on the way into a call, also after a sleep; added again, they may join", async () => {
    const { path, sessionId, mod, bob, remove } = await courseWithCall();
    const request = (asOf: number) => remoteRequest(bob, { maxParticipants: 10, asOf }, { asOf });
    const newest = "SELECT seq FROM sqlite_sequence WHERE name = 'outbox'";
    const before = (await env.DB.prepare(newest).first<number>("seq")) ?? 0;
    expect(await remove(bob)).toBe(200);
    const arrive = () => roomOf(sessionId).remoteJoin(request(before), { gateway: "none", socketId: `late-${bob.id}` });
    await vi.waitFor(async () => expect(await arrive()).toMatchObject({ ok: false, error: { code: "FORBIDDEN" } }));
    await evictDurableObject(roomOf(sessionId));
    expect(await arrive()).toMatchObject({ ok: false, error: { code: "FORBIDDEN" } });
    await as(mod, "POST", `${path}/members`, { userId: bob.id });
    const socket = await join(bob, sessionId);
    await socket.expectNothing("webrtc:error");
  });
});

describe("being removed", () => {
  it("from an open course ends nothing but the membership, for a moderator alike: they may join without", async () => {
    const { courseId, path, sessionId, ann, bob, remove } = await courseWithCall("open");
    const [chat, guest] = [await openCourse(bob, courseId), await join(bob, sessionId)];
    expect(await remove(bob)).toBe(200);
    expect(await remove(bob)).toBe(404);
    expect((await as(ann, "POST", `${path}/messages`, { message: "still here?" })).status).toBe(201);
    expect((await chat.next("chat:new_message")).data).toMatchObject({ message: "still here?" });
    const closed = await courseWithCall();
    await promote(env.DB, closed.bob, "moderator");
    const moderator = await join(closed.bob, closed.sessionId);
    expect(await closed.remove(closed.bob)).toBe(200);
    expect(await moderator.ask("webrtc:raise_hand", {})).toMatchObject({ type: "ack" });
    expect(await guest.ask("webrtc:raise_hand", {})).toMatchObject({ type: "ack" });
  });
});
