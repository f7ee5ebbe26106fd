/** What admins erase, and what is left. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { act, deeds, makeComment, makeReport, makeVideo, me, mintAdmin, run } from "./support/admin.ts";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { folderName, uploadNamed } from "./support/files.ts";
import { mintStream } from "./support/media.ts";
import { as } from "./support/rooms.ts";
import { openHub } from "./support/socket.ts";
import { uploaded } from "./support/vod.ts";

describe("an erased user", () => {
  it("is in the audit by their number alone: no title, and no name of a file", async () => {
    const [admin, bob] = [await mintAdmin(), await mintUser("bob")];
    const word = `word${crypto.randomUUID().slice(0, 8)}`;
    const stream = await mintStream(bob, { title: word });
    const { body: session } = await as(bob, "POST", "/webrtc/sessions", { title: word });
    const video = await makeVideo(bob, word);
    const upload = () => uploadNamed(bob, `${word}.pdf`, { folder: folderName() });
    const [deleted, moved] = [await upload(), await upload()];
    const recording = await uploaded(bob, stream.id);
    const reason = "spam";
    const move = { folder: moved.folder, file: moved.name, targetFolder: word, targetFile: "x.pdf" };
    for (const [method, path, body] of [
      ["DELETE", `/files/${deleted.folder}/${deleted.name}`, undefined],
      ["POST", "/files/move", move],
      ["DELETE", `/vod/${recording.id}`, undefined],
      ["DELETE", `/admin/videos/${video}`, { reason }],
      ["DELETE", `/admin/streams/${stream.id}`, { reason }],
      ["POST", `/admin/calls/${session.id}/end`, { reason }],
    ] as const) {
      expect((await as(admin, method, path, body)).status, path).toBeLessThan(300);
    }
    const written = async () => JSON.stringify(await run("SELECT details FROM audit WHERE admin_id = ?", admin.id));
    expect((await written()).split(word).length).toBeGreaterThan(6);
    expect((await act(admin, "DELETE", `/users/${bob.id}`, { reason })).status).toBe(200);
    const left = await written();
    expect(left).not.toContain(word);
    for (const { folder } of [deleted, moved]) expect(left).not.toContain(folder);
    expect((await deeds(admin)).length).toBe(7);
  });

  const OWNED: [table: string, condition: string][] = [
    ["users", "id = ?1"],
    ["videos", "owner_id = ?1"],
    ["comments", "author_id = ?1"],
    ["likes", "user_id = ?1"],
    ["follows", "follower_id = ?1 OR followed_id = ?1"],
    ["friendships", "low_id = ?1 OR high_id = ?1"],
    ["blocks", "blocker_id = ?1 OR blocked_id = ?1"],
    ["messages", "sender_id = ?1 OR receiver_id = ?1"],
    ["conversations", "low_id = ?1 OR high_id = ?1"],
    ["notifications", "user_id = ?1 OR actor_id = ?1"],
    ["reports", "reporter_id = ?1 OR (target_type = 'user' AND target_id = ?1)"],
    ["sessions", "user_id = ?1"],
    ["identities", "user_id = ?1"],
  ];
  const leftOf = async (user: { id: number }) => {
    const counts = await Promise.all(
      OWNED.map(async ([table, condition]) => {
        const [row] = await run<{ n: number }>(`SELECT count(*) AS n FROM ${table} WHERE ${condition}`, user.id);
        return [table, row?.n ?? 0] as const;
      }),
    );
    return Object.fromEntries(counts);
  };

  it("leaves nothing behind, and others lose nothing but what was theirs together", async () => {
    const [admin, bob, ann] = [await mintAdmin(), await mintUser("bob"), await mintUser("ann")];
    const [his, hers] = [await makeVideo(bob), await makeVideo(ann)];
    const comment = await makeComment(bob, hers);
    const reply = await makeComment(ann, hers, "a reply", comment);
    const kept = await makeComment(ann, hers, "her own");
    await makeComment(ann, his);
    await run("INSERT INTO likes VALUES (?, ?, 1), (?, ?, 1), (?, ?, 1)", hers, bob.id, hers, ann.id, his, ann.id);
    await run("INSERT INTO follows VALUES (?1, ?2, 1), (?2, ?1, 1)", ann.id, bob.id);
    await run("INSERT INTO friendships VALUES (?, ?, ?, 'accepted', 1)", bob.id, ann.id, ann.id);
    await run("INSERT INTO blocks VALUES (?, ?, 1)", bob.id, admin.id);
    await run("INSERT INTO identities VALUES ('i', 'bob', ?, NULL, NULL)", bob.id);
    await makeReport(bob, "video", hers);
    await makeReport(ann, "user", bob.id);
    await run(
      "INSERT INTO notifications VALUES (NULL, ?, 'follow', 1, ?, 'user', 1, NULL, 1, NULL, NULL, NULL)",
      ann.id,
      bob.id,
    );
    await run(
      "INSERT INTO notifications VALUES (NULL, ?, 'follow', 1, ?, 'user', 1, NULL, 1, NULL, NULL, NULL)",
      bob.id,
      ann.id,
    );
    const send = (from: TestUser, to: TestUser) =>
      call("/messages", { method: "POST", token: from.token, body: { receiverId: to.id, content: "hi" } });
    await send(bob, ann);
    await send(ann, bob);
    await send(ann, admin);
    const full = await leftOf(bob);
    for (const [table, count] of Object.entries(full)) expect(count, table).toBeGreaterThan(0);
    const socket = await openHub(bob);
    const answer = await act(admin, "DELETE", `/users/${bob.id}`, { reason: "asked for" });
    expect(answer.body).toEqual({ success: true, message: "User deleted" });
    expect(await socket.nextClose()).toEqual({ code: 4003, reason: "Account deleted" });
    expect((await me(bob)).status).toBe(401);
    const gone = Object.fromEntries(OWNED.map(([table]) => [table, 0]));
    expect(await leftOf(bob)).toEqual(gone);
    expect(await run("SELECT id FROM comments WHERE video_id = ?", hers)).toEqual([{ id: kept }]);
    expect(await run("SELECT id FROM comments WHERE id = ?", reply)).toEqual([]);
    const [left] = await run("SELECT follower_count, following_count FROM users WHERE id = ?", ann.id);
    expect(left).toEqual({ follower_count: 0, following_count: 0 });
    expect(await run("SELECT likes, comments FROM videos WHERE id = ?", hers)).toEqual([{ likes: 1, comments: 1 }]);
    expect(await leftOf(ann)).toMatchObject({ users: 1, videos: 1, messages: 1, sessions: 1 });
    expect((await act(admin, "DELETE", `/users/${bob.id}`, { reason: "again" })).status).toBe(404);
    expect(await deeds(admin)).toEqual([`delete user ${bob.id}`]);
  });

  it("with very much is erased in rounds, none of which takes long, and the job is done when it is empty", async () => {
    const [admin, bob, ann] = [await mintAdmin(), await mintUser("bob"), await mintUser("ann")];
    await run(
      `INSERT INTO messages WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
       SELECT NULL, ?, ?, 'm', NULL, 1, NULL FROM n`,
      bob.id,
      ann.id,
    );
    for (let made = 0; made < 25; made += 1) await makeVideo(bob);
    await act(admin, "DELETE", `/users/${bob.id}`, { reason: "asked for" });
    expect(await leftOf(bob)).toMatchObject({ messages: 0, conversations: 0, videos: 0 });
    expect(await run("SELECT * FROM outbox WHERE target = ?", `erase:${bob.id}`)).toEqual([]);
  });

  it("goes on being erased after a crash, by the sweep", async () => {
    const { sweepOutbox } = await import("../src/db/outbox-sweep.ts");
    const { startContext } = await import("../src/context.ts");
    const bob = await mintUser("bob");
    await makeVideo(bob);
    // As a crash right after the first batch leaves it.
    await run("DELETE FROM users WHERE id = ?", bob.id);
    await run("INSERT INTO outbox (target, payload, created_at) VALUES (?, '{}', 1)", `erase:${bob.id}`);
    await sweepOutbox(startContext({ env, later: () => {} }));
    expect(await leftOf(bob)).toMatchObject({ videos: 0, sessions: 0 });
    expect(await run("SELECT * FROM outbox WHERE target = ?", `erase:${bob.id}`)).toEqual([]);
  });
});
