/** A database that was set back, under objects that were not: nobody sees another's, nothing is lost from then on. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { renewal } from "../scripts/renewal.ts";
import { act, mintAdmin, run } from "./support/admin.ts";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { mintStream } from "./support/media.ts";
import { as, mintGroup, openRoom, post } from "./support/rooms.ts";
import { openHub, openSocket } from "./support/socket.ts";
import { connectSocketIo } from "./support/socketio.ts";

type Row = Record<string, string | number | null>;
type Copy = Map<string, Row[]>;

const TABLES = [
  "users",
  "sessions",
  "messages",
  "conversations",
  "streams",
  "rooms",
  "room_members",
  "outbox",
  "user_references",
];

/** What a backup has of these tables, the sequences among them. */
async function copyDatabase(): Promise<Copy> {
  const copy: Copy = new Map();
  for (const table of [...TABLES, "sqlite_sequence"]) copy.set(table, await run<Row>(`SELECT * FROM ${table}`));
  return copy;
}

/** Puts the rows back, without what triggers would make of it; begins another generation if `isRenewed`, as a restore does. */
async function setBack(copy: Copy, { isRenewed = true } = {}): Promise<void> {
  const triggers = await run<{ name: string; sql: string }>(
    "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
  );
  const statements = triggers.map(({ name }) => env.DB.prepare(`DROP TRIGGER ${name}`));
  for (const [table, rows] of copy) {
    statements.push(env.DB.prepare(`DELETE FROM ${table}`));
    for (const row of rows) {
      const columns = Object.keys(row);
      const places = columns.map(() => "?").join(", ");
      const insert = `INSERT INTO ${table} (${columns.map((name) => `"${name}"`).join(", ")}) VALUES (${places})`;
      statements.push(env.DB.prepare(insert).bind(...Object.values(row)));
    }
  }
  statements.push(...triggers.map(({ sql }) => env.DB.prepare(sql)));
  if (isRenewed)
    statements.push(env.DB.prepare("UPDATE database_generation SET generation = lower(hex(randomblob(16)))"));
  await env.DB.batch(statements);
}

const hubOf = ({ id }: { id: number }) => env.USER_HUB.getByName(String(id));
const dm = (from: TestUser, to: { id: number }, content: string) =>
  call("/messages", { method: "POST", token: from.token, body: { receiverId: to.id, content } });
const settled = (user: { id: number }) =>
  vi.waitFor(async () => expect(await run("SELECT 1 FROM outbox WHERE target = ?", `user:${user.id}`)).toEqual([]));

it("old users' events arrive once and in order, although the outbox gives its numbers again", async () => {
  const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
  const before = await openHub(bob);
  const [{ epoch, seq } = { epoch: "", seq: 0 }] = before.frames;
  await dm(ann, bob, "kept");
  await before.collect("message:new", 1);
  const copy = await copyDatabase();
  for (const text of ["lost 1", "lost 2", "lost 3"]) await dm(ann, bob, text);
  await before.collect("message:new", 4);
  await settled(bob);
  await setBack(copy);
  expect((await dm(ann, bob, "first after")).status).toBe(201);
  // Whoever was let in by the lost database comes back, and is told to refetch.
  expect((await before.nextClose()).code).toBe(1012);
  const after = await openHub(bob, `&since=${seq}&epoch=${epoch}`);
  expect((await after.next("resync")).data.epoch).not.toBe(epoch);
  await settled(bob);
  await dm(ann, bob, "second after");
  expect((await after.next("message:new")).data.content).toBe("second after");
  const all = await openHub(bob, "&since=0");
  expect((await all.collect("message:new", 2)).map(({ data, seq: at }) => [at, data.content])).toEqual([
    [1, "first after"],
    [2, "second after"],
  ]);
  await evictDurableObject(hubOf(bob));
  const again = await openHub(bob, "&since=0");
  await again.ask("no-such-command");
  expect(again.frames.map(({ type, seq: at }) => [type, at]).slice(1, -1)).toEqual([
    ["message:new", 1],
    ["message:new", 2],
  ]);
});

it("a new user with a lost user's number sees nothing of theirs, and they nothing more, with or without a new generation", async () => {
  const ann = await mintUser("ann");
  for (const isRenewed of [true, false]) {
    const copy = await copyDatabase();
    const lost = await mintUser("lost");
    const theirs = await openHub(lost);
    await dm(ann, lost, "for the lost one alone");
    await theirs.collect("message:new", 1);
    await settled(lost);
    await setBack(copy, { isRenewed });
    const fresh = await mintUser("fresh");
    expect(fresh.id).toBe(lost.id);
    const socket = await openHub(fresh, "&since=0");
    expect((await theirs.nextClose()).code).toBe(1012);
    await dm(ann, fresh, "for the new one");
    expect((await socket.next("message:new")).data.content).toBe("for the new one");
    expect(JSON.stringify(socket.frames)).not.toContain("lost one");
    expect(JSON.stringify(theirs.frames)).not.toContain("new one");
    expect(await (await openSocket(`/ws?token=${lost.token}`)).nextClose()).toMatchObject({ code: 4001 });
  }
});

it("a stream with a lost stream's number begins with an empty chat; one that is still there keeps its own", async () => {
  const ann = await mintUser("ann");
  const kept = await mintStream(ann);
  const say = (id: number, message: string) => as(ann, "POST", `/streams/${id}/chat`, { message });
  const history = async (id: number) => (await as(ann, "GET", `/streams/${id}/chat`)).body.messages;
  await say(kept.id, "kept");
  const copy = await copyDatabase();
  const lost = await mintStream(ann);
  const watch = (id: number) => openSocket(`/streams/${id}/ws?token=${ann.token}&since=0`);
  const first = await watch(lost.id);
  await first.next("connected");
  await say(lost.id, "lost");
  await first.next("chat_message");
  await say(kept.id, "kept, too");
  await setBack(copy);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 1000 });
  const fresh = await mintStream(ann);
  vi.useRealTimers();
  expect(fresh.id).toBe(lost.id);
  const second = await watch(fresh.id);
  await second.next("connected");
  await second.expectNothing("chat_message");
  expect((await first.nextClose()).code).toBe(1012);
  expect(await history(fresh.id)).toEqual([]);
  const third = await watch(kept.id);
  expect((await third.collect("chat_message", 2)).map(({ data }) => data.message)).toEqual(["kept", "kept, too"]);
});

it("a room goes by what the database says now: who is a member, and that it is there", async () => {
  const { roomId, people } = await mintGroup("ann", "bob");
  const [ann, bob] = people;
  await post(ann, roomId, "before");
  const copy = await copyDatabase();
  expect((await as(ann, "DELETE", `/rooms/${roomId}/members/${bob.id}`)).status).toBe(200);
  await vi.waitFor(async () =>
    expect(await run("SELECT 1 FROM outbox WHERE target = ?", `room:${roomId}`)).toEqual([]),
  );
  await setBack(copy);
  expect((await post(bob, roomId, "I am a member")).status).toBe(201);
  const socket = await openRoom(bob, roomId, "&since=0");
  expect((await socket.collect("new_message", 2)).map(({ data }) => data.content)).toEqual(["before", "I am a member"]);
  // Whom it names, the database is told again: erasure goes by it.
  await vi.waitFor(async () => {
    const rows = await run("SELECT user_id FROM user_references WHERE target = ? ORDER BY user_id", `room:${roomId}`);
    expect(rows).toEqual([{ user_id: ann.id }, { user_id: bob.id }]);
  });
});

it("a ban right after it closes every door: event socket, room, Socket.IO", async () => {
  const admin = await mintAdmin();
  const { roomId, people } = await mintGroup("ann", "bob");
  const [ann, bob] = people;
  const copy = await copyDatabase();
  for (let n = 0; n < 3; n += 1) await dm(ann, bob, `lost ${n}`);
  const [hub, room, client] = [await openHub(bob), await openRoom(bob, roomId), await connectSocketIo(bob)];
  await client.next("connected");
  await settled(bob);
  await setBack(copy);
  expect((await act(admin, "POST", `/users/${bob.id}/ban`, { reason: "spam" })).status).toBe(200);
  expect([(await hub.nextClose()).code, (await room.nextClose()).code]).toEqual([1012, 1012]);
  await client.end();
  for (const path of ["/ws?", `//ws/${roomId}/${bob.id}?`]) {
    expect((await (await openSocket(`${path}token=${bob.token}`)).nextClose()).code).toBe(4003);
  }
});

it("a call that still comes from the lost database changes nothing", async () => {
  const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
  const socket = await openHub(bob);
  await dm(ann, bob, "hello");
  await socket.next("message:new");
  const late = { id: 1, payload: { frames: [{ type: "test:event", data: {} }] }, generation: "of a lost life" };
  await expect(runInDurableObject(hubOf(bob), (hub) => hub.deliver([late]))).rejects.toMatchObject({
    code: "UNAVAILABLE",
  });
  await socket.expectNothing("test:event");
  expect(socket.closed).toBeUndefined();
});

it("a restore begins another generation, gives no number again, and gives up uploads that were begun", async () => {
  const before = await run<{ name: string; seq: number }>("SELECT name, seq FROM sqlite_sequence");
  const generation = () => run<{ generation: string }>("SELECT generation FROM database_generation");
  const [old] = await generation();
  const ann = await mintUser("ann");
  await run(
    `INSERT INTO resumable_uploads (id, owner_id, key, length, original_name, folder, visibility, metadata, expires_at)
     VALUES ('u', ?, 'u/0/x', 5, 'x.png', 'f', 'private', '', 1)`,
    ann.id,
  );
  for (const statement of renewal({ users: 5_000_000 })) await env.DB.prepare(statement).run();
  expect(await generation()).not.toEqual([old]);
  const after = new Map(
    (await run<{ name: string; seq: number }>("SELECT name, seq FROM sqlite_sequence")).map((row) => [
      row.name,
      row.seq,
    ]),
  );
  for (const { name, seq } of before) expect(after.get(name), name).toBeGreaterThanOrEqual(seq + 1_000_000);
  expect(after.get("users")).toBe(6_000_000);
  expect(after.get("reports")).toBeGreaterThanOrEqual(1_000_000);
  expect((await mintUser("fresh")).id).toBe(6_000_001);
  expect(await run("SELECT id FROM resumable_uploads")).toEqual([]);
});
