import {
  abortAllDurableObjects,
  createExecutionContext,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { app } from "../src/app.ts";
import type { ConnectRequest } from "../src/realtime/connection-state.ts";
import { reachGatewaysBy } from "../src/realtime/remote-members.ts";
import { call, costOf, mintUser, ORIGIN, type TestUser } from "./support/api.ts";
import { openHub, openSocket, type TestSocket, upgrade } from "./support/socket.ts";

const GRACE_MS = 6000;
const GHOST_MS = 75_000;

const roomOf = (sessionId: string) => env.WEBRTC_ROOM.getByName(sessionId);
const get = (user: TestUser, path: string) => call(path, { token: user.token });

async function host(user: TestUser, more: object = {}): Promise<string> {
  const { status, body } = await call("/webrtc/sessions", { method: "POST", token: user.token, body: more });
  expect(status).toBe(201);
  return body.id;
}

const open = (user: TestUser, sessionId: string, query = ""): Promise<TestSocket> =>
  openSocket(`/webrtc/sessions/${sessionId}/ws?token=${user.token}${query}`);

/** A socket that has joined, past its list of participants. */
async function join(user: TestUser, sessionId: string, more: object = {}, query = ""): Promise<TestSocket> {
  const socket = await open(user, sessionId, query);
  const answer = await socket.ask("webrtc:join_session", { sessionId, role: "student", ...more });
  expect(answer).toMatchObject({ type: "ack" });
  await socket.next("webrtc:participants_list");
  return socket;
}

/** A session with its host and guests, everybody joined and everybody told. */
async function meeting(...names: string[]) {
  const users = await Promise.all(names.map((name) => mintUser(name)));
  const [first] = users;
  if (!first) throw new Error("Nobody to host");
  const sessionId = await host(first);
  const sockets: TestSocket[] = [];
  for (const user of users) {
    const socket = await join(user, sessionId, { displayName: user.username });
    for (const earlier of sockets) await earlier.next("webrtc:user_joined");
    sockets.push(socket);
  }
  return { sessionId, users, sockets };
}

/** Waits until the room knows that this user's connection is gone. */
const untilAway = (sessionId: string, userId: number) =>
  vi.waitFor(() =>
    runInDurableObject(roomOf(sessionId), (_room, { storage }) => {
      const rows = storage.sql.exec("SELECT 1 FROM present WHERE user_id = ? AND away_at IS NOT NULL", userId);
      expect(rows.toArray()).toHaveLength(1);
    }),
  );

/** What everybody in the object takes for now; timers and sockets go on by the real clock. */
function passTime(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
}
afterEach(() => {
  vi.useRealTimers();
});

const offer = (sdp: string) => ({ type: "offer", sdp });

describe("video sessions", () => {
  it("are made, shown, and ended by their host alone", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const made = await call("/webrtc/sessions", {
      method: "POST",
      token: ann.token,
      body: { title: "Algebra <script>", maxParticipants: 4 },
    });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ hostId: ann.id, maxParticipants: 4, courseId: null, endedAt: null });
    expect(made.body.title).not.toContain("<script");
    expect(costOf(made).d1_queries).toBe(2);
    const path = `/webrtc/sessions/${made.body.id}`;
    expect(await get(bob, path)).toMatchObject({ status: 200, body: made.body });

    expect((await call(path, { method: "DELETE", token: bob.token })).status).toBe(403);
    expect((await call(path, { method: "DELETE", token: ann.token })).body).toMatchObject({ success: true });
    const again = await call(path, { method: "DELETE", token: ann.token });
    expect([again.status, costOf(again).d1_rows_written, costOf(again).object_calls]).toEqual([200, 0, 0]);
    expect((await get(ann, path)).body.endedAt).toEqual(expect.any(String));
  });

  it("refuse what is malformed, unknown or unsigned", async () => {
    const ann = await mintUser("ann");
    const post = (body: unknown, token?: string) => call("/webrtc/sessions", { method: "POST", token, body });
    for (const body of [
      { maxParticipants: 1 },
      { maxParticipants: 101 },
      { title: "x".repeat(256) },
      { courseId: 7 },
    ]) {
      const { status, body: answer } = await post(body, ann.token);
      expect([status, answer.error.code, answer.error.details.length]).toEqual([400, "INVALID_REQUEST", 1]);
    }
    expect((await post({})).status).toBe(401);
    for (const path of ["/webrtc/sessions/none", "/webrtc/sessions/none/attendance"]) {
      expect((await get(ann, path)).status).toBe(404);
      expect((await call(path)).status).toBe(401);
    }
    expect((await call("/webrtc/sessions/none", { method: "DELETE", token: ann.token })).status).toBe(404);
    expect((await call("/webrtc/sessions/none/ws", { token: ann.token })).status).toBe(426);
    const nowhere = await open(ann, "none");
    expect(await nowhere.nextClose()).toEqual({ code: 4004, reason: "NOT_FOUND" });
    const nobody = await openSocket("/webrtc/sessions/none/ws");
    expect((await nobody.nextClose()).code).toBe(4001);
    const foreign = await upgrade(`/webrtc/sessions/none/ws?token=${ann.token}`, { Origin: "https://evil.example" });
    expect(foreign.status).toBe(403);
  });

  it("have ids that sort by the time they were made", async () => {
    const ann = await mintUser("ann");
    const ids = [await host(ann), await host(ann), await host(ann)];
    expect([...ids].sort()).toEqual(ids);
  });

  it("show everybody who joined and who left, once, and nothing to who has not joined", async () => {
    const [ann, bob, eve] = [await mintUser("ann"), await mintUser("bob"), await mintUser("eve")];
    const sessionId = await host(ann);
    const outside = await open(eve, sessionId);
    const annSocket = await join(ann, sessionId, { displayName: "Ann", role: "teacher" });
    const bobSocket = await open(bob, sessionId);
    bobSocket.send({ type: "webrtc:join_session", data: { sessionId, displayName: "Bob <b>", role: "student" } });
    const { data: list } = await bobSocket.next("webrtc:participants_list");
    expect(list.sessionId).toBe(sessionId);
    expect(list.participants).toEqual([
      {
        userId: ann.id,
        displayName: "Ann",
        role: "teacher",
        audioEnabled: true,
        videoEnabled: true,
        screenSharing: false,
        handRaised: false,
        joinedAt: expect.any(String),
        polite: bob.id > ann.id,
      },
      expect.objectContaining({ userId: bob.id }),
    ]);
    const { data: joined } = await annSocket.next("webrtc:user_joined");
    expect(joined).toMatchObject({ sessionId, userId: bob.id, displayName: "Bob <\u2060b>", polite: ann.id > bob.id });

    expect(await bobSocket.ask("webrtc:leave_session", { sessionId })).toMatchObject({ type: "ack" });
    expect(await annSocket.next("webrtc:user_left")).toEqual({
      type: "webrtc:user_left",
      data: { sessionId, userId: bob.id },
    });
    expect(await bobSocket.ask("webrtc:leave_session")).toMatchObject({ type: "ack" });
    await annSocket.expectNothing("webrtc:user_left", "webrtc:user_joined");
    await outside.ask("no-such-command");
    expect(outside.frames.filter(({ type }) => type.startsWith("webrtc:"))).toEqual([]);
  });

  it("show what participants switch, once per change, to the others", async () => {
    const { sessionId, users, sockets } = await meeting("ann", "bob");
    const [ann, bob] = sockets as [TestSocket, TestSocket];
    const userId = users[1]?.id;
    const changes: [command: string, data: object, frame: string, content: object][] = [
      ["webrtc:toggle_audio", { enabled: false }, "webrtc:user_audio_toggled", { enabled: false }],
      ["webrtc:toggle_video", { enabled: false }, "webrtc:user_video_toggled", { enabled: false }],
      ["webrtc:toggle_video", { enabled: true }, "webrtc:user_video_toggled", { enabled: true }],
      ["webrtc:screen_share_start", {}, "webrtc:screen_share_started", {}],
      ["webrtc:screen_share_stop", {}, "webrtc:screen_share_stopped", {}],
      ["webrtc:raise_hand", {}, "webrtc:hand_raised", {}],
      ["webrtc:lower_hand", {}, "webrtc:hand_lowered", {}],
    ];
    for (const [command, data, frame, content] of changes) {
      for (const _twice of [1, 2]) expect((await bob.ask(command, { sessionId, ...data })).type).toBe("ack");
      expect(await ann.nextFrame()).toEqual({ type: frame, data: { sessionId, userId, ...content } });
    }
    const frames = changes.map(([, , frame]) => frame);
    await ann.expectNothing(...frames);
    await bob.expectNothing(...frames);
  });

  it("keep the participants' state through hibernation", async () => {
    const { sessionId, users, sockets } = await meeting("ann", "bob");
    const [ann, bob] = sockets as [TestSocket, TestSocket];
    await bob.ask("webrtc:raise_hand", { sessionId });
    await bob.ask("webrtc:toggle_audio", { sessionId, enabled: false });
    await evictDurableObject(roomOf(sessionId));
    await ann.ask("webrtc:offer", { sessionId, targetUserId: users[1]?.id, offer: offer("after") });
    expect((await bob.next("webrtc:offer_received")).data.offer.sdp).toBe("after");
    const again = await ann.ask("webrtc:join_session", { sessionId });
    expect(again.data.participants).toMatchObject([
      { userId: users[0]?.id, displayName: users[0]?.username, handRaised: false },
      { userId: users[1]?.id, displayName: users[1]?.username, handRaised: true, audioEnabled: false },
    ]);
    await bob.expectNothing("webrtc:user_joined", "webrtc:user_left");
  });

  it("take no more than their number of participants, and a place that is left", async () => {
    const [ann, bob, cem] = [await mintUser("ann"), await mintUser("bob"), await mintUser("cem")];
    const sessionId = await host(ann, { maxParticipants: 2 });
    await join(ann, sessionId);
    const bobSocket = await join(bob, sessionId);
    const cemSocket = await open(cem, sessionId);
    expect(await cemSocket.ask("webrtc:join_session", { sessionId })).toMatchObject({
      type: "error",
      error: { code: "FORBIDDEN" },
    });
    await bobSocket.ask("webrtc:leave_session", { sessionId });
    expect((await cemSocket.ask("webrtc:join_session", { sessionId })).type).toBe("ack");
    expect((await bobSocket.ask("webrtc:join_session", { sessionId })).error.code).toBe("FORBIDDEN");
  });

  it("end with a frame and 4004 for everybody, and let nobody in any more", async () => {
    const { sessionId, users, sockets } = await meeting("ann", "bob");
    const [ann] = users as [TestUser];
    const unjoined = await open(await mintUser("eve"), sessionId);
    await call(`/webrtc/sessions/${sessionId}`, { method: "DELETE", token: ann.token });
    for (const socket of [...sockets, unjoined]) {
      expect((await socket.next("webrtc:error")).data.code).toBe("NOT_FOUND");
      expect(await socket.nextClose()).toEqual({ code: 4004, reason: "NOT_FOUND" });
      expect(socket.frames.filter(({ type }) => type === "webrtc:user_left")).toEqual([]);
    }
    const late = await open(ann, sessionId);
    expect((await late.nextClose()).code).toBe(4004);
    // Past the Worker's check, as one who was let in just before the end.
    await env.DB.prepare("UPDATE webrtc_sessions SET ended_at = NULL WHERE id = ?").bind(sessionId).run();
    expect((await (await open(ann, sessionId)).nextClose()).code).toBe(4004);
    const { body } = await get(ann, `/webrtc/sessions/${sessionId}/attendance`);
    expect(body.attendance.map((stay: { leftAt: string }) => stay.leftAt)).toEqual([
      expect.any(String),
      expect.any(String),
    ]);
  });
});

describe("signaling", () => {
  it("goes to its target alone, from who sent it", async () => {
    const { sessionId, users, sockets } = await meeting("ann", "bob", "cem");
    const [ann, bob, cem] = sockets as [TestSocket, TestSocket, TestSocket];
    const [annId, bobId] = users.map(({ id }) => id);
    const spoofed = { sessionId, fromUserId: users[2]?.id, from: 1, userId: 1 };
    await ann.ask("webrtc:offer", { ...spoofed, targetUserId: bobId, offer: offer("o") });
    await bob.ask("webrtc:answer", { ...spoofed, targetUserId: annId, answer: { type: "answer", sdp: "a" } });
    const candidate = { candidate: "candidate:1 1 udp 1 192.0.2.1 9 typ host", sdpMid: "0", sdpMLineIndex: 0 };
    await ann.ask("webrtc:ice_candidate", { ...spoofed, targetUserId: bobId, candidate });
    await ann.ask("webrtc:ice_candidate", { ...spoofed, targetUserId: bobId, candidate: null });
    expect((await bob.next("webrtc:offer_received")).data).toEqual({
      sessionId,
      fromUserId: annId,
      offer: offer("o"),
    });
    expect((await ann.next("webrtc:answer_received")).data).toEqual({
      sessionId,
      fromUserId: bobId,
      answer: { type: "answer", sdp: "a" },
    });
    const received = await bob.collect("webrtc:ice_candidate_received", 2);
    expect(received.map(({ data }) => data)).toEqual([
      { sessionId, fromUserId: annId, candidate },
      { sessionId, fromUserId: annId, candidate: null },
    ]);
    await cem.expectNothing("webrtc:offer_received", "webrtc:answer_received", "webrtc:ice_candidate_received");
  });

  it("is refused to and from outsiders, to oneself, and into another session", async () => {
    const { sessionId, users, sockets } = await meeting("ann", "bob");
    const [ann, bob] = sockets as [TestSocket, TestSocket];
    const eve = await mintUser("eve");
    const outside = await open(eve, sessionId);
    const bobId = users[1]?.id;
    const signals: [string, object][] = [
      ["webrtc:offer", { offer: offer("x") }],
      ["webrtc:answer", { answer: { type: "answer", sdp: "x" } }],
      ["webrtc:ice_candidate", { candidate: { candidate: "x" } }],
    ];
    for (const [type, content] of signals) {
      const refused = async (socket: TestSocket, data: object, code: string) =>
        expect(await socket.ask(type, { ...data, ...content })).toMatchObject({ type: "error", error: { code } });
      await refused(outside, { sessionId, targetUserId: bobId }, "FORBIDDEN");
      await refused(ann, { sessionId, targetUserId: eve.id }, "NOT_FOUND");
      await refused(ann, { sessionId, targetUserId: users[0]?.id }, "NOT_FOUND");
      await refused(ann, { sessionId: "another", targetUserId: bobId }, "NOT_FOUND");
    }
    for (const type of ["webrtc:raise_hand", "webrtc:screen_share_start"]) {
      expect((await outside.ask(type, { sessionId })).error.code).toBe("FORBIDDEN");
    }
    await bob.ask("webrtc:leave_session", { sessionId });
    const late = await ann.ask("webrtc:offer", { sessionId, targetUserId: bobId, offer: offer("x") });
    expect(late.error.code).toBe("NOT_FOUND");
    await bob.expectNothing("webrtc:offer_received", "webrtc:answer_received", "webrtc:ice_candidate_received");
    await outside.expectNothing("webrtc:offer_received", "webrtc:answer_received", "webrtc:ice_candidate_received");
  });

  it("answers what is malformed or too long, and the socket lives", async () => {
    const { sessionId, users, sockets } = await meeting("ann", "bob");
    const [ann, bob] = sockets as [TestSocket, TestSocket];
    const targetUserId = users[1]?.id;
    const bad: [string, unknown][] = [
      ["webrtc:offer", { sessionId, targetUserId }],
      ["webrtc:offer", { sessionId, targetUserId: "bob", offer: offer("x") }],
      ["webrtc:offer", { sessionId, targetUserId, offer: offer("x".repeat(49 * 1024)) }],
      ["webrtc:answer", { sessionId, targetUserId, answer: { type: "answer", sdp: [["deep"]] } }],
      ["webrtc:ice_candidate", { sessionId, targetUserId, candidate: { candidate: "x".repeat(4096) } }],
      ["webrtc:toggle_audio", { sessionId, enabled: "yes" }],
      ["webrtc:join_session", { sessionId, displayName: "x".repeat(101) }],
      ["webrtc:join_session", { sessionId: 7 }],
    ];
    for (const [type, data] of bad) {
      expect(await ann.ask(type, data)).toMatchObject({ type: "error", error: { code: "INVALID_MESSAGE" } });
    }
    ann.send("{");
    ann.send(new ArrayBuffer(3));
    await ann.collect("error", bad.length + 2);
    await ann.ask("webrtc:offer", { sessionId, targetUserId, offer: offer("x".repeat(40 * 1024)) });
    expect(await bob.collect("webrtc:offer_received", 1)).toHaveLength(1);
  });

  it("brings a burst of 200 candidates complete and in order, on a budget of its own", async () => {
    const { sessionId, users, sockets } = await meeting("ann", "bob");
    const [ann, bob] = sockets as [TestSocket, TestSocket];
    const targetUserId = users[1]?.id;
    for (let n = 0; n < 200; n += 1) {
      ann.send({ type: "webrtc:ice_candidate", data: { sessionId, targetUserId, candidate: { candidate: `c${n}` } } });
    }
    const received = await bob.collect("webrtc:ice_candidate_received", 200);
    expect(received.map(({ data }) => data.candidate.candidate)).toEqual(
      Array.from({ length: 200 }, (_, n) => `c${n}`),
    );
    // 100 messages a minute would be long gone.
    expect((await ann.ask("webrtc:raise_hand", { sessionId })).type).toBe("ack");
    expect(ann.frames.filter(({ type }) => type === "error")).toEqual([]);
  });

  it("stops at 1200 frames a minute", async () => {
    const { sessionId, users, sockets } = await meeting("ann", "bob");
    const [ann] = sockets as [TestSocket];
    const data = { sessionId, targetUserId: users[1]?.id, candidate: null };
    for (let n = 0; n < 1200; n += 1) ann.send({ type: "webrtc:ice_candidate", data });
    const over = await ann.ask("webrtc:ice_candidate", data);
    expect(over).toMatchObject({ type: "error", error: { code: "RATE_LIMIT" } });
    // Joining was the first of the 1200.
    expect(ann.frames.filter(({ type }) => type === "error")).toHaveLength(2);
  });
});

describe("leaving", () => {
  it("does not show a reload: who is back within the grace never left", async () => {
    const { sessionId, users, sockets } = await meeting("ann", "bob");
    const [ann, bob] = sockets as [TestSocket, TestSocket];
    const [, bobUser] = users as [TestUser, TestUser];
    await bob.ask("webrtc:raise_hand", { sessionId });
    bob.close();
    await untilAway(sessionId, bobUser.id);
    const refused = await ann.ask("webrtc:offer", { sessionId, targetUserId: bobUser.id, offer: offer("x") });
    expect(refused.error.code).toBe("NOT_FOUND");
    await evictDurableObject(roomOf(sessionId));
    const back = await join(bobUser, sessionId, { displayName: bobUser.username });
    passTime(GRACE_MS + 1);
    await runDurableObjectAlarm(roomOf(sessionId));
    await ann.expectNothing("webrtc:user_left", "webrtc:user_joined");
    const { data } = await back.ask("webrtc:join_session", { sessionId });
    expect(data.participants).toMatchObject([{}, { userId: bobUser.id, handRaised: true }]);
    const { body } = await get(users[0] as TestUser, `/webrtc/sessions/${sessionId}/attendance`);
    expect(body.attendance).toHaveLength(2);
  });

  it("comes with the end of the grace, once, though the object slept", async () => {
    const { sessionId, users, sockets } = await meeting("ann", "bob");
    const [ann, bob] = sockets as [TestSocket, TestSocket];
    const userId = users[1]?.id ?? 0;
    bob.close();
    await untilAway(sessionId, userId);
    await ann.expectNothing("webrtc:user_left");
    await evictDurableObject(roomOf(sessionId));
    passTime(GRACE_MS + 1);
    await runDurableObjectAlarm(roomOf(sessionId));
    expect((await ann.next("webrtc:user_left")).data).toEqual({ sessionId, userId });
    await runDurableObjectAlarm(roomOf(sessionId));
    await ann.expectNothing("webrtc:user_left");
  });

  it("comes by itself for a client that vanished, within 75 s of its last sign, without a grace", async () => {
    for (const heartbeat of ["server", "client"]) {
      const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
      const sessionId = await host(ann);
      const annSocket = await join(ann, sessionId);
      await join(bob, sessionId, {}, `&heartbeat=${heartbeat}`);
      const due = await runInDurableObject(roomOf(sessionId), (_room, state) => state.storage.getAlarm());
      expect(due).toBeLessThanOrEqual(Date.now() + GHOST_MS);
      passTime(GHOST_MS - 1000);
      await annSocket.ask("webrtc:raise_hand", { sessionId });
      vi.useRealTimers();
      passTime(GHOST_MS + 1000);
      await runDurableObjectAlarm(roomOf(sessionId));
      expect((await annSocket.next("webrtc:user_left")).data).toEqual({ sessionId, userId: bob.id });
      vi.useRealTimers();
      const { body } = await get(ann, `/webrtc/sessions/${sessionId}/attendance`);
      const stay = body.attendance.find(({ userId }: { userId: number }) => userId === bob.id);
      expect(stay.seconds).toBeLessThan(10);
    }
  });

  it("is at once for who logs out or is cut off", async () => {
    const { users, sockets } = await meeting("ann", "bob");
    const [ann, bob] = sockets as [TestSocket, TestSocket];
    const hub = await openHub(users[1] as TestUser);
    await call("/auth/logout", { method: "POST", token: users[1]?.token });
    expect((await hub.nextClose()).code).toBe(4001);
    expect((await bob.nextClose()).code).toBe(4001);
    expect((await ann.next("webrtc:user_left")).data.userId).toBe(users[1]?.id);
  });

  it("is not what a second window does: it takes over, and the first takes no part any more", async () => {
    const { sessionId, users, sockets } = await meeting("ann", "bob");
    const [ann, bob] = sockets as [TestSocket, TestSocket];
    const bobUser = users[1] as TestUser;
    const second = await join(bobUser, sessionId, { displayName: bobUser.username });
    expect((await bob.next("webrtc:error")).data.code).toBe("CONFLICT");
    await ann.ask("webrtc:offer", { sessionId, targetUserId: bobUser.id, offer: offer("x") });
    expect((await second.next("webrtc:offer_received")).data.fromUserId).toBe(users[0]?.id);
    await bob.expectNothing("webrtc:offer_received");
    expect((await bob.ask("webrtc:raise_hand", { sessionId })).error.code).toBe("FORBIDDEN");
    expect((await bob.ask("webrtc:leave_session", { sessionId })).type).toBe("ack");
    bob.close();
    await evictDurableObject(roomOf(sessionId));
    await ann.expectNothing("webrtc:user_left", "webrtc:user_joined", "webrtc:hand_raised");
  });
});

describe("a participant whose connection a gateway holds", () => {
  it("takes part as any other, and goes on when the connection moves to another gateway", async () => {
    const { sessionId, users, sockets } = await meeting("ann");
    const [ann, annSocket] = [users[0] as TestUser, sockets[0] as TestSocket];
    const bob = await mintUser("bob");
    const room = roomOf(sessionId);
    const delivered: [gateway: string, event: unknown][] = [];
    reachGatewaysBy((_env, gateway) => ({
      deliver: async (batches) => {
        for (const { events } of batches) for (const event of events) delivered.push([gateway, JSON.parse(event)]);
        return [];
      },
      disconnect: async () => undefined,
      reset: async () => undefined,
      expel: async () => undefined,
    }));
    const admission: ConnectRequest = {
      userId: bob.id,
      username: bob.username,
      displayName: null,
      avatarUrl: null,
      role: "user",
      sessionId: "s",
      expiresAt: Date.now() + 600_000,
      authenticatedAt: Date.now(),
      address: bob.address,
      heartbeat: "client",
      batch: false,
      facts: { maxParticipants: 50 },
    };
    const act = (type: string, data: object = {}) => room.executeRemote("bob-1", type, { sessionId, ...data });
    expect(await room.remoteJoin(admission, { gateway: "g1", socketId: "bob-1" })).toMatchObject({ ok: true });
    expect(await act("webrtc:join_session", { displayName: "Bob" })).toMatchObject({ ok: true });
    expect((await annSocket.next("webrtc:user_joined")).data.displayName).toBe("Bob");
    await evictDurableObject(room);
    await room.remoteJoin(admission, { gateway: "g2", socketId: "bob-1" });
    await annSocket.ask("webrtc:offer", { sessionId, targetUserId: bob.id, offer: offer("x") });
    const data = { sessionId, fromUserId: ann.id, offer: offer("x") };
    await vi.waitFor(() => expect(delivered.at(-1)).toEqual(["g2", ["webrtc:offer_received", data]]));
    expect(await act("webrtc:raise_hand")).toMatchObject({ ok: true });
    expect((await annSocket.next("webrtc:hand_raised")).data.userId).toBe(bob.id);
    await room.remoteLeave("bob-1");
    await untilAway(sessionId, bob.id);
    passTime(GRACE_MS + 1);
    await runDurableObjectAlarm(room);
    expect((await annSocket.next("webrtc:user_left")).data.userId).toBe(bob.id);
  });
});

describe("attendance", () => {
  const attendance = async (user: TestUser, sessionId: string) =>
    (await get(user, `/webrtc/sessions/${sessionId}/attendance`)).body.attendance;

  it("is for the host and moderators", async () => {
    const { sessionId, users } = await meeting("ann", "bob");
    const [ann, bob] = users as [TestUser, TestUser];
    const path = `/webrtc/sessions/${sessionId}/attendance`;
    expect((await get(bob, path)).status).toBe(403);
    const { status, body } = await get(ann, path);
    expect(status).toBe(200);
    const stay = { joinedAt: expect.any(String), leftAt: null, seconds: 0 };
    expect(body).toEqual({
      attendance: [
        { userId: ann.id, ...stay },
        { userId: bob.id, ...stay },
      ],
    });
    await env.DB.prepare("UPDATE users SET role = 'moderator' WHERE id = ?").bind(bob.id).run();
    expect((await get(bob, path)).body).toEqual(body);
  });

  it("counts each stay, from joining to leaving or the last sign, across reconnects and sleep", async () => {
    const { sessionId, users, sockets } = await meeting("ann", "bob");
    const [ann, bob] = users as [TestUser, TestUser];
    const [, bobSocket] = sockets as [TestSocket, TestSocket];
    const started = Date.now();
    passTime(10_000);
    bobSocket.close();
    await untilAway(sessionId, bob.id);
    passTime(2000);
    const back = await join(bob, sessionId);
    await evictDurableObject(roomOf(sessionId));
    passTime(28_000);
    await back.ask("webrtc:leave_session", { sessionId });
    passTime(60_000);
    const third = await join(bob, sessionId);
    passTime(5000);
    third.close();
    await untilAway(sessionId, bob.id);
    passTime(GRACE_MS + 1);
    await runDurableObjectAlarm(roomOf(sessionId));
    const stays = (await attendance(ann, sessionId)).filter(({ userId }: { userId: number }) => userId === bob.id);
    expect(stays).toHaveLength(2);
    const [first, second] = stays;
    expect(new Date(first.joinedAt).getTime()).toBeLessThanOrEqual(started);
    expect([40, 41, 42]).toContain(first.seconds);
    expect([5, 6, 7]).toContain(second.seconds);
    expect(new Date(second.leftAt).getTime() - new Date(second.joinedAt).getTime()).toBeLessThan(8000);
  });

  it("survives a crash: who comes back has stayed, who does not was there until last seen", async () => {
    const { sessionId, users } = await meeting("ann", "bob");
    const [ann, bob] = users as [TestUser, TestUser];
    await abortAllDurableObjects();
    passTime(3000);
    const annSocket = await join(ann, sessionId);
    const during = await attendance(ann, sessionId);
    expect(during.map(({ userId, leftAt }: { userId: number; leftAt: string | null }) => [userId, leftAt])).toEqual([
      [ann.id, null],
      [bob.id, null],
    ]);
    passTime(31_000);
    await annSocket.ask("no-such-command");
    await runDurableObjectAlarm(roomOf(sessionId));
    expect((await annSocket.next("webrtc:user_left")).data.userId).toBe(bob.id);
    const [annStay, bobStay] = await attendance(ann, sessionId);
    expect(annStay).toMatchObject({ userId: ann.id, leftAt: null });
    expect(annStay.seconds).toBeGreaterThanOrEqual(34);
    expect(bobStay).toMatchObject({ userId: bob.id, leftAt: expect.any(String) });
    expect(bobStay.seconds).toBeLessThan(3);
  });

  it("is there after the end, closed at the end", async () => {
    const { sessionId, users } = await meeting("ann", "bob");
    const [ann] = users as [TestUser];
    passTime(7000);
    await call(`/webrtc/sessions/${sessionId}`, { method: "DELETE", token: ann.token });
    const { endedAt } = (await get(ann, `/webrtc/sessions/${sessionId}`)).body;
    await evictDurableObject(roomOf(sessionId));
    passTime(60_000);
    for (const stay of await attendance(ann, sessionId)) {
      expect(stay.leftAt).toBe(endedAt);
      expect([7, 8, 9]).toContain(stay.seconds);
    }
  });

  it("costs three rows a stay, two more for a guest who is new, and none for what is said", async () => {
    const { sessionId, users, sockets } = await meeting("ann", "bob");
    const [ann] = sockets as [TestSocket];
    const written = async (act: () => Promise<unknown>): Promise<number> => {
      const changes = () =>
        runInDurableObject(
          roomOf(sessionId),
          (_room, { storage }) => storage.sql.exec<{ n: number }>("SELECT total_changes() AS n").one().n,
        );
      const before = await changes();
      await act();
      return (await changes()) - before;
    };
    const candidate = { sessionId, targetUserId: users[1]?.id, candidate: null };
    expect(
      await written(async () => {
        for (let n = 0; n < 50; n += 1) await ann.ask("webrtc:ice_candidate", candidate);
        await ann.ask("webrtc:raise_hand", { sessionId });
      }),
    ).toBe(0);
    const cem = await mintUser("cem");
    const stay = async () => {
      const socket = await join(cem, sessionId);
      await socket.ask("webrtc:leave_session", { sessionId });
    };
    // Whoever reads the attendance has the database told of new guests first.
    const read = () => call(`/webrtc/sessions/${sessionId}/attendance`, { token: users[0]?.token });
    await read();
    expect(
      await written(async () => {
        await stay();
        await read();
      }),
    ).toBe(5);
    expect(await written(stay)).toBe(3);
  });
});

describe("ICE servers", () => {
  /** Asks a deployment with these settings. */
  async function iceServers(user: TestUser | null, query = "", settings: Record<string, string> = {}) {
    const request = new Request(`${ORIGIN}/api/v1/webrtc/ice-servers${query}`, {
      headers: user ? { Authorization: `Bearer ${user.token}` } : {},
    });
    const context = createExecutionContext();
    const response = await app.fetch(request, { ...env, ...settings }, context);
    await waitOnExecutionContext(context);
    return { status: response.status, body: await response.json<{ iceServers: IceServer[] }>() };
  }
  type IceServer = { urls: string[]; username?: string; credential?: string };
  const STUN = { urls: ["stun:stun.cloudflare.com:3478"] };
  const TURN = {
    TURN_URLS: "turn:turn.example.com:3478,turns:turn.example.com:5349",
    TURN_SHARED_SECRET: "north-and-further-north",
    TURN_TTL_SECONDS: "600",
  };
  const CLOUDFLARE = { CLOUDFLARE_TURN_KEY_ID: "key1", CLOUDFLARE_TURN_API_TOKEN: "token1" };

  it("are STUN servers when nothing else is set up", async () => {
    const ann = await mintUser("ann");
    expect(await iceServers(ann)).toEqual({ status: 200, body: { iceServers: [STUN] } });
    expect((await iceServers(ann, "", { STUN_URLS: "stun:a:1, stun:b:2" })).body.iceServers).toEqual([
      { urls: ["stun:a:1", "stun:b:2"] },
    ]);
    expect((await iceServers(null)).status).toBe(401);
    expect((await iceServers(ann, `?sessionId=${"x".repeat(65)}`)).status).toBe(400);
  });

  it("have TURN credentials, as coturn checks them, for who may join the session", async () => {
    const ann = await mintUser("ann");
    const sessionId = await host(ann);
    const { body } = await iceServers(ann, `?sessionId=${sessionId}`, TURN);
    const [stun, turn] = body.iceServers;
    expect(stun).toEqual(STUN);
    expect(turn?.urls).toEqual(["turn:turn.example.com:3478", "turns:turn.example.com:5349"]);
    const [end, userId] = (turn?.username ?? "").split(":").map(Number);
    expect(userId).toBe(ann.id);
    expect(Math.abs((end ?? 0) - Date.now() / 1000 - 600)).toBeLessThan(10);
    const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
    const hmac = { name: "HMAC", hash: "SHA-1" };
    const key = await crypto.subtle.importKey("raw", bytes("north-and-further-north"), hmac, false, ["verify"]);
    const credential = bytes(atob(turn?.credential ?? ""));
    expect(await crypto.subtle.verify("HMAC", key, credential, bytes(turn?.username ?? ""))).toBe(true);
  });

  it("have TURN for participants alone", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const sessionId = await host(ann);
    expect((await iceServers(bob, "", TURN)).body.iceServers).toEqual([STUN]);
    const socket = await join(bob, sessionId);
    await vi.waitFor(async () => expect((await iceServers(bob, "", TURN)).body.iceServers).toHaveLength(2));
    socket.close();
    await vi.waitFor(async () => expect((await iceServers(bob, "", TURN)).body.iceServers).toEqual([STUN]));
    expect((await iceServers(bob, "?sessionId=none", TURN)).status).toBe(404);
    await call(`/webrtc/sessions/${sessionId}`, { method: "DELETE", token: ann.token });
    expect((await iceServers(bob, `?sessionId=${sessionId}`, TURN)).status).toBe(404);
  });

  it("come from Cloudflare without those that browsers block, and without TURN when it fails", async () => {
    const ann = await mintUser("ann");
    const query = `?sessionId=${await host(ann)}`;
    const answer = {
      iceServers: [
        { urls: ["stun:stun.cloudflare.com:3478", "stun:stun.cloudflare.com:53"] },
        {
          urls: ["turn:turn.cloudflare.com:3478?transport=udp", "turn:turn.cloudflare.com:53?transport=udp"],
          username: "u",
          credential: "c",
        },
      ],
    };
    const fetched = vi.spyOn(globalThis, "fetch");
    try {
      fetched.mockResolvedValueOnce(Response.json(answer, { status: 201 }));
      expect((await iceServers(ann, query, CLOUDFLARE)).body.iceServers).toEqual([
        STUN,
        STUN,
        { urls: ["turn:turn.cloudflare.com:3478?transport=udp"], username: "u", credential: "c" },
      ]);
      const [url, init] = fetched.mock.calls[0] ?? [];
      expect(url).toBe("https://rtc.live.cloudflare.com/v1/turn/keys/key1/credentials/generate-ice-servers");
      expect(init).toMatchObject({ method: "POST", headers: { Authorization: "Bearer token1" }, body: '{"ttl":3600}' });

      fetched.mockResolvedValueOnce(new Response("no", { status: 500 }));
      expect(await iceServers(ann, query, CLOUDFLARE)).toEqual({ status: 200, body: { iceServers: [STUN] } });
      fetched.mockResolvedValueOnce(Response.json({ iceServers: 7 }));
      expect((await iceServers(ann, query, CLOUDFLARE)).body.iceServers).toEqual([STUN]);
      fetched.mockRejectedValueOnce(new DOMException("too slow", "TimeoutError"));
      expect((await iceServers(ann, query, CLOUDFLARE)).body.iceServers).toEqual([STUN]);
    } finally {
      fetched.mockRestore();
    }
  });
});
