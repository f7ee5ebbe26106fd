import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { like, makeComment, makeReport, makeVideo, mintAdmin, run, seeded } from "./support/admin.ts";
import { call, costOf, mintUser } from "./support/api.ts";

const DAY_MS = 86_400_000;
const POLLS = ["/admin/stats/overview", "/admin/stats/charts", "/admin/stats/recent-activity"];
const today = () => new Date().toISOString().slice(0, 10);

describe("the admin's doors", () => {
  it.each(POLLS)("%s is for admins alone", async (path) => {
    expect((await call(path)).status).toBe(401);
    const user = await mintUser();
    expect((await call(path, { token: user.token })).status).toBe(403);
    await run("UPDATE users SET role = 'moderator' WHERE id = ?", user.id);
    expect((await call(path, { token: user.token })).status).toBe(403);
  });

  it("recent activity refuses a limit out of range", async () => {
    const { token } = await mintAdmin();
    for (const limit of ["0", "101", "x"]) {
      expect((await call(`/admin/stats/recent-activity?limit=${limit}`, { token })).status).toBe(400);
    }
  });
});

describe("the figures", () => {
  it("count what happened, today and over 7 days, no day missing", async () => {
    const admin = await mintAdmin();
    const before = (await call("/admin/stats/overview", { token: admin.token })).body;
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const video = await makeVideo(ann);
    await makeVideo(ann, "mine", { visibility: "private" });
    await like(bob, video);
    await makeComment(bob, video);
    const report = await makeReport(bob, "video", video);
    await makeReport(bob, "user", ann.id);
    await run("INSERT INTO video_views (video_id, viewer, counted_at) VALUES (?, 'user:1', ?)", video, Date.now());
    await call(`/admin/reports/${report}/resolve`, { method: "POST", token: admin.token, body: { result: "done" } });
    const { body } = await call("/admin/stats/overview", { token: admin.token });
    expect(body.users).toEqual({
      total: before.users.total + 2,
      active_7d: before.users.active_7d + 2,
      active: before.users.active + 2,
      new_today: before.users.new_today + 2,
      banned: before.users.banned,
    });
    expect(body.videos).toEqual({
      total: before.videos.total + 2,
      public: before.videos.public + 1,
      private: before.videos.private + 1,
      new_today: before.videos.new_today + 2,
    });
    expect(body.reports).toEqual({
      total: before.reports.total + 2,
      pending: before.reports.pending + 1,
      resolved: before.reports.resolved + 1,
      rejected: before.reports.rejected,
      resolved_today: before.reports.resolved_today + 1,
    });
    expect(body.engagement).toEqual({
      total_likes: before.engagement.total_likes + 1,
      total_comments: before.engagement.total_comments + 1,
      total_follows: before.engagement.total_follows,
      total_views: before.engagement.total_views + 1,
    });
    const charts = (await call("/admin/stats/charts", { token: admin.token })).body;
    for (const chart of Object.values<{ date: string }[]>(charts)) {
      expect(chart.map((day) => day.date)).toEqual(
        [6, 5, 4, 3, 2, 1, 0].map((ago) => new Date(Date.now() - ago * DAY_MS).toISOString().slice(0, 10)),
      );
    }
    expect(charts.users_chart.at(-1)).toEqual({
      date: today(),
      count: body.users.new_today,
      active: body.users.active_7d,
    });
    expect(charts.reports_chart.at(-1)).toEqual({ date: today(), pending: 1, resolved: 1, rejected: 0 });
  });

  it("show the newest of each kind, with names", async () => {
    const admin = await mintAdmin();
    const ann = await mintUser("ann");
    const video = await makeVideo(ann, "the newest");
    const report = await makeReport(admin, "video", video, "why not");
    const { body } = await call("/admin/stats/recent-activity?limit=1", { token: admin.token });
    expect(body).toEqual({
      recent_users: [
        { id: ann.id, username: ann.username, email: ann.email, createdAt: expect.any(String), avatarUrl: null },
      ],
      recent_videos: [
        {
          id: video,
          title: "the newest",
          ownerId: ann.id,
          ownerName: ann.username,
          createdAt: expect.any(String),
          views: 0,
          likes: 0,
          visibility: "public",
        },
      ],
      recent_reports: [
        {
          id: report,
          reporterId: admin.id,
          reporterName: admin.username,
          targetType: "video",
          targetId: video,
          reason: "why not",
          status: "pending",
          createdAt: expect.any(String),
        },
      ],
    });
  });
});

/** What every counter should say, counted. `at` is the moment of the last thing that happened. */
const COUNTED = {
  users: "SELECT count(*) FROM users",
  users_active: "SELECT count(*) FROM users WHERE account_status = 'active' AND banned_at IS NULL",
  users_banned: "SELECT count(*) FROM users WHERE banned_at IS NOT NULL",
  videos: "SELECT count(*) FROM videos",
  videos_public: "SELECT count(*) FROM videos WHERE visibility = 'public'",
  likes: "SELECT count(*) FROM likes",
  comments: "SELECT count(*) FROM comments",
  follows: "SELECT count(*) FROM follows",
  views: "SELECT coalesce(sum(views), 0) FROM videos",
  audit: "SELECT count(*) FROM audit",
};
const COUNTED_BY_DAY = {
  users_new: "SELECT created_at / 86400000 AS day, count(*) AS n FROM users GROUP BY 1",
  users_last_active:
    "SELECT last_active_at / 86400000 AS day, count(*) AS n FROM users WHERE last_active_at IS NOT NULL GROUP BY 1",
  videos_new: "SELECT created_at / 86400000 AS day, count(*) AS n FROM videos GROUP BY 1",
  likes: "SELECT created_at / 86400000 AS day, count(*) AS n FROM likes GROUP BY 1",
  comments: "SELECT created_at / 86400000 AS day, count(*) AS n FROM comments GROUP BY 1",
  follows: "SELECT created_at / 86400000 AS day, count(*) AS n FROM follows GROUP BY 1",
  reports_pending:
    "SELECT created_at / 86400000 AS day, count(*) AS n FROM reports WHERE status = 'pending' GROUP BY 1",
  reports_resolved:
    "SELECT created_at / 86400000 AS day, count(*) AS n FROM reports WHERE status = 'resolved' GROUP BY 1",
  reports_rejected:
    "SELECT created_at / 86400000 AS day, count(*) AS n FROM reports WHERE status = 'rejected' GROUP BY 1",
  resolutions: "SELECT resolved_at / 86400000 AS day, count(*) AS n FROM reports WHERE status = 'resolved' GROUP BY 1",
};

async function expectTrueCounters(): Promise<void> {
  const [totals] = await run("SELECT * FROM stats_totals");
  const [counted] = await run(`SELECT ${Object.entries(COUNTED).map(([name, sql]) => `(${sql}) AS ${name}`)}`);
  expect(totals).toEqual({ id: 1, ...counted });
  for (const [name, sql] of Object.entries(COUNTED_BY_DAY)) {
    const kept = await run(`SELECT day, ${name} AS n FROM stats_days WHERE ${name} <> 0 ORDER BY day`);
    expect({ [name]: kept }).toEqual({ [name]: await run(`${sql} ORDER BY day`) });
  }
  const reports = await run("SELECT * FROM stats_reports WHERE count <> 0 ORDER BY status, target_type");
  expect(reports).toEqual(
    await run("SELECT status, target_type, count(*) AS count FROM reports GROUP BY 1, 2 ORDER BY 1, 2"),
  );
}

describe("no counter drifts", () => {
  it.each([1, 2, 3])("over 400 random operations (seed %i)", async (seed) => {
    const random = seeded(seed);
    const start = Date.now() - 9 * DAY_MS;
    const time = () => start + random(10) * DAY_MS + random(1000);
    const anyOf = (table: string, id = "id") =>
      `(SELECT ${id} FROM ${table} ORDER BY ${id} LIMIT 1 OFFSET ${random(7)})`;
    /** Who was active when, and whose views counted when: the tables themselves do not keep it. */
    const active = new Map<number, number>();
    const views = new Map<number, number>();
    const count = (counts: Map<number, number>, day: number, by: number) =>
      counts.set(day, (counts.get(day) ?? 0) + by);
    const dayBefore = await run<{ day: number; users_active: number; views: number }>("SELECT * FROM stats_days");
    const operations: (() => Promise<unknown>)[] = [
      () =>
        run(
          "INSERT INTO users (username, email, created_at) VALUES (?, ?, ?)",
          `u${seed}_${random(1e9)}`,
          `${random(1e9)}@x`,
          time(),
        ),
      () => run(`UPDATE users SET banned_at = iif(banned_at IS NULL, 1, NULL) WHERE id = ${anyOf("users")}`),
      () =>
        run(
          `UPDATE users SET account_status = ? WHERE id = ${anyOf("users")}`,
          ["active", "not_active", "deleted"][random(3)],
        ),
      async () => {
        const at = time();
        const day = Math.floor(at / DAY_MS);
        const [changed] = await run<{ id: number }>(
          `UPDATE users SET last_active_at = ? WHERE id = ${anyOf("users")}
           AND coalesce(last_active_at, 0) / 86400000 < ? RETURNING id`,
          at,
          day,
        );
        if (changed) count(active, day, 1);
      },
      async () => {
        const [gone] = await run<{ id: number; last_active_at: number | null }>(
          `DELETE FROM users WHERE id = ${anyOf("users")} RETURNING id, last_active_at`,
        );
        if (gone?.last_active_at) count(active, Math.floor(gone.last_active_at / DAY_MS), -1);
      },
      () =>
        run(
          `INSERT INTO videos (owner_id, title, video_url, visibility, views, created_at)
           SELECT owner.id, 'v', '/v', ?, ?, ? FROM ${anyOf("users")} AS owner`,
          random(2) ? "public" : "private",
          random(5),
          time(),
        ),
      () =>
        run(
          `UPDATE videos SET visibility = ?, title = title || 'x' WHERE id = ${anyOf("videos")}`,
          random(2) ? "public" : "private",
        ),
      () => run(`DELETE FROM videos WHERE id = ${anyOf("videos")}`),
      () =>
        run(
          `INSERT OR IGNORE INTO likes SELECT v.id, u.id, ? FROM ${anyOf("videos")} AS v, ${anyOf("users")} AS u`,
          time(),
        ),
      () => run(`DELETE FROM likes WHERE video_id = ${anyOf("likes", "video_id")}`),
      async () => {
        const at = time();
        const viewer = `v${random(4)}`;
        const counted = await run(
          `INSERT INTO video_views SELECT id, ?, ? FROM videos WHERE id = ${anyOf("videos")}
           ON CONFLICT DO UPDATE SET counted_at = excluded.counted_at WHERE counted_at < excluded.counted_at RETURNING 1`,
          viewer,
          at,
        );
        const day = Math.floor(at / DAY_MS);
        if (counted.length > 0) count(views, day, 1);
      },
      () =>
        run(
          `INSERT INTO comments (video_id, author_id, content, created_at)
           SELECT id, 1, 'c', ? FROM videos WHERE id = ${anyOf("videos")}`,
          time(),
        ),
      () => run(`DELETE FROM comments WHERE id = ${anyOf("comments")}`),
      () => run("INSERT OR IGNORE INTO follows VALUES (?, ?, ?)", random(5), random(5), time()),
      () => run("DELETE FROM follows WHERE follower_id = ?", random(5)),
      () =>
        run(
          `INSERT INTO reports (reporter_id, target_type, target_id, reason, status, resolved_at, created_at)
           VALUES (?, ?, 1, 'r', 'pending', NULL, ?)`,
          random(1e9),
          ["video", "comment", "user"][random(3)],
          time(),
        ),
      () =>
        run(
          `UPDATE reports SET status = ?, resolved_at = ? WHERE id = ${anyOf("reports")} AND status = 'pending'`,
          ["resolved", "rejected"][random(2)],
          time(),
        ),
      () => run(`DELETE FROM reports WHERE id = ${anyOf("reports")}`),
      () =>
        run(
          `INSERT INTO audit (admin_id, admin_username, action, target_type, target_id, request_id, created_at)
           VALUES (1, 'a', 'ban', 'user', '1', 'r', ?)`,
          time(),
        ),
    ];
    for (let done = 0; done < 400; done += 1) await operations[random(operations.length)]?.();
    await expectTrueCounters();
    const now = await run<{ day: number; users_active: number; views: number }>("SELECT * FROM stats_days");
    const happened = (day: number) => ({
      day,
      users_active: active.get(day) ?? 0,
      views: views.get(day) ?? 0,
    });
    expect(
      now.map(({ day, ...row }) => {
        const earlier = dayBefore.find((other) => other.day === day);
        return {
          day,
          users_active: row.users_active - (earlier?.users_active ?? 0),
          views: row.views - (earlier?.views ?? 0),
        };
      }),
    ).toEqual(now.map(({ day }) => happened(day)));
  });

  it("whatever the statement's own conflict clause says", async () => {
    const [ann, video] = [await mintUser(), await makeVideo({ id: 1 })];
    for (const insert of ["INSERT", "INSERT OR IGNORE", "INSERT OR IGNORE"]) {
      await run(`${insert} INTO likes VALUES (?, ?, ?)`, video, ann.id, Date.now());
    }
    await expectTrueCounters();
  });
});

describe("a database that has rows already", () => {
  it("gets the same counters from the migration", async () => {
    const [ann, bob] = [await mintUser(), await mintUser()];
    const video = await makeVideo(ann, "old", { at: Date.now() - 3 * DAY_MS });
    await like(bob, video);
    await makeComment(bob, video);
    await run("INSERT INTO follows VALUES (?, ?, ?)", ann.id, bob.id, 1);
    const report = await makeReport(bob, "video", video);
    await run("UPDATE reports SET status = 'resolved', resolved_at = ? WHERE id = ?", Date.now(), report);
    await run("UPDATE users SET banned_at = 1 WHERE id = ?", ann.id);
    const backfill = env.TEST_MIGRATIONS.flatMap(({ queries }) => queries).filter((query) =>
      /^(--[^\n]*\n|\s)*INSERT INTO stats_/.test(query),
    );
    expect(backfill.length).toBe(11);
    const clear = ["stats_totals", "stats_days", "stats_reports"].map((table) => `DELETE FROM ${table}`);
    await env.DB.batch([...clear, ...backfill].map((query) => env.DB.prepare(query)));
    await expectTrueCounters();
  });
});

describe("what it costs", () => {
  it("a poll reads the same few rows, however much there is", async () => {
    const admin = await mintAdmin();
    for (let ago = 0; ago < 7; ago += 1) {
      await run("INSERT OR IGNORE INTO stats_days (day) VALUES (?)", Math.floor(Date.now() / DAY_MS) - ago);
    }
    for (const type of ["video", "comment", "user"]) {
      for (const [at, status] of ["pending", "resolved", "rejected"].entries()) {
        const id = await makeReport({ id: 1_000_000 + at }, type, 1);
        await run("UPDATE reports SET status = ?, resolved_at = 1 WHERE id = ?", status, id);
      }
    }
    for (let made = 0; made < 12; made += 1) await makeVideo(admin);
    await run(`INSERT INTO users (username, email, created_at)
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) SELECT 'a' || i, 'a@' || i, 1 FROM n`);
    const read = async () => {
      const answers = await Promise.all(POLLS.map((path) => call(path, { token: admin.token })));
      return answers.map((answer) => costOf(answer));
    };
    await read();
    const few = await read();
    await env.DB.batch([
      env.DB.prepare(`INSERT INTO users (username, email, created_at, last_active_at)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
        SELECT 'bulk' || i, 'bulk@' || i, ${Date.now()}, ${Date.now()} FROM n`),
      env.DB.prepare(`INSERT INTO videos (owner_id, title, video_url, created_at)
        SELECT id, 'bulk', '/v', ${Date.now()} FROM users WHERE username LIKE 'bulk%'`),
      env.DB.prepare(`INSERT INTO reports (reporter_id, target_type, target_id, reason, created_at)
        SELECT id, 'user', 1, 'bulk', ${Date.now()} FROM users WHERE username LIKE 'bulk%'`),
    ]);
    const many = await read();
    expect(many.map((cost) => cost.d1_rows_read)).toEqual(few.map((cost) => cost.d1_rows_read));
    for (const cost of many) {
      expect(cost.d1_rows_read).toBeLessThan(100);
      expect([cost.d1_queries, cost.d1_rows_written]).toEqual([1, 0]);
    }
  });

  it("a like writes one row of totals and one of its day on top of its own", async () => {
    const [ann, video] = [await mintUser(), await makeVideo({ id: 1 })];
    await like({ id: 1 }, video);
    const { meta } = await env.DB.prepare("INSERT INTO likes VALUES (?, ?, ?)").bind(video, ann.id, Date.now()).run();
    expect(meta.rows_written).toBe(6);
  });
});
