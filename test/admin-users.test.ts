/** What admins do with accounts. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { act, auditOf, deeds, me, mintAdmin, post, run } from "./support/admin.ts";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { openHub, openSocket } from "./support/socket.ts";

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
        asOf: 0,
        generation: "",
        bornAt: 0,
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
