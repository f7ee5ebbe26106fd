/**
 * A call is one round trip to the database: who calls is asked by the work itself. So
 * these hold of callers whom the isolate knows from a call before: what they may no more, they may not from the next call on.
 */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { limitAdminCalls } from "../src/auth/rate-limit.ts";
import { mintAdmin, run } from "./support/admin.ts";
import { call, costOf, mintKnown, mintUser, type TestUser } from "./support/api.ts";
import { contextOf } from "./support/call-budgets.ts";
import { callWith } from "./support/settings.ts";
import { freshExternalId, SHARED_SECRET, signShared } from "./support/shared.ts";
import { comment, get, giveRole, mintVideo, post } from "./support/social.ts";
import { openSocket } from "./support/socket.ts";

async function mintKnownAdmin(): Promise<TestUser> {
  const admin = await mintAdmin();
  expect((await get(admin, "/auth/me")).status).toBe(200);
  return admin;
}

const twenty = <T>(work: (at: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: 20 }, (_, at) => work(at)));

const sentBy = ({ id }: TestUser) => run<{ content: string }>("SELECT content FROM messages WHERE sender_id = ?", id);

describe("a call costs one round trip", () => {
  it("for whatever a user reads, and writes no row", async () => {
    const ann = await mintKnown("ann");
    for (const path of [
      "/auth/me",
      "/messages/conversations",
      "/messages/inbox",
      "/notifications",
      "/notifications/unseen-count",
      "/rooms",
      "/friends",
      "/videos",
      `/users/${ann.id}`,
      "/streams?status=live",
    ]) {
      const answer = await get(ann, path);
      expect([answer.status, costOf(answer)], path).toMatchObject([
        200,
        { d1_queries: 1, d1_rows_written: 0, object_calls: 0 },
      ]);
    }
  });

  it("for the first one with a token that was made here", async () => {
    const account = { username: `u${crypto.randomUUID().slice(0, 8)}`, password: "correct horse" };
    const email = `${account.username}@example.com`;
    const made = await call("/auth/register", { method: "POST", body: { ...account, email } });
    const back = await call("/auth/login", { method: "POST", body: account });
    for (const { body } of [made, back]) {
      expect(costOf(await get(body, "/notifications"))).toMatchObject({ d1_queries: 1 });
    }
  });

  it("for whatever an admin polls, and writes no row", async () => {
    const admin = await mintKnownAdmin();
    for (const path of [
      "/admin/stats/overview",
      "/admin/stats/charts",
      "/admin/stats/recent-activity",
      "/admin/users",
      "/admin/videos",
      "/admin/reports",
      "/admin/rooms",
      "/admin/streams",
      "/admin/calls",
      "/admin/files",
      "/admin/live",
      "/admin/outbox/parked",
    ]) {
      const answer = await get(admin, path);
      expect([answer.status, costOf(answer)], path).toMatchObject([
        200,
        { d1_queries: 1, d1_rows_written: 0, object_calls: 0 },
      ]);
    }
  });

  it("for what a user makes", async () => {
    const ann = await mintKnown("ann");
    const { id } = await mintVideo(ann);
    expect(costOf(await comment(ann, id, "mine"))).toMatchObject({ d1_queries: 1, object_calls: 0 });
    expect(costOf(await post(ann, `/videos/${id}/view`))).toMatchObject({ d1_queries: 1, object_calls: 0 });
  });
});

describe("a session that has ended", () => {
  it("reads and writes nothing from the next call on, not one of twenty at once", async () => {
    const [ann, bob] = [await mintKnown("ann"), await mintUser("bob")];
    await run("DELETE FROM sessions WHERE user_id = ?", ann.id);
    const answers = await twenty((at) =>
      at % 2 ? post(ann, "/messages", { receiverId: bob.id, content: "x" }) : get(ann, "/messages/inbox"),
    );
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 401, body: { error: { code: "UNAUTHORIZED" } } });
    expect(await sentBy(ann)).toEqual([]);
  });

  it("is told so before anything that is wrong with the call", async () => {
    const ann = await mintKnown("ann");
    await run("DELETE FROM sessions WHERE user_id = ?", ann.id);
    for (const path of ["/messages", "/admin/users/1/ban", "/no/such/path"]) {
      const user = await mintKnown("user");
      await run("DELETE FROM sessions WHERE user_id = ?", user.id);
      expect((await post(user, path, { nothing: "right" })).status, path).toBe(401);
    }
    expect((await get(ann, "/streams?status=live")).status).toBe(401);
  });

  it("ends among twenty sends at once: what was accepted is there, and nothing else", async () => {
    const [ann, bob] = [await mintKnown("ann"), await mintUser("bob")];
    const sends = twenty((at) => post(ann, "/messages", { receiverId: bob.id, content: `${at}` }));
    const [, answers] = await Promise.all([run("DELETE FROM sessions WHERE user_id = ?", ann.id), sends]);
    const accepted = answers.filter(({ status }) => status === 201).map(({ body }) => body.content);
    expect(answers.every(({ status }) => status === 201 || status === 401)).toBe(true);
    expect((await sentBy(ann)).map(({ content }) => content).sort()).toEqual(accepted.sort());
    expect((await post(ann, "/messages", { receiverId: bob.id, content: "late" })).status).toBe(401);
  });

  it("opens no socket any more, and under a new name the socket has that", async () => {
    const [ann, bob] = [await mintKnown("ann"), await mintKnown("bob")];
    await run("UPDATE users SET username = ? WHERE id = ?", `${bob.username}_2`, bob.id);
    const stream = (await post(bob, "/streams", {})).body.id;
    expect((await get(bob, "/auth/me")).status).toBe(200);
    await run("UPDATE users SET username = ? WHERE id = ?", `${bob.username}_3`, bob.id);
    const socket = await openSocket(`/streams/${stream}/ws?token=${bob.token}`);
    expect((await socket.ask("chat_message", { message: "x" })).type).toBe("ack");
    expect((await socket.next("chat_message")).data.username).toBe(`${bob.username}_3`);
    await run("DELETE FROM sessions WHERE user_id = ?", ann.id);
    for (const path of [`/streams/${stream}/ws`, "/ws"]) {
      const { code } = await (await openSocket(`${path}?token=${ann.token}`)).nextClose();
      expect(code, path).toBe(4001);
    }
  });

  it("of a token that a backend has signed ends alike", async () => {
    const token = await signShared({ sub: freshExternalId() });
    const ask = () => callWith({ JWT_SHARED_SECRET: SHARED_SECRET }, "/auth/me", { token });
    const [first] = [await ask(), await ask()];
    expect(first.status).toBe(200);
    await run("UPDATE identities SET user_id = 0 WHERE user_id = ?", first.body.id);
    expect((await ask()).status).toBe(401);
  });
});

describe("a ban", () => {
  it("counts from the next call on, with its reason, and so does its end", async () => {
    const [admin, ann, bob] = [await mintKnownAdmin(), await mintKnown("ann"), await mintUser("bob")];
    const send = () => post(ann, "/messages", { receiverId: bob.id, content: "x" });
    expect((await post(admin, `/admin/users/${ann.id}/ban`, { reason: "spam" })).status).toBe(200);
    for (const answer of await twenty(send)) {
      expect(answer).toMatchObject({ status: 403, body: { error: { message: "Account banned: spam" } } });
    }
    expect(await sentBy(ann)).toEqual([]);
    expect((await post(admin, `/admin/users/${ann.id}/unban`)).status).toBe(200);
    expect((await send()).status).toBe(201);
  });

  it("of an address counts alike", async () => {
    const ann = await mintKnown("ann");
    const ask = () => call("/auth/me", { token: ann.token, headers: { "CF-Connecting-IP": ann.address } });
    expect((await ask()).status).toBe(200);
    await run("INSERT INTO address_bans (address, until) VALUES (?, ?)", ann.address, Date.now() + 60_000);
    expect((await ask()).status).toBe(429);
  });
});

describe("a role", () => {
  it("that was given counts from the next call on", async () => {
    const ann = await mintKnown("ann");
    expect((await get(ann, "/admin/stats/overview")).status).toBe(403);
    await giveRole(ann, "admin");
    expect((await get(ann, "/admin/stats/overview")).status).toBe(200);
  });

  it("that was taken counts from the next call on, and of twenty acts at once none is done", async () => {
    const [admin, ann] = [await mintKnownAdmin(), await mintUser("ann")];
    expect((await get(admin, "/admin/users")).status).toBe(200);
    await run("UPDATE users SET role = 'user' WHERE id = ?", admin.id);
    const answers = await twenty((at) =>
      at % 2 ? post(admin, `/admin/users/${ann.id}/ban`, { reason: "x" }) : get(admin, "/admin/users"),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([403]));
    expect(await run("SELECT 1 FROM audit WHERE admin_id = ?", admin.id)).toEqual([]);
    expect(await run("SELECT 1 FROM users WHERE id = ? AND banned_at IS NOT NULL", ann.id)).toEqual([]);
  });

  it("decides what a call sees, too: a demoted moderator deletes nobody's comment any more", async () => {
    const [moderator, ann] = [await mintKnown("mod"), await mintUser("ann")];
    await giveRole(moderator, "moderator");
    const { id } = await mintVideo(ann);
    const [first, second] = [await comment(ann, id, "one"), await comment(ann, id, "two")];
    const remove = (commentId: number) => call(`/comments/${commentId}`, { method: "DELETE", token: moderator.token });
    expect((await remove(first.body.id)).status).toBe(200);
    await run("UPDATE users SET role = 'user' WHERE id = ?", moderator.id);
    expect((await remove(second.body.id)).status).toBe(403);
  });
});

describe("a caller's name", () => {
  it("is the new one in all that the next call makes", async () => {
    const ann = await mintKnown("ann");
    const { id } = await mintVideo(ann);
    const renamed = await call("/auth/me", {
      method: "PATCH",
      token: ann.token,
      body: { displayName: "Ann the First" },
    });
    expect(renamed.status).toBe(200);
    const [first, second] = await Promise.all([comment(ann, id, "one"), comment(ann, id, "two")]);
    for (const { status, body } of [first, second]) {
      expect([status, body.author.displayName]).toEqual([201, "Ann the First"]);
    }
  });
});

describe("limits", () => {
  it("of messages let no more through than there are, of twenty at once", async () => {
    const [ann, bob] = [await mintKnown("ann"), await mintUser("bob")];
    const hub = env.USER_HUB.getByName(String(ann.id));
    expect((await post(ann, "/messages", { receiverId: bob.id, content: "first" })).status).toBe(201);
    expect(await hub.countCalls("messages", 94, "")).toMatchObject({ left: 5 });
    // What was spent elsewhere is heard of with what is sent next.
    expect((await post(ann, "/messages", { receiverId: bob.id, content: "second" })).status).toBe(201);
    const answers = await twenty((at) => post(ann, "/messages", { receiverId: bob.id, content: `${at}` }));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(4);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(16);
    expect(await sentBy(ann)).toHaveLength(6);
  });

  it("of an admin's calls cost a row for each twentieth of them, and are kept", async () => {
    const admin = await mintKnownAdmin();
    const rows = () => run<{ count: number }>("SELECT count FROM rate_windows WHERE key = ?", `admin:${admin.id}`);
    const later: Promise<unknown>[] = [];
    const ctx = { ...contextOf(admin), later: (work: Promise<unknown>) => void later.push(work) };
    for (let at = 0; at < 49; at += 1) await limitAdminCalls(ctx);
    expect(await rows()).toEqual([]);
    await limitAdminCalls(ctx);
    await Promise.all(later);
    expect(await rows()).toEqual([{ count: 50 }]);
    await run("UPDATE rate_windows SET count = 950 WHERE key = ?", `admin:${admin.id}`);
    for (let at = 0; at < 50; at += 1) await limitAdminCalls(ctx);
    await Promise.all(later);
    const answers = await twenty(() => get(admin, "/admin/stats/overview"));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([429]));
    expect(await rows()).toEqual([{ count: 1020 }]);
  });
});
