import { env } from "cloudflare:workers";
import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { signToken } from "../src/auth/tokens.ts";
import { config } from "../src/config.ts";
import { runCron } from "../src/cron.ts";
import { mintAdmin } from "./support/admin.ts";
import { call, mintUser } from "./support/api.ts";
import { openHub, openSocket } from "./support/socket.ts";

const ISSUER = "https://id.example.com";
const AUDIENCE = "roomcast-tests";
type Keys = Awaited<ReturnType<typeof generateKeyPair>>;
let keys: Keys;
let ecdsa: Keys;
let fetches = 0;

/** The identity provider: serves its key set. */
beforeAll(async () => {
  keys = await generateKeyPair("RS256", { extractable: true });
  ecdsa = await generateKeyPair("ES256", { extractable: true });
  const published = [
    { ...(await exportJWK(keys.publicKey)), kid: "idp-1", alg: "RS256", use: "sig" },
    { ...(await exportJWK(ecdsa.publicKey)), kid: "idp-ec", alg: "ES256", use: "sig" },
  ];
  const real = globalThis.fetch;
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (url !== `${ISSUER}/jwks.json`) return real(input, init);
    fetches += 1;
    return Response.json({ keys: published });
  });
});

afterAll(() => vi.restoreAllMocks());

type Claims = Record<string, unknown>;
type Signing = { header?: Record<string, unknown>; key?: Parameters<SignJWT["sign"]>[0] };

const issue = (claims: Claims, { header = {}, key = keys.privateKey }: Signing = {}) =>
  new SignJWT({ iss: ISSUER, aud: AUDIENCE, exp: Math.floor(Date.now() / 1000) + 600, ...claims })
    .setProtectedHeader({ alg: "RS256", kid: "idp-1", ...header })
    .sign(key);

const me = (token: string) => call("/auth/me", { token });
const subject = () => `sub-${crypto.randomUUID()}`;

describe("a token of the outside identity provider", () => {
  it("signs in, and its account is made on first sight, once, also by ten calls at once", async () => {
    const claims = {
      sub: subject(),
      email: `${subject()}@example.org`,
      email_verified: true,
      name: "Zoë <b>",
      preferred_username: "zoe",
    };
    const token = await issue(claims);
    const answers = await Promise.all(Array.from({ length: 10 }, () => me(token)));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers[0]?.body).toMatchObject({ email: claims.email, role: "user" });
    expect(answers[0]?.body.displayName).not.toMatch(/<b/);
    expect((await me(await issue({ ...claims, preferred_username: "renamed" }))).body.id).toBe(answers[0]?.body.id);
    const socket = await openHub({ token });
    expect(socket.frames[0]?.userId).toBe(answers[0]?.body.id);
  });

  it("makes no new account once its own is erased: 401, with this token and with a fresh one", async () => {
    const [admin, claims] = [await mintAdmin(), { sub: subject() }];
    const token = await issue(claims);
    const { id } = (await me(token)).body;
    const body = { reason: "asked for" };
    expect((await call(`/admin/users/${id}`, { method: "DELETE", token: admin.token, body })).status).toBe(200);
    for (const held of [token, await issue(claims)]) expect((await me(held)).status).toBe(401);
    expect((await me(await issue({ sub: subject() }))).status).toBe(200);
  });

  it("takes over neither a name nor an email that somebody has", async () => {
    const local = await mintUser();
    const token = await issue({
      sub: subject(),
      email: local.email,
      email_verified: true,
      preferred_username: local.username,
    });
    const { body } = await me(token);
    expect(body.id).not.toBe(local.id);
    expect(body.username).not.toBe(local.username);
    expect(body.email).not.toBe(local.email);
    const unverified = await me(await issue({ sub: subject(), email: "claimed@example.org", email_verified: false }));
    expect(unverified.body.email).not.toBe("claimed@example.org");
  });

  it("is dead after a logout here, though the provider still vouches for it", async () => {
    const token = await issue({ sub: subject() });
    const socket = await openHub({ token });
    expect((await call("/auth/logout", { method: "POST", token })).status).toBe(200);
    expect((await me(token)).status).toBe(401);
    expect((await socket.nextClose()).code).toBe(4001);
    expect((await call("/auth/refresh", { method: "POST", token: await issue({ sub: subject() }) })).status).toBe(403);
  });

  it("is dead after a logout, however its signature is spelled", async () => {
    const token = await issue({ sub: subject() });
    await me(token);
    expect((await call("/auth/logout", { method: "POST", token })).status).toBe(200);
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const last = alphabet.indexOf(token.at(-1) ?? "");
    // 256 bytes leave four bits of the last character that no decoder reads.
    const twins = Array.from({ length: 15 }, (_, at) => alphabet[(last & ~15) | ((last + at + 1) & 15)]);
    for (const twin of twins) expect((await me(`${token.slice(0, -1)}${twin}`)).status).toBe(401);
  });

  it("is dead after a logout, however often ECDSA is asked to sign it", async () => {
    const { privateKey } = ecdsa;
    const claims = { sub: subject(), exp: Math.floor(Date.now() / 1000) + 600 };
    const signing = { header: { alg: "ES256", kid: "idp-ec" }, key: privateKey };
    const [token, twin] = [await issue(claims, signing), await issue(claims, signing)];
    expect(twin).not.toBe(token);
    expect((await me(token)).status).toBe(200);
    await call("/auth/logout", { method: "POST", token });
    expect((await me(twin)).status).toBe(401);
  });

  it("may tell its times with fractions, and by a clock that is half a minute off", async () => {
    const now = Date.now() / 1000;
    for (const claims of [
      { exp: now + 600.25, iat: now - 0.75, nbf: now - 0.5 },
      { exp: now + 600, iat: now + 25.5, nbf: now + 25.5 },
      { exp: now - 25.5 },
    ]) {
      expect([claims, (await me(await issue({ sub: subject(), ...claims }))).status]).toEqual([claims, 200]);
    }
    expect((await me(await issue({ sub: subject(), exp: now - 40 }))).status).toBe(401);
    expect((await me(await issue({ sub: subject(), nbf: now + 40 }))).status).toBe(401);
  });

  it("in its last half minute opens a socket, and is dead after a logout then, too", async () => {
    const token = await issue({ sub: subject(), exp: Date.now() / 1000 - 5.5 });
    const socket = await openHub({ token });
    expect(socket.frames[0]?.type).toBe("connected");
    expect((await call("/auth/logout", { method: "POST", token })).status).toBe(200);
    expect((await socket.nextClose()).code).toBe(4001);
    await runCron(env, { waitUntil: () => {} });
    expect((await me(token)).status).toBe(401);
  });

  it.each<[string, Claims, Signing]>([
    ["another audience", { aud: "somebody-else" }, {}],
    ["an expired time", { exp: 1000 }, {}],
    ["a time before it is valid", { nbf: Math.floor(Date.now() / 1000) + 3600 }, {}],
    ["no subject", { sub: undefined }, {}],
    ["no end", { exp: undefined }, {}],
    ["a key that is not published", {}, { header: { kid: "idp-2" } }],
    [
      "a symmetric algorithm",
      {},
      { header: { alg: "HS256" }, key: new TextEncoder().encode("test-only-secret-of-at-least-32-bytes") },
    ],
  ])("is refused with %s", async (_name, claims, signing) => {
    const token = await issue({ sub: subject(), ...claims }, signing);
    expect((await me(token)).status).toBe(401);
    expect((await (await openSocket(`/ws?token=${token}`)).nextClose()).code).toBe(4001);
  });

  it("is refused when somebody else signed it, and the public key is no secret to sign with", async () => {
    const other = await generateKeyPair("RS256");
    expect((await me(await issue({ sub: subject() }, { key: other.privateKey }))).status).toBe(401);
    const jwk = await exportJWK(keys.publicKey);
    const confused = await issue(
      { sub: subject() },
      { header: { alg: "HS256" }, key: new TextEncoder().encode(JSON.stringify(jwk)) },
    );
    expect((await me(confused)).status).toBe(401);
  });

  it("does not make us ask for the keys each time, nor for every unknown one", async () => {
    await me(await issue({ sub: subject() }));
    const before = fetches;
    for (let n = 0; n < 5; n += 1) {
      expect((await me(await issue({ sub: subject() }))).status).toBe(200);
      expect((await me(await issue({ sub: subject() }, { header: { kid: `unknown-${n}` } }))).status).toBe(401);
    }
    expect(fetches).toBe(before);
  });
});

describe("rotating our own key", () => {
  const settings = (key: string) =>
    config({ JWT_SECRET_KEY: key, ENVIRONMENT: "development", PASSWORD_SCRYPT_LOG_N: "8" });

  it("leaves tokens of the key before valid, and signs with the new one", async () => {
    const user = await mintUser();
    const { sid, sub } = decodeJwt(user.token);
    const session = { userId: Number(sub), sessionId: String(sid), now: new Date() };
    const old = await signToken(settings("the-key-before-of-at-least-32-bytes"), session);
    expect(decodeProtectedHeader(old.token).kid).not.toBe(decodeProtectedHeader(user.token).kid);
    expect((await me(old.token)).status).toBe(200);
    const { body } = await call("/auth/refresh", { method: "POST", token: old.token });
    expect(decodeProtectedHeader(body.token).kid).toBe(decodeProtectedHeader(user.token).kid);
    const older = await signToken(settings("a-key-that-was-rotated-out-long-ago"), session);
    expect((await me(older.token)).status).toBe(401);
  });
});
