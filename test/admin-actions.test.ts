import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { makeComment, makeReport, makeVideo, mintAdmin, run } from "./support/admin.ts";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { openHub, openSocket } from "./support/socket.ts";

const act = (by: { token: string }, method: string, path: string, body?: object) =>
  call(`/admin${path}`, { method, token: by.token, body });
const post = (by: { token: string }, path: string, body?: object) => act(by, "POST", path, body);
const me = (user: { token: string }) => call("/auth/me", { token: user.token });

type Entry = { action: string; target_type: string; target_id: string; reason: string | null; request_id: string };
const auditOf = (admin: { id: number }) =>
  run<Entry>(
    "SELECT action, target_type, target_id, reason, request_id FROM audit WHERE admin_id = ? ORDER BY id",
    admin.id,
  );
const deeds = async (admin: { id: number }) =>
  (await auditOf(admin)).map((entry) => `${entry.action} ${entry.target_type} ${entry.target_id}`);

const ACTIONS: [method: string, path: string, body?: object][] = [
  ["POST", "/users/ID/ban", { reason: "r" }],
  ["POST", "/users/ID/unban"],
  ["POST", "/users/ID/verify"],
  ["POST", "/users/ID/deactivate"],
  ["POST", "/users/ID/restore"],
  ["PUT", "/users/ID/role", { role: "moderator" }],
  ["DELETE", "/users/ID", { reason: "r" }],
  ["PUT", "/videos/ID/visibility", { visibility: "private" }],
  ["DELETE", "/videos/ID", { reason: "r" }],
  ["POST", "/reports/ID/resolve", { result: "r" }],
  ["POST", "/reports/ID/reject", { reason: "r" }],
];

describe("every action", () => {
  it.each(ACTIONS)(
    "%s %s is for admins, wants a good body, and knows what there is not",
    async (method, path, body) => {
      const [admin, user] = [await mintAdmin(), await mintUser()];
      const own = path.replace("ID", String(user.id));
      expect((await call(`/admin${own}`, { method, body })).status).toBe(401);
      expect((await act(user, method, own, body)).status).toBe(403);
      await run("UPDATE users SET role = 'moderator' WHERE id = ?", user.id);
      expect((await act(user, method, own, body)).status).toBe(403);
      expect((await act(admin, method, path.replace("ID", "999999"), body)).status).toBe(404);
      expect((await act(admin, method, path.replace("ID", "x"), body)).status).toBe(400);
      if (body) {
        const [key = ""] = Object.keys(body);
        for (const bad of [{}, { [key]: "" }, { [key]: "x".repeat(501) }, { [key]: 7 }]) {
          expect((await act(admin, method, own, bad)).status).toBe(400);
        }
      }
      expect(await deeds(admin)).toEqual([]);
    },
  );

  it.each([
    ["/videos/bulk-delete", "video_ids", "reason"],
    ["/reports/bulk-resolve", "report_ids", "result"],
  ])("%s is for admins and takes 1 to 100 ids", async (path, ids, text) => {
    const [admin, user] = [await mintAdmin(), await mintUser()];
    const good = { [ids]: [999_999], [text]: "r" };
    expect((await call(`/admin${path}`, { method: "POST", body: good })).status).toBe(401);
    expect((await post(user, path, good)).status).toBe(403);
    const many = Array.from({ length: 101 }, (_, at) => at + 1);
    for (const bad of [
      { [ids]: [], [text]: "r" },
      { [ids]: many, [text]: "r" },
      { [ids]: [1] },
      { [ids]: ["x"], [text]: "r" },
    ]) {
      expect((await post(admin, path, bad)).status).toBe(400);
    }
  });
});

describe("a ban", () => {
  it("is told to every connection, which then closes with 4003, and shuts the account until it is lifted", async () => {
    const [admin, bob] = [await mintAdmin(), await mintUser("bob")];
    const [phone, laptop, bystander] = [await openHub(bob), await openHub(bob), await openHub(admin)];
    const banned = await post(admin, `/users/${bob.id}/ban`, { reason: "spam" });
    expect(banned.body).toEqual({ success: true, message: "User banned" });
    for (const socket of [phone, laptop]) {
      const frame = await socket.next("admin:user_banned");
      expect(frame.data).toEqual({ userId: bob.id, reason: "spam", bannedAt: expect.any(String) });
      expect(await socket.nextClose()).toEqual({ code: 4003, reason: "Account banned" });
    }
    await bystander.expectNothing("admin:user_banned");
    const refused = await me(bob);
    expect(refused.status).toBe(403);
    expect(refused.body.error.message).toContain("spam");
    expect((await (await openSocket(`/ws?token=${bob.token}`)).nextClose()).code).toBe(4003);
    const [entry] = await auditOf(admin);
    expect(entry).toEqual({
      action: "ban",
      target_type: "user",
      target_id: String(bob.id),
      reason: "spam",
      request_id: banned.headers.get("X-Request-Id"),
    });
    const again = await post(admin, `/users/${bob.id}/ban`, { reason: "other" });
    expect(again.body).toEqual({ success: true, message: "User is banned already" });
    expect((await post(admin, `/users/${bob.id}/unban`)).status).toBe(200);
    expect((await me(bob)).status).toBe(200);
    const back = await openHub(bob);
    await back.expectNothing("admin:user_banned");
    expect((await post(admin, `/users/${bob.id}/unban`)).status).toBe(200);
    expect(await deeds(admin)).toEqual([`ban user ${bob.id}`, `unban user ${bob.id}`]);
  });

  it("stays when the account is restored, and a deactivation stays when the ban is lifted", async () => {
    const [admin, bob] = [await mintAdmin(), await mintUser("bob")];
    await post(admin, `/users/${bob.id}/ban`, { reason: "spam" });
    await post(admin, `/users/${bob.id}/deactivate`);
    await post(admin, `/users/${bob.id}/restore`);
    expect((await me(bob)).status).toBe(403);
    await post(admin, `/users/${bob.id}/deactivate`);
    await post(admin, `/users/${bob.id}/unban`);
    expect((await me(bob)).status).toBe(403);
    await post(admin, `/users/${bob.id}/restore`);
    expect((await me(bob)).status).toBe(200);
  });
});

describe("an account", () => {
  it("that is deactivated is shut everywhere, and comes back when restored", async () => {
    const [admin, bob] = [await mintAdmin(), await mintUser("bob")];
    const socket = await openHub(bob);
    await post(admin, `/users/${bob.id}/deactivate`);
    expect((await socket.nextClose()).code).toBe(4003);
    expect((await me(bob)).status).toBe(403);
    const { body } = await call(`/admin/users/${bob.id}`, { token: admin.token });
    expect(body.user.accountStatus).toBe("not_active");
    await post(admin, `/users/${bob.id}/restore`);
    await (await openHub(bob)).expectNothing("error");
  });

  it("that its owner closed comes back when restored", async () => {
    const [admin, bob] = [await mintAdmin(), await mintUser("bob")];
    await call("/auth/me", { method: "DELETE", token: bob.token });
    expect((await me(bob)).status).toBe(403);
    expect((await post(admin, `/users/${bob.id}/restore`)).body.message).toBe("User restored");
    expect((await me(bob)).status).toBe(200);
  });

  it("is verified once", async () => {
    const [admin, bob] = [await mintAdmin(), await mintUser("bob")];
    await post(admin, `/users/${bob.id}/verify`);
    await post(admin, `/users/${bob.id}/verify`);
    expect((await me(bob)).body.isVerified).toBe(true);
    expect(await deeds(admin)).toEqual([`verify user ${bob.id}`]);
  });

  it("has a new role from the next request on, never by its own hand", async () => {
    const [admin, bob] = [await mintAdmin(), await mintUser("bob")];
    expect((await act(admin, "PUT", `/users/${bob.id}/role`, { role: "king" })).status).toBe(400);
    expect((await act(admin, "PUT", `/users/${bob.id}/role`, { role: "admin" })).status).toBe(200);
    expect((await call("/admin/stats/overview", { token: bob.token })).status).toBe(200);
    expect((await act(bob, "PUT", `/users/${bob.id}/role`, { role: "user" })).status).toBe(403);
    expect((await act(bob, "PUT", `/users/${admin.id}/role`, { role: "user" })).status).toBe(200);
    expect((await post(admin, `/users/${bob.id}/verify`)).status).toBe(403);
  });
});

describe("the last admin", () => {
  /** Two admins, and no other in the whole database. */
  async function onlyAdmins(): Promise<[TestUser, TestUser]> {
    await run("UPDATE users SET role = 'user' WHERE role = 'admin'");
    return [await mintAdmin("one"), await mintAdmin("two")];
  }
  const ends: [string, string, object?][] = [
    ["POST", "/users/ID/ban", { reason: "r" }],
    ["POST", "/users/ID/deactivate"],
    ["PUT", "/users/ID/role", { role: "user" }],
    ["DELETE", "/users/ID", { reason: "r" }],
  ];

  it.each(ends)("survives %s %s, also by two at once against each other", async (method, path, body) => {
    const [one, two] = await onlyAdmins();
    const answers = await Promise.all([
      act(one, method, path.replace("ID", String(two.id)), body),
      act(two, method, path.replace("ID", String(one.id)), body),
    ]);
    const statuses = answers.map((answer) => answer.status);
    // Exactly one wins; the other is the last admin's attacker, or has lost their own power on the way in.
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    const left = statuses[0] === 200 ? one : two;
    const own = await act(left, method, path.replace("ID", String(left.id)), body);
    expect(own.status).toBe(409);
    expect((await call("/admin/stats/overview", { token: left.token })).status).toBe(200);
    expect(await deeds(left)).toHaveLength(1);
  });

  it("is guarded by the statement itself, whatever was true when the call came in", async () => {
    const [one, two] = await onlyAdmins();
    // Both calls are past their sign-in before either has changed anything.
    const { banUser } = await import("../src/features/admin/users/actions.ts");
    const { actingAs, startContext } = await import("../src/context.ts");
    const as = (user: TestUser) =>
      actingAs(startContext({ env, later: () => {} }), {
        ...user,
        kind: "user",
        displayName: null,
        avatarUrl: null,
        role: "admin",
        sessionId: "",
        expiresAt: 0,
      });
    const results = await Promise.allSettled([banUser(as(one), two.id, "r"), banUser(as(two), one.id, "r")]);
    expect(results.map((result) => result.status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(results.find((result) => result.status === "rejected")).toMatchObject({ reason: { code: "CONFLICT" } });
  });

  it("counts only admins who can act", async () => {
    const [one, two] = await onlyAdmins();
    await post(one, `/users/${two.id}/ban`, { reason: "r" });
    expect((await post(one, `/users/${one.id}/deactivate`)).status).toBe(409);
    // Taking power from one who has none leaves the last one alone.
    expect((await act(one, "PUT", `/users/${two.id}/role`, { role: "user" })).status).toBe(200);
  });
});

describe("videos", () => {
  it("are hidden and shown again, with one audit row for each change", async () => {
    const [admin, ann] = [await mintAdmin(), await mintUser("ann")];
    const video = await makeVideo(ann);
    const set = (visibility: string) => act(admin, "PUT", `/videos/${video}/visibility`, { visibility });
    expect((await set("secret")).status).toBe(400);
    expect((await set("private")).body.message).toBe("Video is now private");
    expect((await set("private")).body.message).toBe("Video is private already");
    const { body } = await call("/admin/audit?action=visibility", { token: admin.token });
    expect(body.entries.map((entry: { details: unknown }) => entry.details)).toEqual([
      { from: "public", to: "private" },
    ]);
  });

  it("are deleted with all that hangs on them; the owner hears why, even with the admin blocked", async () => {
    const [admin, ann, bob] = [await mintAdmin(), await mintUser("ann"), await mintUser("bob")];
    const video = await makeVideo(ann, "hers");
    await makeComment(bob, video);
    await run("INSERT INTO blocks VALUES (?, ?, 1)", ann.id, admin.id);
    const [hers, his] = [await openHub(ann), await openHub(bob)];
    const answer = await act(admin, "DELETE", `/videos/${video}`, { reason: "stolen" });
    expect(answer.body).toEqual({ success: true, message: "Video deleted" });
    const notice = await hers.next("notification:new");
    expect(notice.data).toMatchObject({
      userId: ann.id,
      type: "video_deleted",
      refId: video,
      target: { type: "video", id: video, title: "hers" },
    });
    const frame = await hers.next("admin:video_deleted");
    expect(frame.data).toEqual({ videoId: video, reason: "stolen", deletedAt: expect.any(String) });
    await his.expectNothing("admin:video_deleted", "notification:new");
    expect(await run("SELECT id FROM videos WHERE id = ?", video)).toEqual([]);
    expect(await run("SELECT id FROM comments WHERE video_id = ?", video)).toEqual([]);
    expect((await act(admin, "DELETE", `/videos/${video}`, { reason: "stolen" })).status).toBe(404);
    expect(await deeds(admin)).toEqual([`delete video ${video}`]);
  });

  it("are deleted by the hundred; what there is not is named", async () => {
    const [admin, ann] = [await mintAdmin(), await mintUser("ann")];
    const ids = [];
    for (let made = 0; made < 98; made += 1) ids.push(await makeVideo(ann, `v${made}`));
    const hub = await openHub(ann);
    const { body } = await post(admin, "/videos/bulk-delete", { video_ids: [...ids, ids[0], 999_999], reason: "spam" });
    expect(body).toEqual({ success: true, message: "98 videos deleted", notFound: [999_999], skipped: [] });
    const frames = await hub.collect("admin:video_deleted", 98);
    expect(frames.map((frame) => frame.data.videoId)).toEqual(ids);
    expect(await deeds(admin)).toHaveLength(98);
    const three = [await makeVideo(ann), await makeVideo(ann), await makeVideo(ann)];
    const small = await post(admin, "/videos/bulk-delete", { video_ids: three, reason: "spam" });
    expect(small.body.message).toBe("3 videos deleted");
  });

  it("with more than a transaction should carry lose the rest at once afterwards", async () => {
    const [admin, ann] = [await mintAdmin(), await mintUser("ann")];
    const video = await makeVideo(ann);
    await run(
      `INSERT INTO likes WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1300)
       SELECT ?, 10000000 + i, 1 FROM n`,
      video,
    );
    await act(admin, "DELETE", `/videos/${video}`, { reason: "spam" });
    expect(await run("SELECT count(*) AS n FROM likes WHERE video_id = ?", video)).toEqual([{ n: 0 }]);
    expect(await run("SELECT * FROM outbox WHERE target = ?", `orphans:${video}`)).toEqual([]);
  });
});

describe("files", () => {
  /** A video with bytes, as an upload leaves it. */
  async function videoWithBytes(owner: { id: number }): Promise<{ video: number; key: string }> {
    const key = `f/${crypto.randomUUID()}`;
    await env.FILES.put(key, "bytes");
    await run(
      `INSERT INTO files (id, owner_id, folder, name, original_name, category, mime_type, size, sha256, key, created_at)
       VALUES (?1, ?2, 'videos', ?1, 'v.mp4', 'video', 'video/mp4', 5, '', ?1, 1)`,
      key,
      owner.id,
    );
    const video = await makeVideo(owner);
    await run("UPDATE videos SET file_id = ? WHERE id = ?", key, video);
    return { video, key };
  }

  it("go with the video that an admin deletes, and with the user that an admin erases, and no others", async () => {
    const [admin, ann] = [await mintAdmin(), await mintUser("ann")];
    const [one, two, kept] = [await videoWithBytes(ann), await videoWithBytes(ann), await videoWithBytes(admin)];
    await act(admin, "DELETE", `/videos/${one.video}`, { reason: "spam" });
    expect(await env.FILES.head(one.key)).toBeNull();
    expect(await env.FILES.head(two.key)).not.toBeNull();
    await act(admin, "DELETE", `/users/${ann.id}`, { reason: "asked for" });
    expect(await env.FILES.head(two.key)).toBeNull();
    expect(await env.FILES.head(kept.key)).not.toBeNull();
    expect(await run("SELECT id FROM files WHERE owner_id = ?", ann.id)).toEqual([]);
  });
});

describe("reports", () => {
  it("are closed once; the reporter hears how", async () => {
    const [admin, ann, bob] = [await mintAdmin(), await mintUser("ann"), await mintUser("bob")];
    const report = await makeReport(ann, "user", bob.id);
    const [hers, his] = [await openHub(ann), await openHub(bob)];
    const [first, second] = await Promise.all([
      post(admin, `/reports/${report}/resolve`, { result: "warned" }),
      post(admin, `/reports/${report}/reject`, { reason: "no" }),
    ]);
    expect([first.status, second.status].sort()).toEqual([200, 409]);
    const isResolved = first.status === 200;
    const frame = await hers.next("admin:report_resolved");
    expect(frame.data).toEqual({
      reportId: report,
      status: isResolved ? "resolved" : "rejected",
      result: isResolved ? "warned" : "no",
      resolvedAt: expect.any(String),
    });
    await hers.expectNothing("admin:report_resolved", "notification:new");
    expect(hers.frames.filter((one) => one.type === "notification:new")).toHaveLength(1);
    await his.expectNothing("admin:report_resolved", "notification:new");
    expect((await post(admin, `/reports/${report}/resolve`, { result: "again" })).status).toBe(409);
    const { body } = await call(`/admin/reports/${report}`, { token: admin.token });
    expect(body.report).toMatchObject({ resolvedBy: admin.id, result: frame.data.result });
    expect(await deeds(admin)).toHaveLength(1);
  });

  it("a rejection's result is its reason", async () => {
    const [admin, ann] = [await mintAdmin(), await mintUser("ann")];
    const report = await makeReport(ann, "user", 1);
    expect((await post(admin, `/reports/${report}/reject`, { reason: "no harm" })).status).toBe(200);
    const { body } = await call(`/admin/reports/${report}`, { token: admin.token });
    expect(body.report).toMatchObject({ status: "rejected", result: "no harm", resolvedBy: admin.id });
  });

  it("are resolved in bulk; the closed are skipped, what there is not is named", async () => {
    const [admin, ann] = [await mintAdmin(), await mintUser("ann")];
    const [one, two, three] = [
      await makeReport(ann, "user", 1),
      await makeReport(ann, "user", 2),
      await makeReport(ann, "user", 3),
    ];
    await post(admin, `/reports/${two}/reject`, { reason: "no" });
    const hub = await openHub(ann, "&since=0&epoch=none");
    const { body } = await post(admin, "/reports/bulk-resolve", {
      report_ids: [one, two, three, 999_999],
      result: "done",
    });
    expect(body).toEqual({ success: true, message: "2 reports resolved", notFound: [999_999], skipped: [two] });
    const frames = await hub.collect("admin:report_resolved", 2);
    expect(frames.map((frame) => frame.data.reportId)).toEqual([one, three]);
    expect(await deeds(admin)).toEqual([`reject report ${two}`, `resolve report ${one}`, `resolve report ${three}`]);
  });
});

describe("an erased user", () => {
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
    await run("INSERT INTO identities VALUES ('i', 'bob', ?)", bob.id);
    await makeReport(bob, "video", hers);
    await makeReport(ann, "user", bob.id);
    await run("INSERT INTO notifications VALUES (NULL, ?, 'follow', 1, ?, 'user', 1, NULL, 1, NULL)", ann.id, bob.id);
    await run("INSERT INTO notifications VALUES (NULL, ?, 'follow', 1, ?, 'user', 1, NULL, 1, NULL)", bob.id, ann.id);
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
