/** Sessions: where one is signed in, and ending that elsewhere; and the export of oneself (SPEC 13). */
import { env } from "cloudflare:workers";
import { getTableName, is } from "drizzle-orm";
import { SQLiteSyncDialect, SQLiteTable } from "drizzle-orm/sqlite-core";
import { describe, expect, it, vi } from "vitest";
import * as tables from "../src/db/tables.ts";
import { sectionsOf } from "../src/features/auth/export-sections.ts";
import { bearer, call, costOf, mintUser, ORIGIN, type TestUser, worker } from "./support/api.ts";
import { passTime } from "./support/clock.ts";
import { uploadNamed } from "./support/files.ts";
import { as, mintThree, post } from "./support/rooms.ts";
import { openHub, openSocket } from "./support/socket.ts";
import { join } from "./support/webrtc.ts";

const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0";
const SAFARI =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1";
const EDGE =
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0";

const signIn = async (user: TestUser, userAgent: string): Promise<string> => {
  const { body } = await call("/auth/login", {
    method: "POST",
    body: { username: user.username, password: user.password },
    headers: { "CF-Connecting-IP": user.address, "User-Agent": userAgent },
  });
  return body.token;
};

const list = async (token: string) => (await call("/auth/sessions", { token })).body.sessions;

describe("the list of sessions", () => {
  it("says of each where it is, when it was used, and which one asks; and shows nobody else's", async () => {
    const [user, stranger] = [await mintUser(), await mintUser()];
    const token = await signIn(user, FIREFOX);
    await signIn(user, SAFARI);
    await signIn(user, EDGE);
    await signIn(user, "<img onerror=alert(1)>");
    const sessions = await list(token);
    expect(sessions.map(({ device }: { device: string | null }) => device).sort()).toEqual(
      ["Edge on Mac", "Firefox on Windows", "Safari on iPhone", null, null].sort(),
    );
    const mine = sessions.filter(({ isCurrent }: { isCurrent: boolean }) => isCurrent);
    expect(mine).toHaveLength(1);
    expect(mine[0]).toMatchObject({ device: "Firefox on Windows", address: user.address });
    expect(Date.parse(mine[0].lastUsedAt)).toBeGreaterThan(Date.now() - 60_000);
    expect(await list(stranger.token)).toHaveLength(1);
    expect((await call("/auth/sessions")).status).toBe(401);
  });

  it("notes a use once an hour, and a call in between costs what it did", async () => {
    const user = await mintUser();
    const [before] = await list(user.token);
    const writes = async () => costOf(await call("/auth/me", { token: user.token })).d1_rows_written;
    expect(await writes()).toBe(0);
    passTime(3601);
    // Midnight may have passed as well: "active today" is a row of its own.
    expect(await writes()).toBeGreaterThan(0);
    expect(await writes()).toBe(0);
    const [after] = await list(user.token);
    expect(Date.parse(after.lastUsedAt) - Date.parse(before.lastUsedAt)).toBeGreaterThanOrEqual(3_600_000);
    expect(after.createdAt).toBe(before.createdAt);
  });
});

describe("a revoked session", () => {
  it("is dead from the next request on, its sockets close with 4001, and no other's do", async () => {
    const user = await mintUser();
    const other = await signIn(user, FIREFOX);
    const [mine, theirs] = [await openHub(user), await openHub({ token: other })];
    const { body } = await call("/auth/ws-ticket", { method: "POST", token: other });
    const listed = await list(user.token);
    const { id } = listed.find(({ isCurrent }: { isCurrent: boolean }) => !isCurrent);
    expect((await call(`/auth/sessions/${id}`, { method: "DELETE", token: user.token })).status).toBe(200);
    expect((await theirs.nextClose()).code).toBe(4001);
    expect((await call("/auth/me", { token: other })).status).toBe(401);
    const tickets = await env.DB.prepare("SELECT 1 FROM socket_tickets WHERE session_id = ?").bind(id).all();
    expect([body.ticket, tickets.results]).toEqual([expect.any(String), []]);
    await mine.expectNothing("error");
    expect(mine.closed).toBeUndefined();
    expect(await list(user.token)).toHaveLength(1);
  });

  it("is nobody's but its user's", async () => {
    const [user, thief] = [await mintUser(), await mintUser()];
    const [{ id }] = await list(user.token);
    const remove = (token?: string) => call(`/auth/sessions/${id}`, { method: "DELETE", token });
    expect((await remove(thief.token)).status).toBe(404);
    expect((await remove()).status).toBe(401);
    expect((await call("/auth/me", { token: user.token })).status).toBe(200);
    expect((await remove(user.token)).status).toBe(200);
    expect((await call("/auth/me", { token: user.token })).status).toBe(401);
  });

  it("is each of the others at once, and this one stays", async () => {
    const user = await mintUser();
    const others = [await signIn(user, FIREFOX), await signIn(user, SAFARI)];
    const [mine, theirs] = [await openHub(user), await openHub({ token: others[0] ?? "" })];
    const answer = await call("/auth/sessions/revoke-others", { method: "POST", token: user.token });
    expect(answer.body).toEqual({ success: true, message: "All other sessions ended" });
    expect((await theirs.nextClose()).code).toBe(4001);
    for (const token of others) expect((await call("/auth/me", { token })).status).toBe(401);
    await mine.expectNothing("error");
    expect((await list(user.token)).map(({ isCurrent }: { isCurrent: boolean }) => isCurrent)).toEqual([true]);
  });
});

/** What of the database is not read for the export by its sections, and why. */
const LEFT_OUT: Record<string, string> = {
  files: "has a list of its own, with links",
  user_references: "says where inRooms is read",
  conversations: "finds messages, and says no more",
  socket_tickets: "secrets of 30 seconds",
  sign_in_states: "names nobody yet",
  sign_in_codes: "secrets of a minute, of nobody's account yet",
  revoked_tokens: "hashes",
  rate_windows: "counts of minutes",
  address_bans: "of addresses, not of people",
  outbox: "on its way to the events",
  outbox_parked: "as the outbox",
  database_generation: "of the service",
  list_totals: "counts",
  uploads: "bytes on their way, whose files or unfinished uploads are told",
  file_paths: "hashes of names that were used",
  file_grants: "says who else reads a file: the places are told",
  room_departures: "of rooms",
  file_usage: "a sum over the files",
  deleted_ids: "names of things, not of people",
  stream_early_ends: "of media servers",
  stream_players: "of media servers",
  stream_events: "of media servers",
  versions: "of the service",
  webhook_events: "a part of the webhooks",
  publications: "of a product's backend",
  stats_totals: "sums",
  stats_reports: "sums",
  stats_days: "sums",
};

describe("the export of oneself", () => {
  const exported = (user: TestUser) => call("/auth/me/export", { token: user.token });

  it("has what is in the database and in objects, and nothing that others said or hold", async () => {
    const { roomId, ann, bob } = await mintThree();
    const file = await uploadNamed(ann, "notes.pdf");
    await as(ann, "POST", "/messages", { receiverId: bob.id, content: "to bob" });
    await as(bob, "POST", "/messages", { receiverId: ann.id, content: "to ann" });
    await as(ann, "POST", `/users/${bob.id}/follow`);
    const { body: video } = await as(ann, "POST", "/videos", { title: "Mine", videoUrl: "https://example.com/v.mp4" });
    await as(ann, "POST", "/comments", { videoId: video.id, content: "first" });
    const theirs = await post(bob, roomId, "bob's words");
    await post(ann, roomId, "ann's words");
    await as(ann, "POST", `/rooms/${roomId}/messages/${theirs.body.id}/reactions`, { emoji: "👍" });
    await as(ann, "POST", "/chat/courses/export-course/messages", { message: "in a course" });
    const stream = (await as(ann, "POST", "/streams", { title: "Live" })).body.id;
    const chat = await openSocket(`/streams/${stream}/ws?token=${ann.token}`);
    expect(await chat.ask("chat_message", { message: "in a stream" })).toMatchObject({ type: "ack" });
    const { body: session } = await as(ann, "POST", "/webrtc/sessions", { title: "Talk" });
    await join(ann, session.id);
    await as(ann, "POST", `/rooms/${roomId}/members/${bob.id}/mute`, { seconds: 600 });
    const hub = await openHub(ann);
    await hub.ask("subscribe", { topic: "news" });

    const { status, body, headers } = await exported(ann);
    expect([status, headers.get("content-disposition")]).toEqual([200, 'attachment; filename="account.json"']);
    expect(body.account).toMatchObject({ id: ann.id, email: ann.email });
    expect(body.sessions).toHaveLength(1);
    expect(body.following).toMatchObject([{ userId: bob.id }]);
    expect(body.messages.map(({ content }: { content: string }) => content)).toEqual(["to bob", "to ann"]);
    expect(body.videos).toMatchObject([{ id: video.id, title: "Mine" }]);
    expect(body.comments).toMatchObject([{ videoId: video.id, content: "first" }]);
    expect(body.files).toMatchObject([{ id: file.id, url: file.url }]);
    expect((await worker.fetch(body.files[0].url, { headers: bearer(ann) })).status).toBe(200);
    expect(body.rooms).toMatchObject([{ id: roomId, kind: "group" }]);
    expect(body.streams).toMatchObject([{ id: stream }]);
    expect(body.calls).toMatchObject([{ id: session.id }]);
    const said = body.inRooms.map((item: Record<string, unknown>) => [item.kind, item.content ?? item.emoji]);
    expect(body.events.map(({ type }: { type: string }) => type)).toEqual(
      expect.arrayContaining(["message:new", "subscribed"]),
    );
    expect(said.sort()).toEqual([
      ["message", "ann's words"],
      ["message", "in a course"],
      ["message", "in a stream"],
      ["reaction", "👍"],
      ["stay", undefined],
    ]);
    const text = JSON.stringify(body);
    for (const secret of ["scrypt", "bob's words", bob.email]) expect(text).not.toContain(secret);
    const ofBob = (await exported(bob)).body;
    expect(ofBob.messages).toHaveLength(2);
    expect(ofBob.inRooms).toContainEqual({ place: `room:${roomId}`, kind: "mute", until: expect.stringMatching(/Z$/) });
    expect((await call("/auth/me/export")).status).toBe(401);
  });

  it("has every table there is, but for those that are left out for a reason", () => {
    const dialect = new SQLiteSyncDialect();
    const read = sectionsOf(1)
      .flatMap(({ pages }) => pages.map(({ start, after }) => dialect.sqlToQuery(after(start)).sql))
      .join(" ");
    const all: string[] = Object.values(tables).flatMap((table) =>
      is(table, SQLiteTable) ? [getTableName(table)] : [],
    );
    const forgotten = all.filter((name) => !new RegExp(`(FROM|JOIN) ${name}\\b`).test(read) && !(name in LEFT_OUT));
    expect(forgotten).toEqual([]);
    expect(Object.keys(LEFT_OUT).filter((name) => !all.includes(name))).toEqual([]);
  });

  it("is streamed in pages that miss nothing, is one a day, and does not count if it breaks off", async () => {
    const [low, mid, high] = [await mintUser(), await mintUser(), await mintUser()];
    await as(mid, "POST", "/messages", { receiverId: low.id, content: "hello" });
    await as(mid, "POST", "/messages", { receiverId: high.id, content: "hello" });
    await env.DB.prepare(
      `INSERT INTO messages (sender_id, receiver_id, content, created_at)
       SELECT value % 2 * ?1 + (1 - value % 2) * ?2, iif(value % 3 = 0, ?3, value % 2 * ?2 + (1 - value % 2) * ?1), 'm' || value, 0
       FROM (WITH RECURSIVE n (value) AS (SELECT 0 UNION ALL SELECT value + 2 FROM n WHERE value < 2600) SELECT value FROM n)`,
    )
      .bind(low.id, mid.id, high.id)
      .run();
    const address = `${ORIGIN}/api/v1/auth/me/export`;
    const broken = await worker.fetch(address, { headers: bearer(mid) });
    const reader = broken.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    // That it has broken off is known when its stream was cancelled, a moment later.
    const response = await vi.waitFor(async () => {
      const again = await worker.fetch(address, { headers: bearer(mid) });
      expect(again.status).toBe(200);
      return again;
    });
    let [text, pieces] = ["", 0];
    for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += piece;
      pieces += 1;
    }
    const ids: number[] = JSON.parse(text).messages.map(({ id }: { id: number }) => id);
    const kept = await env.DB.prepare("SELECT id FROM messages WHERE ?1 IN (sender_id, receiver_id) ORDER BY id")
      .bind(mid.id)
      .all<{ id: number }>();
    expect(kept.results.length).toBeGreaterThan(1200);
    expect(ids.toSorted((a, b) => a - b)).toEqual(kept.results.map(({ id }) => id));
    expect(pieces).toBeGreaterThan(20);
    const second = await exported(mid);
    expect(second.status).toBe(429);
    expect(Number(second.headers.get("Retry-After"))).toBeGreaterThan(86_000);
    for (let n = 0; n < 12; n += 1) expect((await exported(mid)).status).toBe(429);
    expect((await call("/auth/me", { token: mid.token })).status).toBe(200);
    passTime(86_401);
    expect((await exported(mid)).status).toBe(200);
  });
});
