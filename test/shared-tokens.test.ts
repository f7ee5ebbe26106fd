/** Tokens of a backend that exists (SPEC 14): signed HS256 with a secret that it shares with the service. */
import { env } from "cloudflare:workers";
import { decodeProtectedHeader, SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, it } from "vitest";
import { signToken } from "../src/auth/tokens.ts";
import { config } from "../src/config.ts";
import { ConfigError } from "../src/settings/config-error.ts";
import { mintAdmin, run } from "./support/admin.ts";
import { call, mintUser } from "./support/api.ts";
import { callWith } from "./support/settings.ts";
import { freshExternalId, SHARED_SECRET, signShared } from "./support/shared.ts";
import { openHub } from "./support/socket.ts";

const me = (token: string) => call("/auth/me", { token });
const erase = async (id: number) =>
  call(`/admin/users/${id}`, { method: "DELETE", token: (await mintAdmin()).token, body: { reason: "asked for" } });

describe("a token of the backend", () => {
  it("signs in by REST and on sockets; its account is made on first sight, once, also by twenty calls at once", async () => {
    const sub = freshExternalId();
    const claims = {
      sub,
      name: "Zoë <b>",
      email: `${sub}@example.org`,
      email_verified: true,
      username: `zoe${sub.slice(4, 12)}`,
    };
    const token = await signShared(claims);
    const answers = await Promise.all(Array.from({ length: 20 }, () => me(token)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    const account = answers[0]?.body;
    expect(account).toMatchObject({ username: claims.username, email: claims.email, role: "user" });
    expect(account.displayName).not.toMatch(/<b/);
    expect((await me(await signShared({ sub, name: "renamed" }))).body.id).toBe(account.id);
    expect((await openHub({ token })).frames[0]?.userId).toBe(account.id);
  });

  it("may name its subject by a number, and by another claim", async () => {
    const number = Number.parseInt(crypto.randomUUID().slice(0, 8), 16);
    const byNumber = await me(await signShared({ sub: number }));
    expect(byNumber.status).toBe(200);
    expect((await me(await signShared({ sub: String(number) }))).body.id).toBe(byNumber.body.id);
    const settings = { JWT_SUBJECT_CLAIM: "user_id" };
    const token = await signShared({ sub: "nobody", user_id: number });
    expect((await callWith(settings, "/auth/me", { token })).body.id).toBe(byNumber.body.id);
  });

  it("takes over neither a name nor an email that somebody has, and never the account with its number", async () => {
    const local = await mintUser();
    const { email } = (await me(local.token)).body;
    const token = await signShared({ sub: String(local.id), username: local.username, email, email_verified: true });
    const { body } = await me(token);
    expect(body.id).not.toBe(local.id);
    expect(body.username).not.toBe(local.username);
    expect(body.email).toMatch(/@identity\.invalid$/);
  });

  it.each<[string, (sub: string) => Promise<string>]>([
    ["another secret", (sub) => signShared({ sub }, "another secret, which has 32 bytes or more")],
    ["no exp", (sub) => signShared({ sub, exp: undefined })],
    ["a past exp", (sub) => signShared({ sub, exp: Math.floor(Date.now() / 1000) - 120 })],
    ["a refresh token's type", (sub) => signShared({ sub, type: "refresh" })],
    ["no type", (sub) => signShared({ sub, type: undefined })],
    ["no subject", () => signShared({})],
    ["an empty subject", () => signShared({ sub: "" })],
    ["a subject of 256 characters", () => signShared({ sub: "x".repeat(256) })],
    ["a subject that is an object", () => signShared({ sub: { id: 1 } })],
    [
      "HS512",
      (sub) =>
        new SignJWT({ sub, type: "access", exp: 4e9 })
          .setProtectedHeader({ alg: "HS512" })
          .sign(new TextEncoder().encode(SHARED_SECRET.repeat(2))),
    ],
    ["no signature", async (sub) => new UnsecuredJWT({ sub, type: "access", exp: 4e9 }).encode()],
  ])("with %s is 401", async (_, sign) => {
    expect((await me(await sign(freshExternalId()))).status).toBe(401);
  });

  it("is held to its audience where one is set", async () => {
    const settings = { JWT_SHARED_AUDIENCE: "roomcast" };
    const asked = async (claims: object) =>
      (await callWith(settings, "/auth/me", { token: await signShared({ sub: freshExternalId(), ...claims }) })).status;
    expect(await asked({ aud: "roomcast" })).toBe(200);
    expect(await asked({ aud: "another" })).toBe(401);
    expect(await asked({})).toBe(401);
  });

  it("cannot be one of ours: our `kid` decides whose it is, and our own tokens go on working", async () => {
    const user = await mintUser();
    const { kid } = decodeProtectedHeader(user.token);
    const forged = await signShared({ sub: String(user.id), sid: "any" }, SHARED_SECRET, { kid });
    expect((await me(forged)).status).toBe(401);
    const ours = await signToken(config(env), { userId: user.id, sessionId: "none", now: new Date() });
    expect(decodeProtectedHeader(ours.token).kid).toBe(kid);
    expect((await me(user.token)).status).toBe(200);
  });

  it("is not refreshed here, and is dead after its logout, however its signature is spelled", async () => {
    const token = await signShared({ sub: freshExternalId() });
    const socket = await openHub({ token });
    expect((await call("/auth/refresh", { method: "POST", token })).status).toBe(403);
    expect((await call("/auth/logout", { method: "POST", token })).status).toBe(200);
    expect(await socket.nextClose()).toMatchObject({ code: 4001 });
    expect((await me(token)).status).toBe(401);
  });

  it("of an erased person stays 401, this one and a fresh one", async () => {
    const sub = freshExternalId();
    const token = await signShared({ sub });
    expect((await erase((await me(token)).body.id)).status).toBe(200);
    for (const held of [token, await signShared({ sub })]) expect((await me(held)).status).toBe(401);
  });

  it("is refused without the setting", async () => {
    const token = await signShared({ sub: freshExternalId() });
    expect((await callWith({ JWT_SHARED_SECRET: "" }, "/auth/me", { token })).status).toBe(401);
  });
});

describe("a role that a token gives", () => {
  const settings = { JWT_ROLE_CLAIM: "role", JWT_ROLE_MOST: "moderator" };
  const roleBy = async (claims: object, more: object = settings) =>
    (await callWith(more, "/auth/me", { token: await signShared({ sub: freshExternalId(), ...claims }) })).body.role;

  it("counts up to JWT_ROLE_MOST, which is `user` unless it is set", async () => {
    const admin = async (role: string, most: object) =>
      (
        await callWith({ JWT_ROLE_CLAIM: "role", ...most }, "/admin/stats/overview", {
          token: await signShared({ sub: freshExternalId(), role }),
        })
      ).status;
    expect(await admin("admin", {})).toBe(403);
    expect(await admin("admin", { JWT_ROLE_MOST: "moderator" })).toBe(403);
    expect(await admin("moderator", { JWT_ROLE_MOST: "admin" })).toBe(403);
    expect(await admin("admin", { JWT_ROLE_MOST: "admin" })).toBe(200);
    expect(await admin("root", { JWT_ROLE_MOST: "admin" })).toBe(403);
  });

  it("is that token's alone: the account keeps its own", async () => {
    const sub = freshExternalId();
    const courseId = `shared-${crypto.randomUUID()}`;
    const make = async (claims: object) =>
      (
        await callWith(settings, "/chat/courses", {
          method: "POST",
          token: await signShared({ sub, ...claims }),
          body: { courseId, name: "A course" },
        })
      ).status;
    expect(await make({})).toBe(403);
    expect(await make({ role: "moderator" })).toBe(201);
    expect(await make({ role: "user" })).toBe(403);
    expect(await roleBy({ sub, role: "moderator" })).toBe("moderator");
    expect(await roleBy({ sub })).toBe("user");
  });

  it("is never above what an admin here set, even to what it was", async () => {
    const [sub, admin] = [freshExternalId(), await mintAdmin()];
    const token = await signShared({ sub, role: "moderator" });
    const asked = async () => {
      const body = { courseId: `shared-${crypto.randomUUID()}`, name: "A course" };
      return (await callWith(settings, "/chat/courses", { method: "POST", token, body })).status;
    };
    expect(await asked()).toBe(201);
    const { id } = (await callWith(settings, "/auth/me", { token })).body;
    const set = { method: "PUT", token: admin.token, body: { role: "user" } };
    expect((await callWith(settings, `/admin/users/${id}/role`, set)).status).toBe(200);
    expect(await asked()).toBe(403);
  });
});

describe("USER_IDS=subject", () => {
  const settings = { USER_IDS: "subject", JWT_JWKS_URL: "" };

  it("gives the backend's number to the account here, and switches registration off", async () => {
    const id = 700_000_000 + Math.floor(Math.random() * 1e8);
    const token = await signShared({ sub: String(id) });
    expect((await callWith(settings, "/auth/me", { token })).body.id).toBe(id);
    const body = { username: "somebody_new", email: "new@example.com", password: "correct horse" };
    expect((await callWith(settings, "/auth/register", { method: "POST", body })).status).toBe(403);
  });

  it("is 401 for a subject that is no number, and for one whose number somebody else has", async () => {
    const local = await mintUser();
    for (const sub of ["ann", "01", "-1", "1e3", "9".repeat(16), String(local.id)]) {
      expect((await callWith(settings, "/auth/me", { token: await signShared({ sub }) })).status, sub).toBe(401);
    }
    expect(await run("SELECT 1 FROM identities WHERE user_id = ?", local.id)).toEqual([]);
  });

  it("is 401 for somebody who had another number before", async () => {
    const id = 800_000_000 + Math.floor(Math.random() * 1e8);
    const token = await signShared({ sub: String(id) });
    expect((await me(token)).body.id).not.toBe(id);
    expect((await callWith(settings, "/auth/me", { token })).status).toBe(401);
  });

  it("needs the shared secret, and no other provider", () => {
    expect(() => config({ ...env, ...settings, JWT_SHARED_SECRET: "" })).toThrow(ConfigError);
    expect(() => config({ ...env, USER_IDS: "subject" })).toThrow(/USER_IDS=subject needs/);
  });
});

describe("the shared secret", () => {
  it("has at least 32 bytes, and is none of our own keys", () => {
    expect(() => config({ ...env, JWT_SHARED_SECRET: "short" })).toThrow(
      /JWT_SHARED_SECRET must have at least 32 bytes/,
    );
    expect(config({ ...env, JWT_SHARED_SECRET: "é".repeat(16) }).JWT_SHARED_SECRET).toHaveLength(16);
    const { JWT_SECRET_KEY, FILES_SIGNING_KEY } = config(env);
    for (const key of [JWT_SECRET_KEY, FILES_SIGNING_KEY]) {
      expect(() => config({ ...env, JWT_SHARED_SECRET: key })).toThrow(/none of our own keys/);
    }
    for (const name of ["WEBHOOK_SECRET", "METRICS_TOKEN", "TURN_SHARED_SECRET", "JWT_SECRET_KEY_PREVIOUS"]) {
      const key = "a key that somebody else has as well";
      expect(() => config({ ...env, [name]: key, JWT_SHARED_SECRET: key })).toThrow(/none of our own keys/);
    }
    expect(() => config({ ...env, JWT_SHARED_REQUIRE: "access" })).toThrow(/JWT_SHARED_REQUIRE must be like/);
  });
});
