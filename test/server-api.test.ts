/** For products that have a backend (SPEC 12): keys, their people, tokens. */
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { SOCKETS } from "../src/contract.ts";
import { run } from "./support/admin.ts";
import { call, mintUser, ORIGIN, type TestUser, worker } from "./support/api.ts";
import { passTime } from "./support/clock.ts";
import { promote } from "./support/rooms.ts";
import { deedsOfKey, mintKey, mintOwn, serve, theAdmin } from "./support/server-api.ts";
import { callWith } from "./support/settings.ts";
import { freshExternalId, signShared } from "./support/shared.ts";
import { openHub, openSocket } from "./support/socket.ts";

const ALL = ["users", "tokens", "publish", "rooms", "read"];
let key: { id: string; key: string };
let ann: TestUser;
beforeAll(async () => {
  key = await mintKey(...ALL);
  ann = await mintUser("ann");
});

/** Every route of the contract, and who may call it. */
async function routesByWho(): Promise<{ path: string; method: string; who: string }[]> {
  const { paths } = (await call("/openapi.json")).body;
  return Object.entries<Record<string, Record<string, string>>>(paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, operation]) => operation["x-channel"] === undefined)
      .map(([method, operation]) => ({ path, method: method.toUpperCase(), who: operation["x-who"] ?? "" })),
  );
}
const isServers = ({ who }: { who: string }): boolean => who.startsWith("key:");

const me = (token: string) => call("/auth/me", { token });

describe("a key", () => {
  it("is shown once, kept hashed, listed without its secret, and dead from the request after its deletion on", async () => {
    const { token, id: adminId } = await theAdmin();
    const body = { name: "orders", scopes: ["users", "users"], expiresAt: new Date(Date.now() + 60_000).toISOString() };
    const made = await call("/admin/keys", { method: "POST", token, body });
    expect(made.status).toBe(201);
    const { id } = made.body;
    expect(made.body).toEqual({ id, name: "orders", scopes: ["users"], expiresAt: body.expiresAt, key: made.body.key });
    expect(made.body.key).toMatch(new RegExp(`^rc_${id}_[\\w-]{32}$`));
    const [row] = await run("SELECT * FROM server_keys WHERE id = ?", id);
    expect(JSON.stringify(row)).not.toContain(made.body.key.split("_").slice(2).join("_"));
    const own = { key: made.body.key };
    expect((await serve(own, "GET", "/users/nobody")).status).toBe(404);
    const listed = await call("/admin/keys", { token });
    expect(listed.body.keys.find((one: { id: string }) => one.id === id)).toMatchObject({
      createdBy: adminId,
      name: "orders",
    });
    expect(JSON.stringify(listed.body)).not.toMatch(/"(key|hash)"/);
    expect((await call(`/admin/keys/${id}`, { method: "DELETE", token })).status).toBe(200);
    expect((await serve(own, "GET", "/users/nobody")).status).toBe(401);
    expect((await call(`/admin/keys/${id}`, { method: "DELETE", token })).status).toBe(404);
    const entries = await call(`/admin/audit?targetType=key&targetId=${id}`, { token });
    expect(entries.body.entries.map(({ action }: { action: string }) => action)).toEqual(["delete", "create"]);
  });

  it("is found by its name and by what it begins with, by status, and on pages; who asks for no page gets all", async () => {
    const { token } = await theAdmin();
    const mark = crypto.randomUUID().slice(0, 8);
    const make = async (name: string, more: object = {}) =>
      (await call("/admin/keys", { method: "POST", token, body: { name, scopes: ["read"], ...more } })).body.id;
    const first = await make(`ÜBER ${mark}`, { expiresAt: new Date(Date.now() + 30_000).toISOString() });
    for (let more = 0; more < 20; more += 1) await make(`shop ${mark}`);
    const list = async (query: string) => (await call(`/admin/keys?${query}`, { token })).body;
    const ids = ({ keys }: { keys: { id: string }[] }) => keys.map(({ id }) => id);
    for (const text of [`über ${mark}`, `rc_${first}`, first.slice(3).toUpperCase()]) {
      const found = await list(`search=${encodeURIComponent(text)}`);
      expect([ids(found), found.pagination.total], text).toEqual([[first], 1]);
    }
    const page = await list(`search=${mark}&limit=20&page=2`);
    expect([ids(page), page.pagination]).toEqual([[first], { page: 2, limit: 20, total: 21, pages: 2 }]);
    expect((await list("search=%25")).keys).toEqual([]);
    const whole = await list("");
    expect(whole.keys).toHaveLength(whole.pagination.total);
    expect(whole.keys.length).toBeGreaterThan(20);
    passTime(31);
    expect(ids(await list(`search=${mark}&status=expired`))).toEqual([first]);
    expect(ids(await list(`search=${mark}&status=active`))).toHaveLength(20);
    for (const wrong of ["status=odd", "limit=101", "page=0"]) {
      expect((await call(`/admin/keys?${wrong}`, { token })).status, wrong).toBe(400);
    }
  });

  it("needs a name, scopes that there are, and an end that is to come", async () => {
    const { token } = await theAdmin();
    const make = (body: object) => call("/admin/keys", { method: "POST", token, body });
    const good = { name: "orders", scopes: ["read"] };
    for (const wrong of [
      { name: "" },
      { scopes: [] },
      { scopes: ["everything"] },
      { expiresAt: "2020-01-01T00:00:00.000Z" },
    ]) {
      expect(await make({ ...good, ...wrong })).toMatchObject({
        status: 400,
        body: { error: { code: "INVALID_REQUEST" } },
      });
    }
    const method = "POST";
    expect((await call("/admin/keys", { method, token: ann.token, body: good })).status).toBe(403);
    expect((await call("/admin/keys", { method, body: good })).status).toBe(401);
  });

  it("is good until its end", async () => {
    const { token } = await theAdmin();
    const body = { name: "short", scopes: ["users"], expiresAt: new Date(Date.now() + 30_000).toISOString() };
    const made = await call("/admin/keys", { method: "POST", token, body });
    expect((await serve(made.body, "GET", "/users/nobody")).status).toBe(404);
    passTime(31);
    expect((await serve(made.body, "GET", "/users/nobody")).status).toBe(401);
  });

  it("of another secret, another id, another form, or in the address instead of the header is none", async () => {
    const [rc, id, ...secret] = key.key.split("_");
    const other = (await mintKey("users")).id;
    const wrong = [
      `${rc}_${id}_${"x".repeat(32)}`,
      `${rc}_${other}_${secret.join("_")}`,
      "rc_",
      "rc_1_2",
      `${key.key}x`,
    ];
    for (const credential of wrong) expect((await serve({ key: credential }, "GET", "/users/nobody")).status).toBe(401);
    expect((await call(`/server/users/nobody?token=${key.key}`)).status).toBe(403);
    expect((await call("/server/users/nobody")).status).toBe(401);
    expect((await call("/server/users/nobody", { token: "junk" })).status).toBe(401);
  });

  it("opens no user's and no admin's door, and no socket; a user's token, also an admin's, none of a server's: 403", async () => {
    const { token: admins } = await theAdmin();
    const routes = await routesByWho();
    expect(routes.filter(isServers).length).toBeGreaterThan(10);
    for (const { method, path, who } of routes.filter(({ path }) => !path.startsWith("/webhook/"))) {
      const tokens = who.startsWith("key:") ? [ann.token, admins] : [key.key];
      for (const token of tokens) {
        expect([method, path, (await call(path.replace(/\{\w+\}/g, "1"), { method, token })).status]).toEqual([
          method,
          path,
          403,
        ]);
      }
    }
    for (const path of Object.keys(SOCKETS)) {
      const socket = await openSocket(`${path.replace(/\{\w+\}/g, "1")}?token=${key.key}`);
      expect([path, (await socket.nextClose()).code]).toEqual([path, 4003]);
    }
  });

  it("reaches what its scopes name, and nothing else", async () => {
    const servers = (await routesByWho()).filter(isServers);
    for (const scope of ALL) {
      const narrow = await mintKey(scope);
      for (const { path, method, who } of servers) {
        const { status, body } = await call(path.replace(/\{\w+\}/g, "1"), { method, token: narrow.key });
        const isRefused = status === 403 && /has no scope/.test(JSON.stringify(body));
        expect([scope, method, path, isRefused]).toEqual([scope, method, path, who !== `key:${scope}`]);
      }
    }
  });

  it("belongs into no page: a call with an Origin is refused, and no answer has a CORS header", async () => {
    for (const init of [{ method: "OPTIONS" }, { method: "GET" }, { method: "PUT" }]) {
      const headers = { Origin: ORIGIN, Authorization: `Bearer ${key.key}`, "Access-Control-Request-Method": "PUT" };
      const answer = await worker.fetch(`${ORIGIN}/api/v1/server/users/x`, { ...init, headers });
      expect([init.method, answer.status]).toEqual([init.method, 403]);
      expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
    const plain = await serve(key, "GET", "/users/nobody");
    expect([...plain.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  it("has a limit of its own, and its last use is written at most once an hour", async () => {
    const [one, other] = [await mintKey("users"), await mintKey("users")];
    const settings = { RATE_LIMIT_SERVER_API: "2" };
    const ask = ({ key: token }: { key: string }) => callWith(settings, "/server/users/nobody", { token });
    expect([(await ask(one)).status, (await ask(one)).status, (await ask(one)).status]).toEqual([404, 404, 429]);
    expect((await ask(other)).status).toBe(404);
    const usedAt = async () =>
      (await run<{ at: number }>("SELECT last_used_at AS at FROM server_keys WHERE id = ?", one.id))[0]?.at;
    const first = await usedAt();
    expect(first).toBeGreaterThan(0);
    passTime(1800);
    await ask(one);
    expect(await usedAt()).toBe(first);
    passTime(1900);
    await ask(one);
    expect(await usedAt()).toBeGreaterThan(first ?? 0);
  });
});

describe("a user of the product's own", () => {
  it("is made on first sight, updated after that, read and erased; each change is recorded by the key, and no repetition", async () => {
    const own = await mintKey("users");
    const externalId = `Ünï/… ${freshExternalId()} <b>`;
    const path = `/users/${encodeURIComponent(externalId)}`;
    const username = `own_${freshExternalId().slice(4, 12)}`;
    const made = await serve(own, "PUT", path, { username, displayName: "Zoë", email: `${username}@example.org` });
    expect(made.status).toBe(201);
    const { id } = made.body;
    expect(made.body).toMatchObject({ externalId, username, displayName: "Zoë", email: `${username}@example.org` });
    expect((await serve(own, "PUT", path, { displayName: "Zoë" })).status).toBe(200);
    expect((await serve(own, "PUT", path, {})).body).toEqual((await serve(own, "GET", path)).body);
    expect(await deedsOfKey(own)).toEqual([`create user ${id}`]);
    const changed = await serve(own, "PUT", path, { display_name: "Zoe", avatarUrl: "https://example.org/z.png" });
    expect(changed).toMatchObject({
      status: 200,
      body: { id, username, displayName: "Zoe", avatarUrl: "https://example.org/z.png" },
    });
    expect((await serve(own, "GET", path)).body).toEqual(changed.body);
    expect((await serve(own, "DELETE", path)).status).toBe(200);
    expect((await serve(own, "GET", path)).status).toBe(404);
    expect((await serve(own, "DELETE", path)).status).toBe(404);
    expect(await deedsOfKey(own)).toEqual([`create user ${id}`, `update user ${id}`, `delete user ${id}`]);
    const entry = (await call(`/admin/audit?keyId=${own.id}`, { token: (await theAdmin()).token })).body.entries[0];
    expect(entry).toMatchObject({ adminId: null, keyId: own.id, adminUsername: "backend users", action: "delete" });
  });

  it("of twenty calls at once is one", async () => {
    const path = `/users/${freshExternalId()}`;
    const answers = await Promise.all(Array.from({ length: 20 }, () => serve(key, "PUT", path, { displayName: "Bo" })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  });

  it("takes no name and no email that somebody has: 409, and nothing is made or changed", async () => {
    const path = `/users/${freshExternalId()}`;
    expect((await serve(key, "PUT", path, { username: ann.username.toUpperCase() })).status).toBe(409);
    expect((await serve(key, "GET", path)).status).toBe(404);
    await serve(key, "PUT", path, { displayName: "Cy" });
    const taken = { email: ann.email, displayName: "other" };
    expect((await serve(key, "PUT", path, taken)).status).toBe(409);
    expect((await serve(key, "GET", path)).body).toMatchObject({ displayName: "Cy", email: null });
    expect((await serve(key, "PUT", path, { username: "no spaces allowed" })).status).toBe(400);
    expect((await serve(key, "PUT", `/users/${"x".repeat(256)}`, {})).status).toBe(400);
  });

  it("is the account that the backend's own tokens sign in, and the other way round", async () => {
    const sub = freshExternalId();
    const { id } = (await me(await signShared({ sub }))).body;
    expect((await serve(key, "PUT", `/users/${sub}`, { displayName: "Di" })).body).toMatchObject({
      id,
      displayName: "Di",
    });
    const { externalId, id: made } = await mintOwn(key);
    expect((await me(await signShared({ sub: externalId }))).body.id).toBe(made);
  });

  it("once erased is unknown to old tokens until the backend makes them anew, as somebody new", async () => {
    const { externalId, id, token } = await mintOwn(key);
    const socket = await openHub({ token });
    await serve(key, "DELETE", `/users/${externalId}`);
    expect(await socket.nextClose()).toEqual({ code: 4003, reason: "Account deleted" });
    const shared = await signShared({ sub: externalId });
    expect([(await me(token)).status, (await me(shared)).status]).toEqual([401, 401]);
    expect((await serve(key, "POST", "/tokens", { externalId })).status).toBe(404);
    const anew = await serve(key, "PUT", `/users/${externalId}`, {});
    expect(anew.status).toBe(201);
    expect(anew.body.id).not.toBe(id);
    expect((await me(shared)).body.id).toBe(anew.body.id);
    expect((await me(token)).status).toBe(401);
  });
});

describe("a token by the product's backend", () => {
  it("signs in who was made by it, by either name, for as long as was asked, and is recorded", async () => {
    const own = await mintKey("users", "tokens");
    const { externalId, id, token } = await mintOwn(own);
    expect((await me(token)).body).toMatchObject({ id, role: "user" });
    expect(await deedsOfKey(own)).toEqual([`create user ${id}`, `token user ${id}`]);
    const short = await serve(own, "POST", "/tokens", { userId: id, expiresInSeconds: 60 });
    expect((await me(String(short.body.token))).status).toBe(200);
    passTime(61);
    expect((await me(String(short.body.token))).status).toBe(401);
    expect((await me(token)).status).toBe(200);
    expect((await serve(own, "POST", "/tokens", { external_id: externalId })).status).toBe(200);
    for (const wrong of [{}, { externalId, userId: id }, { externalId, expiresInSeconds: 0 }]) {
      expect((await serve(own, "POST", "/tokens", wrong)).status).toBe(400);
    }
  });

  it("is for nobody who came in by another door, nobody with power, nobody banned: 403", async () => {
    const tokenFor = async (whom: object) => (await serve(key, "POST", "/tokens", whom)).status;
    expect(await tokenFor({ userId: ann.id })).toBe(403);
    expect(await tokenFor({ userId: (await theAdmin()).id })).toBe(403);
    expect(await tokenFor({ externalId: "nobody" })).toBe(404);
    const raised = await mintOwn(key);
    await promote(env.DB, raised, "moderator");
    expect(await tokenFor({ externalId: raised.externalId })).toBe(403);
    for (const [method, body] of [["PUT", { displayName: "x" }], ["GET"], ["DELETE"]] as const) {
      expect((await serve(key, method, `/users/${raised.externalId}`, body)).status).toBe(403);
    }
    const banned = await mintOwn(key);
    const { token } = await theAdmin();
    await call(`/admin/users/${banned.id}/ban`, { method: "POST", token, body: { reason: "spam" } });
    expect(await tokenFor({ externalId: banned.externalId })).toBe(403);
  });
});
