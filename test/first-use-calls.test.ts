/** A call that does not exist begins with its first participant and ends with its last (SPEC 14, "Made on first use"). */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { startContext } from "../src/context.ts";
import { eraseSessionsOf } from "../src/features/webrtc/service.ts";
import { call, mintUser } from "./support/api.ts";
import { closeOf, count, freshName } from "./support/places.ts";
import { as, promote } from "./support/rooms.ts";
import { connectSocketIo } from "./support/socketio.ts";
import { get, join, open, roomOf } from "./support/webrtc.ts";

/** The ids of the calls that had this name, the one that goes on last. */
async function callsOf(name: string): Promise<{ id: string; endedAt: number | null }[]> {
  const { results } = await env.DB.prepare(
    "SELECT id, ended_at AS endedAt FROM webrtc_sessions WHERE chosen_id = ? ORDER BY ended_at IS NULL, id",
  )
    .bind(name)
    .all<{ id: string; endedAt: number | null }>();
  return results;
}

const untilEnded = (name: string, ended: number) =>
  vi.waitFor(async () => {
    const calls = await callsOf(name);
    expect(calls.filter(({ endedAt }) => endedAt !== null)).toHaveLength(ended);
  });

describe("a call", () => {
  it("begins with the first join, is nobody's, ends with the last one out, and the next join begins another", async () => {
    const [ann, bob, mod] = [await mintUser("ann"), await mintUser("bob"), await mintUser("mod")];
    await promote(env.DB, mod, "moderator");
    const name = freshName("call");
    const path = `/webrtc/sessions/${name}`;
    const clients = [await connectSocketIo(ann), await connectSocketIo(bob)];
    for (const client of clients) {
      const joined = await client.ask("webrtc:join_session", { sessionId: name, displayName: "x", role: "teacher" });
      expect(joined).toMatchObject({ success: true, data: { sessionId: name } });
    }
    expect((await get(ann, path)).body).toMatchObject({ id: name, hostId: null, courseId: null, endedAt: null });
    for (const one of [ann, bob]) {
      expect((await call(path, { method: "DELETE", token: one.token })).status).toBe(403);
      expect((await get(one, `${path}/attendance`)).status).toBe(403);
    }
    expect((await get(mod, `${path}/attendance`)).body.attendance).toHaveLength(2);
    await clients[0]?.ask("webrtc:leave_session", { sessionId: name });
    expect((await get(ann, path)).body.endedAt).toBeNull();
    await clients[1]?.ask("webrtc:leave_session", { sessionId: name });
    await untilEnded(name, 1);
    expect((await get(ann, path)).body.endedAt).not.toBeNull();
    const again = await join(ann, name);
    expect((await get(ann, path)).body.endedAt).toBeNull();
    expect((await get(mod, `${path}/attendance`)).body.attendance).toMatchObject([{ userId: ann.id, leftAt: null }]);
    const [first, second] = await callsOf(name);
    expect(first?.id).not.toBe(second?.id);
    again.close();
  });

  it("is one, though 20 join for the first time at once", async () => {
    const people = await Promise.all(Array.from({ length: 20 }, () => mintUser("many")));
    const name = freshName("call");
    const sockets = await Promise.all(people.map((user) => join(user, name)));
    expect(await callsOf(name)).toHaveLength(1);
    expect((await get(people[0] ?? (await mintUser()), `/webrtc/sessions/${name}`)).status).toBe(200);
    for (const socket of sockets) socket.close();
  });

  it("goes on while somebody is connected who has not joined yet, and through sleep", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const name = freshName("call");
    const annSocket = await join(ann, name);
    const bobSocket = await open(bob, name);
    await bobSocket.next("connected");
    await annSocket.ask("webrtc:leave_session");
    annSocket.close();
    const [{ id } = { id: "" }] = await callsOf(name);
    await evictDurableObject(roomOf(id));
    await runInDurableObject(roomOf(id), (_, { storage }) => {
      expect(storage.sql.exec("SELECT ended_at FROM session").one()).toEqual({ ended_at: null });
    });
    expect(await bobSocket.ask("webrtc:join_session", { sessionId: name })).toMatchObject({ type: "ack" });
    expect(await callsOf(name)).toMatchObject([{ endedAt: null }]);
    await bobSocket.ask("webrtc:leave_session");
    bobSocket.close();
    await untilEnded(name, 1);
  });

  it("that has just ended sends away for a moment who was on the way in, and tells the database after a crash", async () => {
    const ann = await mintUser("ann");
    const name = freshName("call");
    const socket = await join(ann, name);
    await socket.ask("webrtc:leave_session");
    socket.close();
    await untilEnded(name, 1);
    // As after a crash between the end and the database's word of it.
    const [{ id } = { id: "" }] = await callsOf(name);
    await env.DB.prepare("UPDATE webrtc_sessions SET ended_at = NULL WHERE id = ?").bind(id).run();
    await runInDurableObject(roomOf(id), (_, { storage }) =>
      storage.sql.exec("UPDATE session SET is_end_told = 0").toArray(),
    );
    await evictDurableObject(roomOf(id));
    expect(await closeOf(open(ann, name))).toBe(1012);
    await runInDurableObject(roomOf(id), (room) => room.alarm());
    await untilEnded(name, 1);
    (await join(ann, name)).close();
    expect(await count("webrtc_sessions WHERE chosen_id = ?", name)).toBe(2);
  });

  it("is begun neither by reading, nor under what can be no id, nor by a session that its host has ended", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const name = freshName("call");
    for (const path of [name, `${name}/attendance`])
      expect((await get(ann, `/webrtc/sessions/${path}`)).status).toBe(404);
    expect((await get(ann, `/webrtc/ice-servers?sessionId=${name}`)).status).toBe(404);
    for (const bad of ["a%20b", "%C3%A9", "x".repeat(65)]) expect(await closeOf(open(ann, bad))).toBe(4004);
    const client = await connectSocketIo(bob);
    for (const bad of ["..", "a/b"]) {
      const answer = await client.ask("webrtc:join_session", { sessionId: bad });
      expect(answer).toMatchObject({ success: false, error: { code: "NOT_FOUND" } });
    }
    expect(await callsOf(name)).toEqual([]);
    await as(ann, "POST", "/webrtc/sessions", { id: name });
    await as(ann, "DELETE", `/webrtc/sessions/${name}`);
    expect(await closeOf(open(bob, name))).toBe(4004);
    expect(await client.ask("webrtc:join_session", { sessionId: name })).toMatchObject({
      error: { code: "NOT_FOUND" },
    });
    const { body } = await as(ann, "POST", "/webrtc/sessions", {});
    await as(ann, "DELETE", `/webrtc/sessions/${body.id}`);
    expect(await closeOf(open(bob, body.id))).toBe(4004);
    // Nor when the host is erased, and the sessions with them.
    await eraseSessionsOf(startContext({ env, later: () => {} }), ann.id);
    for (const gone of [name, body.id]) expect(await closeOf(open(bob, gone))).toBe(4004);
    // Of another's session that goes on, the own id is no free name either.
    const live = (await as(ann, "POST", "/webrtc/sessions", { id: freshName("call") })).body.id;
    const own = String(
      await env.DB.prepare("SELECT id FROM webrtc_sessions WHERE chosen_id = ?").bind(live).first("id"),
    );
    expect(await closeOf(open(bob, own))).toBe(4004);
  });
});
