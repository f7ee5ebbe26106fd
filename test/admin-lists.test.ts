import { describe, expect, it } from "vitest";
import { auditOf, makeComment, makeReport, makeVideo, mintAdmin, run } from "./support/admin.ts";
import { call, mintUser } from "./support/api.ts";

const LISTS = ["/admin/users", "/admin/videos", "/admin/comments", "/admin/reports", "/admin/audit"];
const idsOf = (rows: { id: number }[]) => rows.map((row) => row.id);

describe("the lists", () => {
  it.each([...LISTS, "/admin/users/1", "/admin/videos/1", "/admin/reports/1"])("%s is for admins", async (path) => {
    expect((await call(path)).status).toBe(401);
    expect((await call(path, { token: (await mintUser()).token })).status).toBe(403);
  });

  it.each(LISTS)("%s refuses a page out of range", async (path) => {
    const { token } = await mintAdmin();
    for (const query of ["page=0", "limit=0", "limit=101", "page=x"]) {
      expect((await call(`${path}?${query}`, { token })).status).toBe(400);
    }
  });

  it("refuse a sort, a filter or a search that there is not", async () => {
    const { token } = await mintAdmin();
    const long = "x".repeat(101);
    for (const path of [
      "/admin/users?sort_by=password_hash",
      "/admin/users?status=odd",
      `/admin/users?search=${long}`,
      "/admin/videos?visibility=odd",
      "/admin/videos?order=up",
      "/admin/reports?target_type=room",
      "/admin/reports?status=open",
      "/admin/reports?target_id=0",
      "/admin/comments?video_id=x",
      "/admin/audit?adminId=0",
    ]) {
      expect((await call(path, { token })).status, path).toBe(400);
    }
  });

  it.each(["users", "videos", "reports"])("answer 404 for one of %s that there is not", async (noun) => {
    const { token } = await mintAdmin();
    expect((await call(`/admin/${noun}/999999`, { token })).status).toBe(404);
    // A user may be named (SPEC 14), and nobody is called this.
    expect((await call(`/admin/${noun}/x`, { token })).status).toBe(noun === "users" ? 404 : 400);
  });
});

describe("users", () => {
  it("are shown with the contract's keys, sorted, filtered and paged, with a true total", async () => {
    const { token } = await mintAdmin();
    const [first, banned, last] = [await mintUser("Zed"), await mintUser("amy"), await mintUser("Mia")];
    const [zed, amy, mia] = [first.id, banned.id, last.id];
    await run("UPDATE users SET follower_count = 5000 - id WHERE id IN (?, ?, ?)", zed, amy, mia);
    await call(`/admin/users/${amy}/ban`, { method: "POST", token, body: { reason: "spam" } });
    const mine = async (query: string) => {
      const { body } = await call(`/admin/users?limit=100&${query}`, { token });
      return idsOf(body.users).filter((id) => [zed, amy, mia].includes(id));
    };
    expect(await mine("sort_by=created_at&order=asc")).toEqual([zed, amy, mia]);
    expect(await mine("")).toEqual([mia, amy, zed]);
    expect(await mine("sort_by=username&order=asc")).toEqual([amy, mia, zed]);
    expect(await mine("sort_by=follower_count")).toEqual([zed, amy, mia]);
    expect(await mine("status=banned")).toEqual([amy]);
    expect(await mine("status=active&order=asc")).toEqual([zed, mia]);
    const { body } = await call("/admin/users?status=banned&limit=1", { token });
    expect(body).toEqual({
      users: [
        {
          id: amy,
          username: banned.username,
          email: banned.email,
          fullName: null,
          avatarUrl: null,
          bio: null,
          followerCount: 5000 - amy,
          followingCount: 0,
          videoCount: 0,
          isVerified: false,
          isBanned: true,
          banReason: "spam",
          createdAt: expect.any(String),
          lastActive: expect.any(String),
        },
      ],
      pagination: { page: 1, limit: 1, total: 1, pages: 1 },
    });
    const counted = await run<{ n: number }>("SELECT count(*) AS n FROM users");
    const all = await call("/admin/users?limit=2&page=2", { token });
    expect(all.body.pagination.total).toBe(counted[0]?.n);
    expect(all.body.users).toHaveLength(2);
  });

  it("are found by any part of name, email or full name, in whatever case, and by what is no syntax", async () => {
    const { token } = await mintAdmin();
    const odd = await mintUser("odd");
    await run(`UPDATE users SET full_name = ? WHERE id = ?`, `50%_"Off" NEAR(x* Ünal`, odd.id);
    const found = async (search: string) => {
      const answer = await call(`/admin/users?search=${encodeURIComponent(search)}`, { token });
      expect(answer.status, search).toBe(200);
      expect(answer.body.pagination.total).toBe(answer.body.users.length);
      return idsOf(answer.body.users);
    };
    for (const part of [odd.username, odd.email.toUpperCase(), `50%_"`, `"Off"`, "NEAR(x*", "ünal", `_"`, "%_"]) {
      expect(await found(part), part).toEqual([odd.id]);
    }
    for (const part of [`%%%`, `___`, `" OR username:a`, "*", `"`, "x".repeat(60), "😀"]) {
      expect(await found(part), part).not.toContain(part === `"` || part === "*" ? -1 : odd.id);
    }
    await run("UPDATE users SET full_name = 'Renamed' WHERE id = ?", odd.id);
    expect(await found("NEAR(x*")).toEqual([]);
    expect(await found("  renamed ")).toEqual([odd.id]);
  });

  it("a search goes with filter, sort and page, and finds many as it finds few", async () => {
    const { token } = await mintAdmin();
    await run(`INSERT INTO users (username, email, created_at, follower_count, banned_at)
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10500)
      SELECT 'crowd' || i, 'crowd' || i || '@x', i, i, iif(i % 100 = 0, 1, NULL) FROM n`);
    const page = async (query: string) => (await call(`/admin/users?search=crowd&limit=3&${query}`, { token })).body;
    const many = await page("sort_by=follower_count&page=2");
    expect(many.users.map((user: { followerCount: number }) => user.followerCount)).toEqual([10497, 10496, 10495]);
    expect(many.pagination).toEqual({ page: 2, limit: 3, total: 10_000, pages: 3334 });
    const few = await page("sort_by=follower_count&status=banned&order=asc");
    expect(few.users.map((user: { followerCount: number }) => user.followerCount)).toEqual([100, 200, 300]);
    expect(few.pagination.total).toBe(105);
    // Two characters that no minted name or address has.
    const short = (await call("/admin/users?search=@x&limit=2&sort_by=follower_count&order=asc", { token })).body;
    expect(short.users.map((user: { username: string }) => user.username)).toEqual(["crowd1", "crowd2"]);
  });

  it("one is shown with figures and what is newest", async () => {
    const { token } = await mintAdmin();
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const video = await makeVideo(ann, "hers");
    await run("UPDATE videos SET likes = 3, views = 9 WHERE id = ?", video);
    await makeReport(ann, "user", bob.id);
    const against = await makeReport(bob, "user", ann.id);
    const { body } = await call(`/admin/users/${ann.id}`, { token });
    expect(body.user).toMatchObject({ id: ann.id, role: "user", accountStatus: "active", email: ann.email });
    expect(body.user).not.toHaveProperty("passwordHash");
    expect(body.stats).toEqual({
      videos: 1,
      followers: 0,
      following: 0,
      total_likes: 3,
      total_views: 9,
      reports_by_user: 1,
      reports_against_user: 1,
    });
    expect(idsOf(body.recent_videos)).toEqual([video]);
    expect(body.recent_reports_by[0].targetInfo).toEqual({ username: bob.username });
    expect(idsOf(body.recent_reports_against)).toEqual([against]);
  });
});

describe("videos", () => {
  it("are shown with the contract's keys, sorted, filtered, searched", async () => {
    const { token } = await mintAdmin();
    const ann = await mintUser("ann");
    const one = await makeVideo(ann, "first harbour");
    const two = await makeVideo(ann, "second harbour", { visibility: "private" });
    await run("UPDATE videos SET views = 9, comments = 1, likes = 1000 WHERE id = ?", one);
    await run("UPDATE videos SET views = 8, comments = 2, likes = 1001 WHERE id = ?", two);
    const found = async (query: string) => {
      const { body } = await call(`/admin/videos?search=harbour&${query}`, { token });
      return idsOf(body.videos);
    };
    expect(await found("sort_by=views")).toEqual([one, two]);
    expect(await found("sort_by=comments")).toEqual([two, one]);
    expect(await found("sort_by=likes&order=asc")).toEqual([one, two]);
    expect(await found("visibility=private")).toEqual([two]);
    expect(await found("visibility=public")).toEqual([one]);
    const theirs = async (query: string) => (await call(`/admin/videos?owner_id=${ann.id}&${query}`, { token })).body;
    expect(idsOf((await theirs("order=asc")).videos)).toEqual([one, two]);
    expect(await theirs("visibility=private&limit=1")).toMatchObject({
      videos: [{ id: two }],
      pagination: { total: 1 },
    });
    expect(idsOf((await theirs("search=first")).videos)).toEqual([one]);
    const { body } = await call("/admin/videos?visibility=private&sort_by=likes&limit=1", { token });
    expect(body).toEqual({
      videos: [
        {
          id: two,
          title: "second harbour",
          description: null,
          videoUrl: "/v.mp4",
          thumbUrl: null,
          visibility: "private",
          ownerId: ann.id,
          ownerUsername: ann.username,
          ownerAvatar: null,
          views: 8,
          likes: 1001,
          comments: 2,
          shares: 0,
          createdAt: expect.any(String),
          duration: null,
        },
      ],
      pagination: { page: 1, limit: 1, total: 1, pages: 1 },
    });
  });

  it("one is shown with owner, comments and reports", async () => {
    const { token } = await mintAdmin();
    const ann = await mintUser("ann");
    const video = await makeVideo(ann);
    const comment = await makeComment(ann, video, "hello");
    const report = await makeReport(ann, "video", video);
    const { body } = await call(`/admin/videos/${video}`, { token });
    expect(body.owner).toEqual({ id: ann.id, username: ann.username, avatarUrl: null });
    expect(body.stats).toEqual({ views: 0, likes: 0, comments: 1, shares: 0, reports: 1 });
    expect(body.recent_comments).toMatchObject([{ id: comment, authorUsername: ann.username, content: "hello" }]);
    expect(idsOf(body.reports)).toEqual([report]);
  });
});

describe("comments", () => {
  it("are found by what they say, by their author and by their video, and go with their replies for a reason", async () => {
    const [admin, ann, bob] = [await mintAdmin(), await mintUser("ann"), await mintUser("bob")];
    const word = `Sköna${crypto.randomUUID().slice(0, 8)}`;
    const videoId = await makeVideo(ann, `The ${word}`);
    const first = await makeComment(bob, videoId, "First!");
    const reply = await makeComment(ann, videoId, `No, ${word}`, first);
    const other = await makeComment(bob, await makeVideo(ann), "elsewhere");
    const found = async (query: string) => {
      const { body } = await call(`/admin/comments?${query}`, { token: admin.token });
      expect(body.pagination.total).toBe(body.comments.length);
      return idsOf(body.comments);
    };
    expect(await found(`search=${encodeURIComponent(word.toUpperCase())}`)).toEqual([reply, first]);
    expect(await found(`search=${bob.username}`)).toEqual([other, first]);
    expect(await found(`search=${bob.username}&video_id=${videoId}`)).toEqual([first]);
    expect(await found(`video_id=${videoId}&order=asc`)).toEqual([first, reply]);
    expect(await found("video_id=999999")).toEqual([]);
    const { body } = await call(`/admin/comments?video_id=${videoId}&limit=1`, { token: admin.token });
    expect(body).toEqual({
      comments: [
        {
          id: reply,
          content: `No, ${word}`,
          authorId: ann.id,
          authorUsername: ann.username,
          videoId,
          videoTitle: `The ${word}`,
          parentId: first,
          createdAt: expect.any(String),
        },
      ],
      pagination: { page: 1, limit: 1, total: 2, pages: 2 },
    });
    const gone = await call(`/admin/comments/${first}`, {
      method: "DELETE",
      token: admin.token,
      body: { reason: "spam" },
    });
    expect(gone.body).toEqual({ success: true, message: "Comment deleted" });
    expect(await found(`video_id=${videoId}`)).toEqual([]);
    expect(await auditOf(admin)).toMatchObject([
      { action: "delete", target_type: "comment", target_id: String(first), reason: "spam" },
    ]);
  });
});

describe("reports", () => {
  it("tell what they are about, or that it is gone", async () => {
    const { token } = await mintAdmin();
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const video = await makeVideo(ann, "her video");
    const comment = await makeComment(bob, video, "c".repeat(80));
    const reports = [
      await makeReport(bob, "video", video),
      await makeReport(ann, "comment", comment),
      await makeReport(ann, "user", bob.id),
      await makeReport(ann, "video", 999_999),
    ];
    const { body } = await call("/admin/reports?order=asc&status=pending&limit=100", { token });
    const mine = body.reports.filter((report: { id: number }) => reports.includes(report.id));
    const against = await call(`/admin/reports?target_type=user&target_id=${bob.id}`, { token });
    expect(against.body).toMatchObject({ reports: [{ id: reports[2] }], pagination: { total: 1 } });
    expect(mine.map((report: { targetInfo: unknown }) => report.targetInfo)).toEqual([
      { title: "her video", ownerUsername: ann.username },
      { content: "c".repeat(50), authorUsername: bob.username },
      { username: bob.username },
      null,
    ]);
    expect(mine[0]).toEqual({
      id: reports[0],
      reporterId: bob.id,
      reporterUsername: bob.username,
      targetType: "video",
      targetId: video,
      reason: "spam",
      details: null,
      status: "pending",
      result: null,
      resolvedBy: null,
      resolvedAt: null,
      createdAt: expect.any(String),
      targetInfo: expect.anything(),
    });
    const comments = await call("/admin/reports?target_type=comment&status=pending", { token });
    expect(comments.body.pagination.total).toBe(1);
    const one = (await call(`/admin/reports/${reports[1]}`, { token })).body;
    expect(one.reporter).toEqual({ id: ann.id, username: ann.username, avatarUrl: null });
    expect(one.target).toMatchObject({ id: comment, videoId: video, content: "c".repeat(80), authorId: bob.id });
    const gone = (await call(`/admin/reports/${reports[3]}`, { token })).body;
    expect(gone.target).toBeNull();
  });

  it("are found by what they say, by their result and by who made them, and a search goes with the filters", async () => {
    const admin = await mintAdmin();
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const mark = crypto.randomUUID().slice(0, 8);
    const first = await makeReport(ann, "user", bob.id, `Lừa đảo ${mark}`);
    const second = await makeReport(bob, "user", ann.id);
    await run("UPDATE reports SET details = ? WHERE id = ?", `50% ${mark}`, second);
    const body = { result: `warned ${mark}` };
    await call(`/admin/reports/${second}/resolve`, { method: "POST", token: admin.token, body });
    const found = async (text: string, more = "") => {
      const query = `search=${encodeURIComponent(text)}${more}`;
      const { reports, pagination } = (await call(`/admin/reports?${query}`, { token: admin.token })).body;
      expect(pagination.total).toBeGreaterThanOrEqual(reports.length);
      return idsOf(reports);
    };
    expect(await found(`LỪA ĐẢO ${mark}`)).toEqual([first]);
    expect(await found(`WARNED ${mark}`)).toEqual([second]);
    expect(await found(`50% ${mark}`)).toEqual([second]);
    expect(await found(ann.username.toUpperCase())).toEqual([first]);
    expect(await found(mark)).toEqual([second, first]);
    expect(await found(mark, "&order=asc")).toEqual([first, second]);
    expect(await found(mark, "&limit=1&page=2")).toEqual([first]);
    expect(await found(mark, "&status=pending")).toEqual([first]);
    expect(await found(mark, "&target_type=video")).toEqual([]);
    expect(await found(`5_% ${mark}`)).toEqual([]);
  });
});

describe("audit", () => {
  it("is newest first, and filtered by what, who and whom", async () => {
    const [admin, other] = [await mintAdmin(), await mintAdmin()];
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const act = (by: { token: string }, path: string, body?: object) =>
      call(`/admin/users/${path}`, { method: "POST", token: by.token, body });
    const banned = await act(admin, `${ann.id}/ban`, { reason: "spam" });
    await act(admin, `${bob.id}/verify`);
    await act(other, `${ann.id}/unban`);
    const list = async (query: string) => {
      const { body } = await call(`/admin/audit?${query}`, { token: admin.token });
      return body.entries.map((entry: { action: string; targetId: string }) => `${entry.action} ${entry.targetId}`);
    };
    expect(await list(`adminId=${admin.id}`)).toEqual([`verify ${bob.id}`, `ban ${ann.id}`]);
    expect(await list(`targetType=user&targetId=${ann.id}`)).toEqual([`unban ${ann.id}`, `ban ${ann.id}`]);
    expect(await list(`action=ban&adminId=${admin.id}`)).toEqual([`ban ${ann.id}`]);
    expect(await list("action=nothing")).toEqual([]);
    const request = banned.headers.get("X-Request-Id");
    expect(await list(`search=${request}`)).toEqual([`ban ${ann.id}`]);
    expect(await list(`search=SPAM&adminId=${admin.id}`)).toEqual([`ban ${ann.id}`]);
    expect(await list(`search=${admin.username.toUpperCase()}`)).toEqual([`verify ${bob.id}`, `ban ${ann.id}`]);
    expect(await list(`search=${admin.username}&action=verify`)).toEqual([`verify ${bob.id}`]);
    expect(await list(`search=${request}&action=verify`)).toEqual([]);
    const { body } = await call(`/admin/audit?adminId=${admin.id}&limit=1&page=2`, { token: admin.token });
    expect(body).toEqual({
      entries: [
        {
          id: expect.any(Number),
          adminId: admin.id,
          adminUsername: admin.username,
          keyId: null,
          action: "ban",
          targetType: "user",
          targetId: String(ann.id),
          reason: "spam",
          details: null,
          requestId: banned.headers.get("X-Request-Id"),
          createdAt: expect.any(String),
        },
      ],
      pagination: { page: 2, limit: 1, total: 2, pages: 2 },
    });
  });
});
