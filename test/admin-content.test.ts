/** What admins do with videos, files and reports. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { act, deeds, makeComment, makeReport, makeVideo, mintAdmin, post, run } from "./support/admin.ts";
import { call, mintUser } from "./support/api.ts";
import { openHub } from "./support/socket.ts";

describe("videos", () => {
  it("are hidden and shown again, with one audit row for each change", async () => {
    const [admin, ann] = [await mintAdmin(), await mintUser("ann")];
    const video = await makeVideo(ann);
    const set = (visibility: string) => act(admin, "PUT", `/videos/${video}/visibility`, { visibility });
    expect((await set("secret")).status).toBe(400);
    expect((await set("private")).body.message).toBe("Visibility updated");
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
