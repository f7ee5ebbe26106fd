/** Offers, answers and candidates find their one target. */
import { describe, expect, it } from "vitest";
import { mintUser } from "./support/api.ts";
import type { TestSocket } from "./support/socket.ts";
import { meeting, offer, open } from "./support/webrtc.ts";

describe("signaling", () => {
  it("goes to its target alone, from who sent it", async () => {
    const { sessionId, users, sockets } = await meeting("ann", "bob", "cem");
    const [ann, bob, cem] = sockets;
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
    const [ann, bob] = sockets;
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
    const [ann, bob] = sockets;
    const targetUserId = users[1]?.id;
    const bad: [string, unknown][] = [
      ["webrtc:offer", { sessionId, targetUserId }],
      ["webrtc:offer", { sessionId, targetUserId: ["bob"], offer: offer("x") }],
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
    const [ann, bob] = sockets;
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
    const [ann] = sockets;
    const data = { sessionId, targetUserId: users[1]?.id, candidate: null };
    for (let n = 0; n < 1200; n += 1) ann.send({ type: "webrtc:ice_candidate", data });
    const over = await ann.ask("webrtc:ice_candidate", data);
    expect(over).toMatchObject({ type: "error", error: { code: "RATE_LIMIT" } });
    // Joining was the first of the 1200.
    expect(ann.frames.filter(({ type }) => type === "error")).toHaveLength(2);
  });
});
