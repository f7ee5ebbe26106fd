/** What one user may do over REST in a minute (SPEC 11): whatever it is, it counts together. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { app } from "../src/app.ts";
import { chargeCall } from "../src/auth/call-budgets.ts";
import { mintAdmin } from "./support/admin.ts";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { contextOf, spendAllBut } from "./support/call-budgets.ts";
import { passTime } from "./support/clock.ts";
import { openHub, openSocket } from "./support/socket.ts";

/** Every route's method and path that changes something, as the app has them. */
const writes = [
  ...new Set(
    app.routes
      .filter(({ method, path }) => !["ALL", "GET", "HEAD", "OPTIONS"].includes(method) && !path.includes("*"))
      .map(({ method, path }) => `${method} ${path}`),
  ),
];
/** What no user does: media servers, Socket.IO clients before sign-in, and products' backends have limits of their own. */
const NOBODYS = /^(POST (\/socket\.io|(\/api\/v1)?\/webhook\/)|\w+ \/api\/v1\/server\/)/;

const refusal = {
  status: 429,
  body: { error: { code: "RATE_LIMIT", message: "Over 300 writes a minute." } },
};

describe("the budget of writes", () => {
  it("is asked at every route that changes something, before anything else of the call is looked at", async () => {
    const admin = await mintAdmin();
    await spendAllBut(0, admin, "writes");
    const asked = writes.filter((line) => !NOBODYS.test(line));
    expect(asked.length).toBeGreaterThan(80);
    for (const line of asked) {
      const [method = "", path = ""] = line.split(" ");
      const answer = await call(`/${path.replace(/:\w+(\{[^}]*\})?/g, "1")}`, { method, token: admin.token });
      expect(answer, line).toMatchObject(refusal);
      expect(Number(answer.headers.get("Retry-After")), line).toBeGreaterThan(0);
    }
  });

  it("is one for all kinds of them, and reads are not counted", async () => {
    const ann = await mintUser("ann");
    await spendAllBut(2, ann, "writes");
    const act = (path: string, body: object) => call(path, { method: "POST", token: ann.token, body });
    expect((await act("/rooms", { name: "one", isGroup: true })).status).toBe(201);
    expect((await act("/comments", { videoId: "no id" })).status).toBe(400);
    expect(await act("/streams", {})).toMatchObject(refusal);
    expect(await act("/messages", {})).toMatchObject(refusal);
    expect((await call("/rooms", { token: ann.token })).status).toBe(200);
  });

  it("pays for what a socket makes by its first use, and lets in where nothing is made", async () => {
    const ann = await mintUser("ann");
    const doors = (name: string) => [
      `//ws/${name}/${ann.id}?token=${ann.token}`,
      `/chat/courses/${name}/ws?token=${ann.token}`,
      `/webrtc/sessions/${name}/ws?token=${ann.token}`,
    ];
    const [known, unknown] = [`first-${ann.id}`, `second-${ann.id}`];
    for (const door of doors(known)) await (await openSocket(door)).next("connected");
    await spendAllBut(3, ann, "writes");
    for (const door of doors(unknown)) expect((await (await openSocket(door)).nextClose()).code).toBe(4029);
    for (const door of doors(known)) await (await openSocket(door)).next("connected");
  });

  it("is each user's own, and whole again after a minute", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    await spendAllBut(0, ann, "writes");
    const make = (user: TestUser) => call("/streams", { method: "POST", token: user.token, body: {} });
    expect((await make(ann)).status).toBe(429);
    expect((await make(bob)).status).toBe(201);
    passTime(61);
    expect((await make(ann)).status).toBe(201);
  });

  it("lets no more than its limit through at once", async () => {
    const ann = await mintUser("ann");
    await spendAllBut(5, ann, "writes");
    const tries = Array.from({ length: 20 }, () => call("/streams", { method: "POST", token: ann.token, body: {} }));
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(5);
    expect(statuses.filter((status) => status === 429)).toHaveLength(15);
  });

  it("is counted by isolates, which tell the hub a twentieth of it at once, and hear what others have spent", async () => {
    const ann = await mintUser("ann");
    const hub = env.USER_HUB.getByName(String(ann.id));
    const act = () => chargeCall(contextOf(ann), "writes");
    for (let at = 0; at < 14; at += 1) await act();
    expect(await hub.countCalls("writes", 285, "")).toMatchObject({ left: 15 });
    await act();
    await expect.poll(() => hub.countCalls("writes", 0, "")).toMatchObject({ left: 0 });
    await expect(act()).rejects.toMatchObject({ code: "RATE_LIMIT" });
  });

  it("is not refilled by hibernation, and costs a row for twenty parts of it, or none beside a socket", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const [annsHub, bobsHub] = [ann, bob].map(({ id }) => env.USER_HUB.getByName(String(id)));
    if (!annsHub || !bobsHub) throw new Error("There are two.");
    await annsHub.countCalls("writes", 300, "");
    await evictDurableObject(annsHub);
    expect(await annsHub.countCalls("writes", 1, "")).toMatchObject({ left: -1 });
    await openHub(bob);
    await bobsHub.countCalls("writes", 100, "");
    const rows = await runInDurableObject(bobsHub, (_, { storage }) =>
      storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'budgets'").toArray(),
    );
    expect(rows).toEqual([]);
    await evictDurableObject(bobsHub);
    expect(await bobsHub.countCalls("writes", 200, "")).toMatchObject({ left: 0 });
  });
});

describe("the budget of searches", () => {
  it("is asked at every read that searches or counts, and is no other's", async () => {
    const ann = await mintUser("ann");
    await spendAllBut(0, ann, "searches");
    const read = (path: string) => call(path, { token: ann.token });
    for (const path of [
      "/users?search=a",
      "/rooms/1/messages/search?q=a",
      "/chat/courses/1/messages/search?q=a",
      "/chat/courses/1/messages/type/text",
      "/chat/courses/1/statistics",
      "/files/statistics",
      "/files/folder-size/general",
    ]) {
      const answer = await read(path);
      expect(answer, path).toMatchObject({ status: 429, body: { error: { code: "RATE_LIMIT" } } });
      expect(Number(answer.headers.get("Retry-After")), path).toBeGreaterThan(0);
    }
    expect((await read("/rooms")).status).toBe(200);
    expect((await call("/streams", { method: "POST", token: ann.token, body: {} })).status).toBe(201);
  });
});

describe("openapi.json", () => {
  it("says of every route that has a budget which one it is, and how it refuses", async () => {
    const { body } = await call("/openapi.json");
    for (const [path, operations] of Object.entries<Record<string, Record<string, unknown>>>(body.paths)) {
      for (const [method, operation] of Object.entries(operations)) {
        const isSearch = /\/(search|statistics|folder-size|type)\b/.test(path) || `${method} ${path}` === "get /users";
        const isServers = path.startsWith("/server/");
        const budget = isServers ? "server" : method !== "get" ? "writes" : isSearch ? "searches" : undefined;
        expect(operation["x-budget"], `${method} ${path}`).toBe(budget);
        if (budget) expect(operation.responses, `${method} ${path}`).toHaveProperty("429.headers.Retry-After");
      }
    }
  });
});
