/** Erasure through the front door: what it does beyond the social tables, which admin-actions.test.ts holds to theirs. */

import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { startContext } from "../src/context.ts";
import { sweepOutbox } from "../src/db/outbox.ts";
import { mintAdmin, run } from "./support/admin.ts";
import { call, mintUser } from "./support/api.ts";
import { mintGroup, openRoom, post } from "./support/rooms.ts";
import { openHub, openSocket } from "./support/socket.ts";

const erase = (admin: { token: string }, user: { id: number }) =>
  call(`/admin/users/${user.id}`, { method: "DELETE", token: admin.token, body: { reason: "asked for" } });
const messagesOf = async (user: { token: string }, roomId: string) =>
  (await call(`/rooms/${roomId}/messages`, { token: user.token })).body.messages;
const outboxOf = (...targets: string[]) =>
  run("SELECT target FROM outbox WHERE target IN (SELECT value FROM json_each(?))", JSON.stringify(targets));

/** Bob owns a group with ann in it, belongs to one of hers, and wrote in both. */
async function bobInTwoRooms() {
  const { roomId: his, people } = await mintGroup("bob", "ann");
  const [bob, ann] = people;
  if (!bob || !ann) throw new Error("The group has two people");
  const made = await call("/rooms", {
    method: "POST",
    token: ann.token,
    body: { name: "Hers", isGroup: true, memberIds: [bob.id] },
  });
  const hers: string = made.body.id;
  for (const roomId of [his, hers]) {
    await post(bob, roomId, "by bob");
    await post(ann, roomId, "by ann");
  }
  return { bob, ann, his, hers };
}

async function expectAnonymous(ann: { id: number; token: string }, rooms: string[]): Promise<void> {
  for (const roomId of rooms) {
    const [newer, older] = await messagesOf(ann, roomId);
    expect(newer).toMatchObject({ userId: ann.id, content: "by ann" });
    expect(older).toMatchObject({ userId: null, username: "Deleted user", content: "by bob" });
  }
}

describe("rooms of an erased user", () => {
  it("hear of it before the answer, close their sockets, pass on, and stay anonymous after eviction", async () => {
    const [admin, { bob, ann, his, hers }] = [await mintAdmin(), await bobInTwoRooms()];
    const [hub, inHers] = [await openHub(bob), await openRoom(bob, hers)];
    const bystander = await openRoom(ann, hers);
    expect((await erase(admin, bob)).status).toBe(200);
    expect(await outboxOf(`room:${his}`, `room:${hers}`, `erase:${bob.id}`)).toEqual([]);
    for (const socket of [hub, inHers]) {
      expect((await socket.nextClose()).code).toBe(4003);
    }
    expect((await bystander.ask("send_message", { content: "still here" })).error).toBeUndefined();
    for (const roomId of [his, hers]) await evictDurableObject(env.CHAT_ROOM.getByName(roomId));
    await expectAnonymous(ann, [his]);
    expect(JSON.stringify(await messagesOf(ann, hers))).not.toContain(bob.username);
    expect((await call(`/rooms/${his}`, { token: ann.token })).body).toMatchObject({ ownerId: ann.id, memberCount: 1 });
    for (const table of ["room_members", "room_authors"]) {
      expect(await run(`SELECT * FROM ${table} WHERE user_id = ?`, bob.id), table).toEqual([]);
    }
  });

  it("are made anonymous by the sweep when the worker dies after the row is gone, or before the rooms heard", async () => {
    const { bob, ann, his, hers } = await bobInTwoRooms();
    const sweep = () => sweepOutbox(startContext({ env, later: () => {} }));
    await run("DELETE FROM users WHERE id = ?", bob.id);
    await run("INSERT INTO outbox (target, payload, created_at) VALUES (?, '{}', 1)", `erase:${bob.id}`);
    await sweep();
    await expectAnonymous(ann, [his, hers]);
    expect(await outboxOf(`room:${his}`, `room:${hers}`, `erase:${bob.id}`)).toEqual([]);

    const second = await bobInTwoRooms();
    const payload = JSON.stringify({ anonymise: second.bob.id });
    await run("DELETE FROM users WHERE id = ?", second.bob.id);
    // As the rooms' batch leaves it, untold; the job itself is still there, too, and repeats.
    for (const target of [`room:${second.his}`, `room:${second.hers}`]) {
      await run("INSERT INTO outbox (target, payload, created_at) VALUES (?, ?, 1)", target, payload);
    }
    await run("DELETE FROM room_authors WHERE user_id = ?", second.bob.id);
    await run("INSERT INTO outbox (target, payload, created_at) VALUES (?, '{}', 1)", `erase:${second.bob.id}`);
    await sweep();
    await expectAnonymous(second.ann, [second.his, second.hers]);
    expect(await run("SELECT * FROM room_members WHERE user_id = ?", second.bob.id)).toEqual([]);
  });
});

describe("video sessions that an erased user hosts", () => {
  it("end for everybody and are gone; those of others go on", async () => {
    const [admin, bob, ann] = [await mintAdmin(), await mintUser("bob"), await mintUser("ann")];
    const make = async (user: { token: string }): Promise<string> =>
      (await call("/webrtc/sessions", { method: "POST", token: user.token, body: {} })).body.id;
    const [his, hers] = [await make(bob), await make(ann)];
    const enter = async (id: string) => {
      const socket = await openSocket(`/webrtc/sessions/${id}/ws?token=${ann.token}`);
      await socket.ask("webrtc:join_session", { sessionId: id, role: "student" });
      return socket;
    };
    const [inHis, inHers] = [await enter(his), await enter(hers)];
    expect((await erase(admin, bob)).status).toBe(200);
    expect((await inHis.nextClose()).code).toBe(4004);
    expect((await inHers.ask("webrtc:join_session", { sessionId: hers, role: "student" })).error).toBeUndefined();
    expect((await call(`/webrtc/sessions/${his}`, { token: ann.token })).status).toBe(404);
    expect((await call(`/webrtc/sessions/${hers}`, { token: ann.token })).status).toBe(200);
    expect(await outboxOf(`webrtc:${his}`)).toEqual([]);
  });
});

describe("an erasure that is refused", () => {
  it("changes nothing", async () => {
    const [admin, bob] = [await mintAdmin(), await mintUser("bob")];
    const { roomId, people } = await mintGroup("lone", "ann");
    const [lone, ann] = people;
    if (!lone || !ann) throw new Error("The group has two people");
    await post(lone, roomId, "by lone");
    const others = await run<{ id: number }>("SELECT id FROM users WHERE role = 'admin'");
    await run("UPDATE users SET role = 'user' WHERE role = 'admin'");
    await run("UPDATE users SET role = 'admin' WHERE id = ?", lone.id);
    const refused = await erase(lone, lone);
    await run(
      "UPDATE users SET role = 'admin' WHERE id IN (SELECT value ->> 'id' FROM json_each(?))",
      JSON.stringify(others),
    );
    expect([refused.status, refused.body.error.code]).toEqual([409, "CONFLICT"]);
    expect(await outboxOf(`erase:${lone.id}`, `room:${roomId}`)).toEqual([]);
    expect((await messagesOf(ann, roomId))[0]).toMatchObject({ userId: lone.id, content: "by lone" });
    expect((await call(`/rooms/${roomId}`, { token: ann.token })).body).toMatchObject({ ownerId: lone.id });
    expect((await erase(bob, lone)).status).toBe(403);
    expect((await call("/auth/me", { token: admin.token })).status).toBe(200);
  });
});

describe("very many files of an erased user", () => {
  it("go in rounds, whoever deletes the row, with their bytes, and no bytes but theirs", async () => {
    const [bob, ann] = [await mintUser("bob"), await mintUser("ann")];
    const insert = `INSERT INTO files (id, owner_id, folder, name, original_name, category, mime_type, size, sha256, key, created_at)
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
      SELECT 'f' || ?1 || '-' || i, ?1, 'f' || ?1, i, i, 'other', 'text/plain', 1, 'x', 'many/' || ?1 || '/' || i, 1 FROM n`;
    // As text: a bound number is a REAL, which would be spelt with ".0".
    await run(insert, String(bob.id), 1203);
    await run(insert, String(ann.id), 1);
    const keys = [1, 500, 501, 1203].map((at) => `many/${bob.id}/${at}`);
    for (const key of [...keys, `many/${ann.id}/1`]) await env.FILES.put(key, "x");
    await run("DELETE FROM users WHERE id = ?", bob.id);
    expect(await run("SELECT count(*) AS n FROM files WHERE owner_id = ?", bob.id)).toEqual([{ n: 703 }]);
    expect(await outboxOf(`erase:${bob.id}`)).toHaveLength(1);
    const ctx = startContext({ env, later: () => {} });
    for (let sweeps = 0; sweeps < 5; sweeps += 1) await sweepOutbox(ctx, -60_000);
    expect(await run("SELECT id FROM files WHERE owner_id = ?", bob.id)).toEqual([]);
    expect(await outboxOf(`erase:${bob.id}`, ...keys.map((key) => `file:${key}`))).toEqual([]);
    for (const key of keys) expect(await env.FILES.head(key), key).toBeNull();
    expect(await env.FILES.head(`many/${ann.id}/1`)).not.toBeNull();
  });
});
