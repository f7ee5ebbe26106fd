/** Who was in a video session, and for how long. */
import { abortAllDurableObjects, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { passTime } from "./support/clock.ts";
import { GRACE_SECONDS, get, join, meeting, roomOf, untilAway } from "./support/webrtc.ts";

describe("attendance", () => {
  const attendance = async (user: TestUser, sessionId: string) =>
    (await get(user, `/webrtc/sessions/${sessionId}/attendance`)).body.attendance;

  it("is for the host and moderators", async () => {
    const { sessionId, users } = await meeting("ann", "bob");
    const [ann, bob] = users;
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
    const [ann, bob] = users;
    const [, bobSocket] = sockets;
    const started = Date.now();
    passTime(10);
    bobSocket.close();
    await untilAway(sessionId, bob.id);
    passTime(2);
    const back = await join(bob, sessionId);
    await evictDurableObject(roomOf(sessionId));
    passTime(28);
    await back.ask("webrtc:leave_session", { sessionId });
    passTime(60);
    const third = await join(bob, sessionId);
    passTime(5);
    third.close();
    await untilAway(sessionId, bob.id);
    passTime(GRACE_SECONDS + 0.001);
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
    const [ann, bob] = users;
    await abortAllDurableObjects();
    passTime(3);
    const annSocket = await join(ann, sessionId);
    const during = await attendance(ann, sessionId);
    expect(during.map(({ userId, leftAt }: { userId: number; leftAt: string | null }) => [userId, leftAt])).toEqual([
      [ann.id, null],
      [bob.id, null],
    ]);
    passTime(31);
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
    const [ann] = users;
    passTime(7);
    await call(`/webrtc/sessions/${sessionId}`, { method: "DELETE", token: ann.token });
    const { endedAt } = (await get(ann, `/webrtc/sessions/${sessionId}`)).body;
    await evictDurableObject(roomOf(sessionId));
    passTime(60);
    for (const stay of await attendance(ann, sessionId)) {
      expect(stay.leftAt).toBe(endedAt);
      expect([7, 8, 9]).toContain(stay.seconds);
    }
  });

  it("costs three rows a stay, two more for a guest who is new, and none for what is said", async () => {
    const { sessionId, users, sockets } = await meeting("ann", "bob");
    const [ann] = sockets;
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
