/** Video sessions: made, joined, limited, ended. */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, costOf, mintUser } from "./support/api.ts";
import { openSocket, upgrade } from "./support/socket.ts";
import { get, host, join, meeting, offer, open, roomOf } from "./support/webrtc.ts";

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
    const [ann, bob] = sockets;
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
    const [ann, bob] = sockets;
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
    const [ann] = users;
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
