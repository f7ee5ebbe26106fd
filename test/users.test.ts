import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, costOf, mintUser, type TestUser } from "./support/api.ts";
import { get, giveRole, remove } from "./support/social.ts";
import { openHub } from "./support/socket.ts";

const unique = (): string => Math.random().toString(36).slice(2, 10);
const rename = (user: TestUser, body: object) => call("/auth/me", { method: "PATCH", token: user.token, body });
const find = async (by: TestUser, search: string): Promise<string[]> => {
  const { status, body } = await get(by, `/users?search=${encodeURIComponent(search)}&limit=100`);
  expect(status).toBe(200);
  expect(body.pagination.total).toBe(body.users.length);
  return body.users.map((user: { username: string }) => user.username);
};

describe("a profile", () => {
  it("shows what is public, and never an email or phone", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    await rename(ann, { phone: "+49 30 123456", fullName: "Ann Example", bio: "I'm <3", displayName: "Ann" });
    for (const by of [bob, null]) {
      const answer = await get(by, `/users/${ann.id}`);
      expect(answer.body).toEqual({
        id: ann.id,
        username: ann.username,
        displayName: "Ann",
        fullName: "Ann Example",
        bio: "I'm <3",
        avatarUrl: null,
        isVerified: false,
        followerCount: 0,
        followingCount: 0,
        videoCount: 0,
        isFollowing: false,
        createdAt: expect.stringMatching(/\.\d{3}Z$/),
      });
      expect(costOf(answer).d1_queries).toBeLessThanOrEqual(2);
    }
    for (const path of ["followers", "following", "videos"]) {
      const { body } = await get(bob, `/users/${ann.id}/${path}`);
      expect(JSON.stringify(body)).not.toMatch(/@example\.com|\+49/);
    }
  });

  it("is gone with its account for everyone but admins; a banned person's stays", async () => {
    const [ann, eve, bob] = [await mintUser("ann"), await mintUser("eve"), await mintUser("bob")];
    const admin = await giveRole(await mintUser("admin"), "admin");
    await remove(ann, "/auth/me");
    await env.DB.prepare("UPDATE users SET banned_at = 1, ban_reason = 'spam' WHERE id = ?").bind(eve.id).run();
    for (const path of ["", "/videos", "/followers", "/following", "/status"]) {
      expect((await get(bob, `/users/${ann.id}${path}`)).status).toBe(404);
      expect((await get(bob, `/users/${eve.id}${path}`)).status).toBe(200);
    }
    expect((await get(admin, `/users/${ann.id}`)).body.username).toBe(ann.username);
    expect(JSON.stringify((await get(bob, `/users/${eve.id}`)).body)).not.toContain("spam");
  });

  it("is 404 for an id or a name that is nobody's", async () => {
    expect((await get(null, "/users/ann")).status).toBe(404);
    expect((await get(null, "/users/-1")).status).toBe(404);
    expect((await get(null, "/users/999999999")).status).toBe(404);
    expect((await get(null, "/users/999999999/videos")).status).toBe(404);
    expect((await get(null, "/users/x/videos")).status).toBe(404);
  });
});

describe("searching people", () => {
  it("finds a part of a username, display name or full name, in any case; never an email or phone", async () => {
    const [ann, bob, me] = [await mintUser("ann"), await mintUser("bob"), await mintUser("me")];
    const [display, full] = [unique(), unique()];
    await rename(ann, { displayName: `Ms ${display}`, fullName: `Ann ${full} Müller`, phone: "+49 30 7654321" });
    expect(await find(me, ann.username.slice(1).toUpperCase())).toEqual([ann.username]);
    expect(await find(me, display.slice(1))).toEqual([ann.username]);
    expect(await find(me, `${full} mül`)).toEqual([ann.username]);
    expect(await find(me, ann.email)).toEqual([]);
    expect(await find(me, "7654321")).toEqual([]);
    await rename(ann, { displayName: null });
    expect(await find(me, display)).toEqual([]);
    await remove(bob, "/auth/me");
    expect(await find(me, bob.username)).toEqual([]);
  });

  it("shows an exact username first, then who has more followers", async () => {
    const [me, name] = [await mintUser("me"), unique()];
    const register = async (username: string, followers: number) => {
      const body = { username, email: `${username}@example.com`, password: "correct horse" };
      const made = await call("/auth/register", { method: "POST", body, headers: { "CF-Connecting-IP": username } });
      await env.DB.prepare("UPDATE users SET follower_count = ? WHERE id = ?").bind(followers, made.body.user.id).run();
    };
    await register(`x${name}`, 1);
    await register(name, 0);
    await register(`${name}x`, 7);
    expect(await find(me, name)).toEqual([name, `${name}x`, `x${name}`]);
    const second = await get(me, `/users?search=${name}&limit=2&page=2`);
    expect(second.body).toMatchObject({
      users: [{ username: `x${name}` }],
      pagination: { page: 2, limit: 2, total: 3, pages: 2 },
    });
  });

  it.each([
    "%",
    "_",
    "%%%",
    "___",
    "a%b",
    '"',
    '""',
    '"a" OR "b"',
    'x"yz',
    "NEAR(a b)",
    "user*",
    "username:a",
    "'; --",
    "\\",
    "\u0000ab",
    "-abc",
  ])("takes %j as it stands", async (search) => {
    const [me, word] = [await mintUser("me"), unique()];
    await rename(me, { displayName: `${word}${search}${word}` });
    const found = await find(me, search);
    const { results } = await env.DB.prepare(
      `SELECT username FROM users WHERE account_status = 'active'
      AND (instr(lower(username), lower(?1)) OR instr(lower(display_name), lower(?1)))`,
    )
      .bind(search.replaceAll("\u0000", ""))
      .all<{ username: string }>();
    expect(found).toContain(me.username);
    expect(found.sort()).toEqual(results.map(({ username }) => username).sort());
  });

  it("takes 100 characters and no more", async () => {
    const me = await mintUser("me");
    expect(await find(me, "z".repeat(100))).toEqual([]);
    expect((await get(me, `/users?search=${"z".repeat(101)}`)).status).toBe(400);
    expect((await get(me, "/users?limit=101")).status).toBe(400);
    expect((await get(null, "/users?search=ann")).status).toBe(401);
  });

  it("reads what it finds, not the crowd, and of a crowd a thousand", async () => {
    const [me, crowd] = [await mintUser("me"), unique()];
    await env.DB.prepare(
      `INSERT INTO users (username, email, created_at) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
        WHERE i < 2000) SELECT ?1 || i, ?1 || i || '@example.com', 0 FROM n`,
    )
      .bind(crowd)
      .run();
    const one = await get(me, `/users?search=${me.username}`);
    expect(one.body.users).toHaveLength(1);
    expect(costOf(one).d1_queries).toBeLessThanOrEqual(3);
    expect(costOf(one).d1_rows_read).toBeLessThan(200);
    const last = `${crowd}2000`;
    expect(await find(me, last)).toEqual([last]);
    // The newest of them all, and called exactly so.
    await env.DB.prepare("INSERT INTO users (username, email, created_at) VALUES (?1, ?1 || '@example.com', 0)")
      .bind(crowd)
      .run();
    const many = await get(me, `/users?search=${crowd}`);
    expect(many.body).toMatchObject({ pagination: { total: 1001 } });
    expect(many.body.users[0].username).toBe(crowd);
    expect(costOf(many).d1_rows_read).toBeLessThan(15_000);
  });

  it("without a word lists everybody who is there, newest first, with a total that nobody counted", async () => {
    const [me, gone] = [await mintUser("me"), await mintUser("gone")];
    const total = async () => (await get(me, "/users?limit=1")).body.pagination.total;
    const before = await total();
    await remove(gone, "/auth/me");
    const newest = await mintUser("newest");
    const { body } = await get(me, "/users?limit=2");
    expect(body.users.map((user: { id: number }) => user.id)).toEqual([newest.id, me.id]);
    expect(body.pagination.total).toBe(before);
    // What a search box sends when it was emptied.
    for (const blank of ["", "%20"]) expect((await get(me, `/users?limit=2&search=${blank}`)).body).toEqual(body);
    const { n } = (await env.DB.prepare("SELECT count(*) AS n FROM users WHERE account_status = 'active'").first<{
      n: number;
    }>()) ?? { n: -1 };
    expect(before).toBe(n);
  });
});

describe("a person's status", () => {
  it("is online while connected", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const socket = await openHub(ann);
    await socket.expectNothing();
    expect((await get(bob, `/users/${ann.id}/status`)).body).toEqual({ isOnline: true, lastSeen: null });
    expect((await get(null, `/users/${ann.id}/status`)).status).toBe(401);
    expect((await get(bob, "/users/999999999/status")).status).toBe(404);
    expect((await get(bob, "/users/x/status")).status).toBe(404);
  });
});
