import { env } from "cloudflare:workers";
import { decodeJwt, SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, it } from "vitest";
import { hashPassword, isOutdated, verifyPassword } from "../src/features/auth/password.ts";
import { call, costOf, mintUser, type TestUser } from "./support/api.ts";
import { openHub, openSocket } from "./support/socket.ts";

const SECRET = new TextEncoder().encode("test-only-secret-of-at-least-32-bytes");

const login = (username: string, password: string, address = "10.0.0.1") =>
  call("/auth/login", { method: "POST", body: { username, password }, headers: { "CF-Connecting-IP": address } });

function register() {
  const username = `new_${crypto.randomUUID().slice(0, 8)}`;
  const body = { username, email: `${username}@example.com`, password: "correct horse" };
  return call("/auth/register", { method: "POST", body, headers: { "CF-Connecting-IP": "10.9.8.7" } });
}

/** How often a limit was counted up. */
const countOf = async (key: string): Promise<number | null> =>
  env.DB.prepare("SELECT count FROM rate_windows WHERE key = ?").bind(key).first<number>("count");

const makeAdmin = (user: TestUser) => env.DB.prepare("UPDATE users SET role='admin' WHERE id = ?").bind(user.id).run();

/** What registering leaves of somebody, without what is each one's own. */
async function leftOf(userId: number) {
  const [account] = (await env.DB.prepare("SELECT * FROM users WHERE id = ?").bind(userId).all()).results;
  const { results: sessions } = await env.DB.prepare("SELECT * FROM sessions WHERE user_id = ?").bind(userId).all();
  const { id: _id, username: _name, email: _email, password_hash: hash, created_at: at, ...rest } = account ?? {};
  const since = (time: unknown) => (time === null ? null : Number(time) - Number(at));
  return {
    account: { ...rest, last_active_at: since(rest.last_active_at), online_until: since(rest.online_until) },
    isHashed: verifyPassword("correct horse", String(hash), 8),
    sessions: sessions.map(({ id, user_id, address, created_at, last_used_at, expires_at, ...more }) => ({
      ...more,
      idLength: String(id).length,
      isOfAddress: String(address).startsWith("10."),
      createdAt: since(created_at),
      lastUsedAt: since(last_used_at),
      lastsMs: Math.ceil(Number(since(expires_at)) / 1000) * 1000,
    })),
  };
}

describe("registering", () => {
  it("leaves what the tests' own users have", async () => {
    const { body } = await register();
    expect(await leftOf((await mintUser()).id)).toEqual(await leftOf(body.user.id));
  });

  it("makes an account and signs it in", async () => {
    const { status, body: user } = await register();
    expect(status).toBe(201);
    const me = await call("/auth/me", { token: user.token });
    expect(me.status).toBe(200);
    expect(me.body).toMatchObject({ ...user.user, role: "user" });
    expect(JSON.stringify(me.body)).not.toContain("scrypt");
  });

  it("refuses a taken username or email in whatever case", async () => {
    const user = await mintUser();
    const again = (body: object) =>
      call("/auth/register", { method: "POST", body: { password: "correct horse", ...body } });
    const sameName = await again({ username: user.username.toUpperCase(), email: "other@example.com" });
    const sameMail = await again({ username: "somebody.else", email: user.email.toUpperCase() });
    expect([sameName.status, sameMail.status]).toEqual([409, 409]);
    expect(sameName.body.error.code).toBe("CONFLICT");
  });

  it.each([
    ["a short username", { username: "ab" }, "username"],
    ["a username with a space", { username: "a b c" }, "username"],
    ["no email", { email: undefined }, "email"],
    ["a bad email", { email: "nowhere" }, "email"],
    ["a short password", { password: "1234567" }, "password"],
    ["a long password", { password: "x".repeat(129) }, "password"],
    ["a script link", { avatarUrl: "javascript:alert(1)" }, "avatarUrl"],
    ["a number for a name", { fullName: 7 }, "fullName"],
  ])("answers 400 and names the field for %s", async (_case, change, path) => {
    const body = { username: "valid_name", email: "valid@example.com", password: "correct horse", ...change };
    const { status, body: answer } = await call("/auth/register", { method: "POST", body });
    expect(status).toBe(400);
    expect(answer.error).toMatchObject({ code: "INVALID_REQUEST", details: [{ path }] });
    expect(answer.error.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it("takes no role, ban or counter from the body", async () => {
    const body = {
      username: `sly_${Date.now()}`,
      email: `sly_${Date.now()}@example.com`,
      password: "correct horse",
      role: "admin",
      isVerified: true,
      followerCount: 9,
      id: 77_777,
    };
    const { body: answer } = await call("/auth/register", { method: "POST", body });
    expect(answer.user).toMatchObject({ role: "user", isVerified: false, followerCount: 0 });
    const patched = await call("/auth/me", {
      method: "PATCH",
      token: answer.token,
      body: { role: "admin", email: "x@example.com", displayName: "Sly" },
    });
    expect(patched.body).toMatchObject({ role: "user", email: body.email, displayName: "Sly" });
  });
});

describe("logging in", () => {
  it("works by username and by email, in whatever case", async () => {
    const user = await mintUser();
    for (const name of [user.username, user.username.toUpperCase(), user.email, user.email.toUpperCase()]) {
      const { status, body } = await login(name, user.password);
      expect(status).toBe(200);
      expect(body.user.id).toBe(user.id);
    }
  });

  it("answers a wrong password and an unknown name alike", async () => {
    const user = await mintUser();
    const wrong = await login(user.username, "wrong password");
    const unknown = await login("nobody_at_all", "wrong password");
    expect(wrong.status).toBe(401);
    expect({ ...wrong.body.error, timestamp: "" }).toEqual({ ...unknown.body.error, timestamp: "" });
  });

  it("marks the user online until a logout", async () => {
    const user = await mintUser();
    const { body } = await login(user.username, user.password);
    expect(
      await env.DB.prepare("SELECT online_until FROM users WHERE id=?").bind(user.id).first("online_until"),
    ).toBeGreaterThan(Date.now());
    await call("/auth/logout", { method: "POST", token: body.token });
    const row = await env.DB.prepare("SELECT online_until, last_seen_at FROM users WHERE id=?").bind(user.id).first();
    expect(row?.online_until).toBeNull();
    expect(row?.last_seen_at).toBeGreaterThan(Date.now() - 60_000);
  });

  it("answers 403 with the reason to a banned user, and only to the right password", async () => {
    const user = await mintUser();
    await env.DB.prepare("UPDATE users SET banned_at=1, ban_reason='spam' WHERE id=?").bind(user.id).run();
    const right = await login(user.username, user.password);
    expect(right.status).toBe(403);
    expect(right.body.error.message).toContain("spam");
    expect((await login(user.username, "wrong password")).status).toBe(401);
  });

  it("is limited per address and name", async () => {
    const user = await mintUser();
    const tries = [];
    for (let n = 0; n < 11; n += 1) tries.push(await login(user.username, "wrong password", "10.9.9.9"));
    expect(tries.slice(0, 10).map(({ status }) => status)).toEqual(Array(10).fill(401));
    expect(tries[10]?.status).toBe(429);
    expect(Number(tries[10]?.headers.get("Retry-After"))).toBeGreaterThan(0);
    // Neither the owner elsewhere nor somebody else at that address is locked out.
    expect((await login(user.username, user.password, "10.9.9.8")).status).toBe(200);
    const neighbour = await mintUser();
    expect((await login(neighbour.username, neighbour.password, "10.9.9.9")).status).toBe(200);
    // What is over a name's limit is not counted as the address's: ten tries, and the neighbour's one.
    expect(await countOf("logins:10.9.9.9")).toBe(11);
  });

  it("takes three round trips: its limits, the account, the session", async () => {
    const user = await mintUser();
    expect(costOf(await login(user.username, user.password))).toMatchObject({ d1_queries: 3, object_calls: 0 });
    expect(costOf(await register())).toMatchObject({ d1_queries: 3, object_calls: 0 });
    // A wrong password ends before the session.
    expect(costOf(await login(user.username, "wrong password"))).toMatchObject({ d1_queries: 2, d1_rows_written: 2 });
  });

  it("bans an address that keeps on hammering, at every door", async () => {
    const user = await mintUser();
    for (let n = 0; n < 33; n += 1) await login(user.username, "wrong password", "10.9.7.7");
    const headers = { "CF-Connecting-IP": "10.9.7.7" };
    expect((await call("/auth/me", { token: user.token, headers })).status).toBe(429);
    const counted = await countOf("logins:10.9.7.7");
    const banned = await login((await mintUser()).username, "correct horse", "10.9.7.7");
    expect([banned.status, Number(banned.headers.get("Retry-After")) > 60]).toEqual([429, true]);
    expect(costOf(banned)).toMatchObject({ d1_rows_written: 0 });
    expect(await countOf("logins:10.9.7.7")).toBe(counted);
    const refused = await openSocket(`/ws?token=${user.token}`, headers);
    expect((await refused.nextClose()).code).toBe(4029);
    expect((await call("/auth/me", { token: user.token })).status).toBe(200);
  });
});

describe("a forged token never opens a door", () => {
  const claims = { sid: "x", sub: "1" };
  const forgeries: [name: string, make: (user: TestUser) => Promise<string> | string][] = [
    ["no algorithm", (user) => new UnsecuredJWT({ ...decodeJwt(user.token) }).encode()],
    ["another key", (user) => sign({ ...decodeJwt(user.token) }, new TextEncoder().encode("x".repeat(40)))],
    ["another algorithm", (user) => sign({ ...decodeJwt(user.token) }, SECRET, "HS512")],
    ["another user's id", (user) => sign({ ...decodeJwt(user.token), sub: String(user.id + 1) })],
    ["no session", () => sign({ sub: "1" })],
    ["an unknown session", () => sign(claims)],
    ["an SQL id", (user) => sign({ ...decodeJwt(user.token), sub: "1 OR 1=1" })],
    [
      "a key in its header",
      (user) =>
        sign({ ...decodeJwt(user.token) }, new TextEncoder().encode("y".repeat(40)), "HS256", {
          jwk: { kty: "oct", k: "eXl5" },
        }),
    ],
    ["an expired time", (user) => sign({ ...decodeJwt(user.token), exp: 1000 })],
    ["text", () => "not-a-token"],
    ["an empty string", () => ""],
  ];

  it.each(forgeries)("with %s", async (_name, make) => {
    const user = await mintUser();
    const token = await make(user);
    const rest = await call("/auth/me", { headers: { Authorization: `Bearer ${token}` } });
    expect([401]).toContain(rest.status);
    const socket = await openSocket(`/ws?token=${encodeURIComponent(token)}`);
    expect(await socket.nextClose()).toMatchObject({ code: 4001, reason: "UNAUTHORIZED" });
    expect(socket.frames).toEqual([]);
  });

  function sign(payload: Record<string, unknown>, key = SECRET, alg = "HS256", header = {}): Promise<string> {
    const jwt = new SignJWT(payload).setProtectedHeader({ alg, ...header });
    return (payload.exp === undefined ? jwt.setExpirationTime("1h") : jwt).sign(key);
  }
});

describe("ending a session", () => {
  it("by logout: the token is dead at once, its sockets close with 4001, the other session lives", async () => {
    const user = await mintUser();
    const second = (await login(user.username, user.password)).body.token;
    const [first, other] = [await openHub(user), await openHub({ token: second })];
    expect((await call("/auth/logout", { method: "POST", token: user.token })).status).toBe(200);
    expect((await call("/auth/me", { token: user.token })).status).toBe(401);
    expect((await first.nextClose()).code).toBe(4001);
    expect((await call("/auth/me", { token: second })).status).toBe(200);
    await other.expectNothing("error");
    expect(other.closed).toBeUndefined();
  });

  it("by a changed password: every other token ends, this one stays", async () => {
    const user = await mintUser();
    const second = (await login(user.username, user.password)).body.token;
    const [mine, other] = [await openHub(user), await openHub({ token: second })];
    const change = (current: string, next: string) =>
      call("/auth/password", { method: "POST", token: user.token, body: { current, next } });
    expect((await change("wrong", "battery staple")).status).toBe(403);
    expect((await change(user.password, "short")).status).toBe(400);
    expect((await change(user.password, "battery staple")).status).toBe(200);
    expect((await other.nextClose()).code).toBe(4001);
    expect((await call("/auth/me", { token: second })).status).toBe(401);
    expect((await call("/auth/me", { token: user.token })).status).toBe(200);
    await mine.expectNothing("error");
    expect((await login(user.username, user.password)).status).toBe(401);
    expect((await login(user.username, "battery staple")).status).toBe(200);
  });

  it("by closing the account: 403 from then on, sockets close with 4003, nothing is erased", async () => {
    const user = await mintUser();
    const socket = await openHub(user);
    expect((await call("/auth/me", { method: "DELETE", token: user.token })).status).toBe(200);
    expect((await socket.nextClose()).code).toBe(4003);
    expect((await call("/auth/me", { token: user.token })).status).toBe(403);
    expect((await login(user.username, user.password)).status).toBe(403);
    const row = await env.DB.prepare("SELECT account_status FROM users WHERE id=?").bind(user.id).first();
    expect(row).toEqual({ account_status: "deleted" });
  });

  it("is refused to the last admin, also in two calls at once", async () => {
    await env.DB.prepare("UPDATE users SET role='user'").run();
    const [ann, bob] = [await mintUser(), await mintUser()];
    await makeAdmin(ann);
    await makeAdmin(bob);
    const left = await Promise.all([ann, bob].map(({ token }) => call("/auth/me", { method: "DELETE", token })));
    expect(left.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  it("an erased account's token answers 401", async () => {
    const user = await mintUser();
    await env.DB.prepare("DELETE FROM users WHERE id=?").bind(user.id).run();
    expect((await call("/auth/me", { token: user.token })).status).toBe(401);
  });
});

describe("a new token", () => {
  it("is of the same session: a logout ends both", async () => {
    const user = await mintUser();
    const { status, body } = await call("/auth/refresh", { method: "POST", token: user.token });
    expect(status).toBe(200);
    expect((await call("/auth/me", { token: body.token })).status).toBe(200);
    expect((await call("/auth/me", { token: user.token })).status).toBe(200);
    await call("/auth/logout", { method: "POST", token: body.token });
    expect((await call("/auth/me", { token: user.token })).status).toBe(401);
  });
});

describe("a socket ticket", () => {
  it("opens one socket of fifty that come with it", async () => {
    const user = await mintUser();
    const { body } = await call("/auth/ws-ticket", { method: "POST", token: user.token });
    const sockets = await Promise.all(Array.from({ length: 50 }, () => openSocket(`/ws?ticket=${body.ticket}`)));
    const fates = await Promise.all(
      sockets.map((socket) =>
        Promise.race([socket.nextFrame().then(({ type }) => type), socket.nextClose().then(({ code }) => code)]),
      ),
    );
    expect(fates.filter((fate) => fate === "connected")).toHaveLength(1);
    expect(fates.filter((fate) => fate === 4001)).toHaveLength(49);
  });

  it("is dead after 30 seconds, and with its session", async () => {
    const user = await mintUser();
    const ticket = async () => (await call("/auth/ws-ticket", { method: "POST", token: user.token })).body.ticket;
    const old = await ticket();
    await env.DB.prepare("UPDATE socket_tickets SET expires_at = expires_at - 30001 WHERE user_id=?")
      .bind(user.id)
      .run();
    expect((await (await openSocket(`/ws?ticket=${old}`)).nextClose()).code).toBe(4001);
    const fresh = await ticket();
    await call("/auth/logout", { method: "POST", token: user.token });
    expect((await (await openSocket(`/ws?ticket=${fresh}`)).nextClose()).code).toBe(4001);
  });
});

describe("password hashes", () => {
  it("carry their parameters, compare right, and are made anew when those change", () => {
    const hash = hashPassword("correct horse", 10);
    expect(hash).toMatch(/^\$scrypt\$ln=10,r=8,p=3\$/);
    expect(verifyPassword("correct horse", hash, 15)).toBe(true);
    expect(verifyPassword("correct horsf", hash, 10)).toBe(false);
    expect(verifyPassword("anything", null, 8)).toBe(false);
    expect(isOutdated(hash, 15)).toBe(true);
    expect(isOutdated(hash, 10)).toBe(false);
  });

  it("production's parameters work in this runtime and stay under its cap of N·r·p ≤ 2^20", () => {
    expect(2 ** 15 * 8 * 3).toBeLessThanOrEqual(2 ** 20);
    const hash = hashPassword("correct horse", 15);
    expect(verifyPassword("correct horse", hash, 15)).toBe(true);
  });

  it("made with fewer rounds are replaced at the next login", async () => {
    const user = await mintUser();
    const weak = hashPassword(user.password, 4);
    await env.DB.prepare("UPDATE users SET password_hash=? WHERE id=?").bind(weak, user.id).run();
    expect((await login(user.username, user.password)).status).toBe(200);
    const now = await env.DB.prepare("SELECT password_hash FROM users WHERE id=?")
      .bind(user.id)
      .first<string>("password_hash");
    expect(now).toMatch(/^\$scrypt\$ln=8,/);
  });
});
