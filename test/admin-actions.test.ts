import { describe, expect, it } from "vitest";
import { act, deeds, mintAdmin, post, run } from "./support/admin.ts";
import { call, mintUser } from "./support/api.ts";

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
      // A user may be named (SPEC 14), and nobody is called this.
      const unnamed = path.startsWith("/users/") ? 404 : 400;
      expect((await act(admin, method, path.replace("ID", "x"), body)).status).toBe(unnamed);
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
