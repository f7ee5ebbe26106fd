/** The social product's dashboard, call by call as its own pages make them (SPEC 14, "Admin"). */
import { describe, expect, it } from "vitest";
import { mintAdmin } from "./support/admin.ts";
import { call, mintUser } from "./support/api.ts";
import { mintVideo } from "./support/social.ts";

const EMPTY = "search=&status=&sort_by=&order=&visibility=&target_type=&page=1&limit=20";

async function admin() {
  const { token } = await mintAdmin();
  return {
    get: (path: string) => call(`/admin${path}`, { token }),
    post: (path: string, body?: unknown) => call(`/admin${path}`, { method: "POST", token, body }),
    put: (path: string, body?: unknown) => call(`/admin${path}`, { method: "PUT", token, body }),
    remove: (path: string, body?: unknown) => call(`/admin${path}`, { method: "DELETE", token, body }),
  };
}

const done = (message: string) => ({ status: 200, body: { success: true, message } });
const report = async (targetType: string, targetId: number): Promise<number> => {
  const { token } = await mintUser();
  const body = { target_type: targetType, target_id: targetId, reason: "spam" };
  return (await call("/reports", { method: "POST", token, body })).body.id;
};

describe("the dashboard", () => {
  it("finds who was active under either name", async () => {
    const { get } = await admin();
    const { users } = (await get("/stats/overview")).body;
    expect(users.active).toBe(users.active_7d);
    expect(users.active).toBeGreaterThan(0);
  });

  it("sends filters that nobody chose as empty", async () => {
    const { get } = await admin();
    for (const list of ["users", "videos", "reports"]) expect((await get(`/${list}?${EMPTY}`)).status, list).toBe(200);
  });

  it("writes reasons into the query, and reads the words that it knows", async () => {
    const { post, put, remove } = await admin();
    const user = await mintUser();
    expect(await post(`/users/${user.id}/ban?reason=spam%20and%20more`)).toMatchObject(done("User banned"));
    const answer = await call("/auth/me", { token: user.token });
    expect(answer.body.error.message).toContain("spam and more");
    expect(await post(`/users/${user.id}/unban`)).toMatchObject(done("User unbanned"));
    expect(await post(`/users/${user.id}/verify`)).toMatchObject(done("User verified"));
    expect(await put(`/users/${user.id}/role?role=moderator`)).toMatchObject(done("Role updated"));
    const video = await mintVideo(await mintUser());
    expect(await put(`/videos/${video.id}/visibility?visibility=private`)).toMatchObject(done("Visibility updated"));
    const [resolved, rejected, third] = [
      await report("user", user.id),
      await report("user", user.id),
      await report("user", user.id),
    ];
    expect(await post(`/reports/${resolved}/resolve?result=warned`)).toMatchObject(done("Report resolved"));
    expect(await post(`/reports/${rejected}/reject?reason=nothing%20wrong`)).toMatchObject(done("Report rejected"));
    expect(await post("/reports/bulk-resolve?result=warned", { report_ids: [third] })).toMatchObject(
      done("1 report resolved"),
    );
    expect(await remove(`/videos/${video.id}?reason=spam`)).toMatchObject(done("Video deleted"));
    const more = [
      await mintVideo(await mintUser()),
      await mintVideo(await mintUser()),
      await mintVideo(await mintUser()),
    ];
    const ids = more.map(({ id }) => id);
    expect(await post("/videos/bulk-delete?reason=spam", { video_ids: ids })).toMatchObject(done("3 videos deleted"));
    expect(await remove(`/users/${user.id}?reason=asked%20for`)).toMatchObject(done("User deleted"));
  });

  it("is refused a reason that is missing, too long, or said twice and differently", async () => {
    const { post } = await admin();
    const { id } = await mintUser();
    for (const query of ["", "?reason=", `?reason=${"x".repeat(501)}`, "?reason=a&reason=b"]) {
      expect((await post(`/users/${id}/ban${query}`)).status, query).toBe(400);
    }
    const torn = await post(`/users/${id}/ban?reason=spam`, { reason: "rudeness" });
    expect(torn.body.error.details).toEqual([{ path: "reason", message: "is given twice, and differently" }]);
    expect(await post(`/users/${id}/ban?reason=spam`, { reason: "spam" })).toMatchObject(done("User banned"));
  });

  it("takes nothing else from the query than what may stand there", async () => {
    const [{ put }, user] = [await admin(), await mintUser()];
    expect((await put(`/users/${user.id}/role?reason=x`)).status).toBe(400);
    expect(
      (await call("/messages?content=hello", { method: "POST", token: user.token, body: { receiverId: user.id } }))
        .status,
    ).toBe(400);
  });
});
