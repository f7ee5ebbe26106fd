/** Erasure of somebody who left one of everything, of very many files, and one that is refused. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { startContext } from "../src/context.ts";
import { sweepOutbox } from "../src/db/outbox-sweep.ts";
import { WebhookEventType } from "../src/features/webhooks/contract.ts";
import { mintAdmin, run } from "./support/admin.ts";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { makeEndpoint, standIn } from "./support/backend.ts";
import { chatOf, erase, messagesOf, NOBODY, outboxOf, ringAll, say } from "./support/erasure.ts";
import { whereStands } from "./support/everywhere.ts";
import { mintStream } from "./support/media.ts";
import { mintGroup, post } from "./support/rooms.ts";
import { SAMPLES } from "./support/samples.ts";
import { openHub, openSocket } from "./support/socket.ts";
import { connectSocketIo } from "./support/socketio.ts";
import { gif, metadata, tus } from "./support/tus.ts";

describe("somebody who left one of everything", () => {
  const backend = standIn();

  const as = (user: { token: string }, method: string, path: string, body?: unknown) =>
    call(path, { method, token: user.token, body });

  /** What Bob says everywhere but in rooms and chats, where it stays as nobody's. */
  const WORDS = "xyzzy-plugh";

  /** Bob's of everything, with ann, who did each thing before him. */
  async function leaveEverything(bob: TestUser, ann: TestUser) {
    const id = async (made: Promise<{ body: { id: number } }>) => (await made).body.id;
    const { roomId, people } = await mintGroup("host");
    const [host] = people;
    for (const { id: userId } of [ann, bob]) await as(host, "POST", `/rooms/${roomId}/members`, { userId });
    const { id: streamId } = await mintStream(host);
    const sessionId = String((await as(host, "POST", "/webrtc/sessions", {})).body.id);
    const hers = await id(as(ann, "POST", "/videos", { title: "hers", videoUrl: "https://cdn.example.com/v.mp4" }));
    await as(bob, "PATCH", "/auth/me", { displayName: `${WORDS} himself`, bio: `${WORDS} and more`, phone: WORDS });
    const away = await connectSocketIo(ann);
    await away.ask("join_room", { roomId });
    away.lose();
    await away.end();
    for (const [user, name] of [
      [ann, "ann"],
      [bob, "bob"],
    ] as const) {
      await post(user, roomId, `room message of ${name}`);
      await say(user, streamId, `chat line of ${name}`);
      const socket = await openSocket(`/webrtc/sessions/${sessionId}/ws?token=${user.token}`);
      await socket.ask("webrtc:join_session", { sessionId, displayName: user.username });
      await as(user, "POST", "/comments", {
        videoId: hers,
        content: `comment of ${name}${name === "bob" ? `: ${WORDS}, @${ann.username}` : ""}`,
      });
    }
    const form = new FormData();
    form.set("file", new Blob([SAMPLES.png ?? ""]), `${WORDS}.png`);
    form.set("folder", `${WORDS}s`);
    expect((await call("/files/upload", { method: "POST", token: bob.token, body: form })).status).toBe(201);
    const video = new FormData();
    video.set("file", new Blob([SAMPLES.mp4 ?? ""]), `${WORDS}.mp4`);
    video.set("title", `${WORDS} the film`);
    video.set("description", WORDS);
    const { status, body: his } = await call("/videos", { method: "POST", token: bob.token, body: video });
    expect(status).toBe(201);
    const below = await as(ann, "POST", "/comments", { videoId: his.id, content: "below his" });
    // The title of his video goes to others by what others do there.
    const reply = { videoId: his.id, parentId: below.body.id, content: `see @${ann.username}` };
    expect((await as(host, "POST", "/comments", reply)).status).toBe(201);
    const named = {
      "Upload-Length": "20000",
      "Upload-Metadata": metadata({ filename: `${WORDS}.gif`, folder: WORDS }),
    };
    const begun = await tus("", "POST", named, undefined, bob);
    expect(begun.status).toBe(201);
    const part = { "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream" };
    const sent = await tus(begun.headers.get("location") ?? "", "PATCH", part, gif(1000), bob);
    expect(sent.status).toBe(204);
    for (const [user, other] of [
      [bob, ann],
      [ann, bob],
    ] as const) {
      const reason = user === bob ? WORDS : "spam";
      await as(user, "POST", "/reports", { targetType: "user", targetId: other.id, reason, details: reason });
      await as(user, "POST", `/users/${other.id}/follow`);
      await as(user, "POST", "/messages", { receiverId: other.id, content: user === bob ? WORDS : "hello" });
      await as(user, "POST", `/videos/${hers}/like`);
      await as(user, "POST", `/videos/${hers}/view`);
    }
    await as(bob, "POST", "/friends", { friendId: ann.id });
    const { id: hisStream } = await mintStream(bob, { title: WORDS, description: WORDS });
    await as(bob, "POST", "/webrtc/sessions", { title: WORDS });
    await as(bob, "POST", "/rooms", { isGroup: true, name: "his", memberIds: [ann.id] });
    await run(
      "INSERT INTO identities (issuer, subject, user_id) VALUES ('https://id.example', ?, ?)",
      `sub-${bob.id}`,
      bob.id,
    );
    return { host, roomId, streamId, sessionId, hers, his: Number(his.id), hisStream };
  }

  /** What admins did to him and he did as one, and what of his was put aside on its way to ann. */
  async function leaveRecords(admin: TestUser, bob: TestUser, ann: TestUser) {
    const video = { title: WORDS, videoUrl: "https://cdn.example.com/v.mp4" };
    const { body: second } = await as(bob, "POST", "/videos", video);
    await as(admin, "PUT", `/admin/videos/${second.id}/visibility`, { visibility: "private" });
    await as(admin, "DELETE", `/admin/videos/${second.id}`, { reason: "too long" });
    await as(admin, "POST", `/admin/users/${bob.id}/deactivate`);
    await as(admin, "POST", `/admin/users/${bob.id}/restore`);
    await as(admin, "PUT", `/admin/users/${bob.id}/role`, { role: "admin" });
    await as(bob, "POST", `/admin/users/${ann.id}/verify`);
    await as(admin, "PUT", `/admin/users/${bob.id}/role`, { role: "user" });
    const message = { id: 1, senderId: bob.id, receiverId: ann.id, content: WORDS, seen: false };
    const notice = { id: 1, actor: { id: bob.id, username: bob.username } };
    const fact = { type: "message.sent", subject: "users:1-2", at: 1, data: message };
    await run(
      "INSERT INTO outbox_parked (id, target, payload, created_at, attempts, reason, parked_at) VALUES (?, 'webhook:messages', ?, 1, 5, '', 1)",
      bob.id * 1000 + 9,
      JSON.stringify(fact),
    );
    for (const [at, data] of [message, notice].entries()) {
      await run(
        "INSERT INTO outbox_parked (id, target, payload, created_at, attempts, reason, parked_at) VALUES (?, ?, ?, 1, 5, '', 1)",
        bob.id * 1000 + at,
        `user:${ann.id}`,
        JSON.stringify({ frames: [{ type: "message:new", data }] }),
      );
    }
  }

  /** Every row of every table that names this id in a column for people, or one of these words anywhere. */
  async function rowsAbout(userId: number, words: string[]) {
    const tables = await run<{ name: string }>(
      "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '_cf%'",
    );
    const found: string[] = [];
    for (const { name } of tables) {
      for (const row of await run(`SELECT * FROM "${name}"`)) {
        const isTheirs = Object.entries(row).some(
          ([column, value]) =>
            (/^(user|owner|author|actor|sender|receiver|reporter|host|follower|followed|blocker|blocked|low|high|viewer)_id$/.test(
              column,
            ) &&
              value === userId) ||
            words.some((word) => String(value).includes(word)),
        );
        if (isTheirs) found.push(`${name} ${JSON.stringify(row)}`);
      }
    }
    return found;
  }

  it("leaves messages, lines and stays of nobody, an identity that opens no account, the admin's record, and no more", async () => {
    const [admin, ann, bob] = [await mintAdmin(), await mintUser("ann"), await mintUser("bob")];
    const before = (await env.FILES.list()).objects.length;
    await makeEndpoint(backend, admin, WebhookEventType.options);
    const left = await leaveEverything(bob, ann);
    await leaveRecords(admin, bob, ann);
    const events = await openHub(ann, "&since=0");
    const { seq: missed } = await events.next("message:new");
    const standing = await whereStands([bob.username, WORDS, btoa(WORDS)]);
    for (const kind of ["D1", "USER_HUB", "CHAT_ROOM", "STREAM_ROOM", "SOCKET_GATEWAY", "WEBHOOK_SENDER"]) {
      expect(standing).toContainEqual(expect.stringMatching(new RegExp(`^${kind}`)));
    }
    await ringAll(env.SOCKET_GATEWAY);
    expect((await rowsAbout(bob.id, [bob.username])).length).toBeGreaterThan(15);
    expect((await env.FILES.list()).objects.length).toBe(before + 3);
    expect((await erase(admin, bob)).status).toBe(200);
    await sweepOutbox(startContext({ env, later: () => {} }), -60_000);

    expect(await messagesOf(ann, left.roomId)).toMatchObject([
      { ...NOBODY, content: "room message of bob" },
      { userId: ann.id, content: "room message of ann" },
    ]);
    expect(await chatOf(ann, left.streamId)).toMatchObject([
      { ...NOBODY, message: "chat line of bob" },
      { userId: ann.id, message: "chat line of ann" },
    ]);
    const { attendance } = (await as(left.host, "GET", `/webrtc/sessions/${left.sessionId}/attendance`)).body;
    expect(attendance.map(({ userId }: { userId: number | null }) => userId)).toEqual([ann.id, null]);
    const { comments } = (await as(ann, "GET", `/videos/${left.hers}/comments`)).body;
    expect(comments).toMatchObject([{ content: "comment of ann" }]);
    for (const gone of [`/videos/${left.his}`, `/streams/${left.hisStream}`, `/users/${bob.id}`]) {
      expect((await as(ann, "GET", gone)).status, gone).toBe(404);
    }
    expect((await as(ann, "GET", `/videos/${left.hers}`)).body).toMatchObject({ likes: 1 });
    expect(await run("SELECT user_id FROM identities WHERE subject = ?", `sub-${bob.id}`)).toEqual([{ user_id: 0 }]);
    expect((await as(bob, "GET", "/auth/me")).status).toBe(401);
    expect(
      await run("SELECT action, details FROM audit WHERE target_type = 'user' AND target_id = ?", String(bob.id)),
    ).toEqual(["deactivate", "restore", "role", "role", "delete"].map((action) => ({ action, details: null })));
    expect(await run("SELECT admin_username FROM audit WHERE admin_id = ?", bob.id)).toEqual([
      { admin_username: "Deleted user" },
    ]);
    // What the list of rooms shows of the newest message is written by the room, after the answer.
    await expect.poll(() => rowsAbout(bob.id, [bob.username])).toEqual([]);
    // Endpoints were told that he was erased, and which files are no more; then that is gone as well.
    await ringAll(env.WEBHOOK_SENDER);
    await expect.poll(() => whereStands([bob.username, WORDS, btoa(WORDS)])).toEqual([]);
    const erased = { userId: bob.id, username: bob.username };
    const told = backend.heard.flatMap(({ events }) => events).filter(({ type }) => type === "user.erased");
    expect(told).toMatchObject([{ data: erased }]);
    // In the place of a frame that is no more there is another: nobody's position goes missing.
    const again = await openHub(ann, `&since=${Number(missed) - 1}`);
    expect(await again.nextFrame()).toEqual({ type: "erased", data: {}, seq: missed });
    expect((await env.FILES.list()).objects.length).toBe(before);
  });
});

describe("an erasure that is refused", () => {
  it("changes nothing", async () => {
    const [admin, bob] = [await mintAdmin(), await mintUser("bob")];
    const { roomId, people } = await mintGroup("lone", "ann");
    const [lone, ann] = people;
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
