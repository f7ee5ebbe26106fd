/** Who has left a video session, and who is only away. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { findGatewaysBy } from "../src/realtime/gateways.ts";
import { call, mintUser } from "./support/api.ts";
import { remoteRequest } from "./support/callers.ts";
import { passTime } from "./support/clock.ts";
import { openHub } from "./support/socket.ts";
import { GRACE_SECONDS, get, host, join, meeting, offer, roomOf, untilAway } from "./support/webrtc.ts";

/** SPEC 2: a client that vanished is gone from presence by then. */
const STALE_SECONDS = 75;

describe("leaving", () => {
  it("does not show a reload: who is back within the grace never left", async () => {
    const { sessionId, users, sockets } = await meeting("ann", "bob");
    const [ann, bob] = sockets;
    const [, bobUser] = users;
    await bob.ask("webrtc:raise_hand", { sessionId });
    bob.close();
    await untilAway(sessionId, bobUser.id);
    const refused = await ann.ask("webrtc:offer", { sessionId, targetUserId: bobUser.id, offer: offer("x") });
    expect(refused.error.code).toBe("NOT_FOUND");
    await evictDurableObject(roomOf(sessionId));
    const back = await join(bobUser, sessionId, { displayName: bobUser.username });
    passTime(GRACE_SECONDS + 0.001);
    await runDurableObjectAlarm(roomOf(sessionId));
    await ann.expectNothing("webrtc:user_left", "webrtc:user_joined");
    const { data } = await back.ask("webrtc:join_session", { sessionId });
    expect(data.participants).toMatchObject([{}, { userId: bobUser.id, handRaised: true }]);
    const { body } = await get(users[0], `/webrtc/sessions/${sessionId}/attendance`);
    expect(body.attendance).toHaveLength(2);
  });

  it("comes with the end of the grace, once, though the object slept", async () => {
    const { sessionId, users, sockets } = await meeting("ann", "bob");
    const [ann, bob] = sockets;
    const userId = users[1]?.id ?? 0;
    bob.close();
    await untilAway(sessionId, userId);
    await ann.expectNothing("webrtc:user_left");
    await evictDurableObject(roomOf(sessionId));
    passTime(GRACE_SECONDS + 0.001);
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
      const bobSocket = await join(bob, sessionId, {}, `&heartbeat=${heartbeat}`);
      // One that never answers a ping may be there all the same.
      bobSocket.send({ type: "pong" });
      await bobSocket.ask("webrtc:lower_hand", { sessionId });
      const due = await runInDurableObject(roomOf(sessionId), (_room, state) => state.storage.getAlarm());
      expect(due).toBeLessThanOrEqual(Date.now() + STALE_SECONDS * 1000);
      passTime(STALE_SECONDS - 1);
      await annSocket.ask("webrtc:raise_hand", { sessionId });
      vi.useRealTimers();
      passTime(STALE_SECONDS + 1);
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
    const [ann, bob] = sockets;
    const hub = await openHub(users[1]);
    await call("/auth/logout", { method: "POST", token: users[1]?.token });
    expect((await hub.nextClose()).code).toBe(4001);
    expect((await bob.nextClose()).code).toBe(4001);
    expect((await ann.next("webrtc:user_left")).data.userId).toBe(users[1]?.id);
  });

  it("is not what a second window does: it takes over, and the first takes no part any more", async () => {
    const { sessionId, users, sockets } = await meeting("ann", "bob");
    const [ann, bob] = sockets;
    const bobUser = users[1];
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
    const [ann, annSocket] = [users[0], sockets[0]];
    const bob = await mintUser("bob");
    const room = roomOf(sessionId);
    const delivered: [gateway: string, event: unknown][] = [];
    findGatewaysBy((_env, gateway) => ({
      deliverBatches: async (batches) => {
        for (const { events } of batches)
          for (const event of events) delivered.push([gateway, JSON.parse(String(event))]);
        return [];
      },
      putOut: async () => undefined,
    }));
    const request = remoteRequest(bob, { maxParticipants: 50 });
    const act = (type: string, data: object = {}) => room.executeRemote("bob-1", type, { sessionId, ...data });
    expect(await room.remoteJoin(request, { gateway: "g1", socketId: "bob-1" })).toMatchObject({ ok: true });
    expect(await act("webrtc:join_session", { displayName: "Bob" })).toMatchObject({ ok: true });
    expect((await annSocket.next("webrtc:user_joined")).data.displayName).toBe("Bob");
    await evictDurableObject(room);
    await room.remoteJoin(request, { gateway: "g2", socketId: "bob-1" });
    await annSocket.ask("webrtc:offer", { sessionId, targetUserId: bob.id, offer: offer("x") });
    const data = { sessionId, fromUserId: ann.id, offer: offer("x") };
    await vi.waitFor(() => expect(delivered.at(-1)).toEqual(["g2", ["webrtc:offer_received", data]]));
    expect(await act("webrtc:raise_hand")).toMatchObject({ ok: true });
    expect((await annSocket.next("webrtc:hand_raised")).data.userId).toBe(bob.id);
    await room.remoteLeave("bob-1");
    await untilAway(sessionId, bob.id);
    passTime(GRACE_SECONDS + 0.001);
    await runDurableObjectAlarm(room);
    expect((await annSocket.next("webrtc:user_left")).data.userId).toBe(bob.id);
  });
});
