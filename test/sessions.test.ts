/** Sessions: where one is signed in, and ending that elsewhere (SPEC 13). */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, costOf, mintUser, type TestUser } from "./support/api.ts";
import { passTime } from "./support/clock.ts";
import { openHub } from "./support/socket.ts";

const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0";
const SAFARI =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1";
const EDGE =
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0";

const signIn = async (user: TestUser, userAgent: string): Promise<string> => {
  const { body } = await call("/auth/login", {
    method: "POST",
    body: { username: user.username, password: user.password },
    headers: { "CF-Connecting-IP": user.address, "User-Agent": userAgent },
  });
  return body.token;
};

const list = async (token: string) => (await call("/auth/sessions", { token })).body.sessions;

describe("the list of sessions", () => {
  it("says of each where it is, when it was used, and which one asks; and shows nobody else's", async () => {
    const [user, stranger] = [await mintUser(), await mintUser()];
    const token = await signIn(user, FIREFOX);
    await signIn(user, SAFARI);
    await signIn(user, EDGE);
    await signIn(user, "<img onerror=alert(1)>");
    const sessions = await list(token);
    expect(sessions.map(({ device }: { device: string | null }) => device).sort()).toEqual(
      ["Edge on Mac", "Firefox on Windows", "Safari on iPhone", null, null].sort(),
    );
    const mine = sessions.filter(({ isCurrent }: { isCurrent: boolean }) => isCurrent);
    expect(mine).toHaveLength(1);
    expect(mine[0]).toMatchObject({ device: "Firefox on Windows", address: user.address });
    expect(Date.parse(mine[0].lastUsedAt)).toBeGreaterThan(Date.now() - 60_000);
    expect(await list(stranger.token)).toHaveLength(1);
    expect((await call("/auth/sessions")).status).toBe(401);
  });

  it("notes a use once an hour, and a call in between costs what it did", async () => {
    const user = await mintUser();
    const [before] = await list(user.token);
    const writes = async () => costOf(await call("/auth/me", { token: user.token })).d1_rows_written;
    expect(await writes()).toBe(0);
    passTime(3601);
    // Midnight may have passed as well: "active today" is a row of its own.
    expect(await writes()).toBeGreaterThan(0);
    expect(await writes()).toBe(0);
    const [after] = await list(user.token);
    expect(Date.parse(after.lastUsedAt) - Date.parse(before.lastUsedAt)).toBeGreaterThanOrEqual(3_600_000);
    expect(after.createdAt).toBe(before.createdAt);
  });
});

describe("a revoked session", () => {
  it("is dead from the next request on, its sockets close with 4001, and no other's do", async () => {
    const user = await mintUser();
    const other = await signIn(user, FIREFOX);
    const [mine, theirs] = [await openHub(user), await openHub({ token: other })];
    const { body } = await call("/auth/ws-ticket", { method: "POST", token: other });
    const listed = await list(user.token);
    const { id } = listed.find(({ isCurrent }: { isCurrent: boolean }) => !isCurrent);
    expect((await call(`/auth/sessions/${id}`, { method: "DELETE", token: user.token })).status).toBe(200);
    expect((await theirs.nextClose()).code).toBe(4001);
    expect((await call("/auth/me", { token: other })).status).toBe(401);
    const tickets = await env.DB.prepare("SELECT 1 FROM socket_tickets WHERE session_id = ?").bind(id).all();
    expect([body.ticket, tickets.results]).toEqual([expect.any(String), []]);
    await mine.expectNothing("error");
    expect(mine.closed).toBeUndefined();
    expect(await list(user.token)).toHaveLength(1);
  });

  it("is nobody's but its user's", async () => {
    const [user, thief] = [await mintUser(), await mintUser()];
    const [{ id }] = await list(user.token);
    const remove = (token?: string) => call(`/auth/sessions/${id}`, { method: "DELETE", token });
    expect((await remove(thief.token)).status).toBe(404);
    expect((await remove()).status).toBe(401);
    expect((await call("/auth/me", { token: user.token })).status).toBe(200);
    expect((await remove(user.token)).status).toBe(200);
    expect((await call("/auth/me", { token: user.token })).status).toBe(401);
  });

  it("is each of the others at once, and this one stays", async () => {
    const user = await mintUser();
    const others = [await signIn(user, FIREFOX), await signIn(user, SAFARI)];
    const [mine, theirs] = [await openHub(user), await openHub({ token: others[0] ?? "" })];
    const answer = await call("/auth/sessions/revoke-others", { method: "POST", token: user.token });
    expect(answer.body).toEqual({ success: true, message: "All other sessions ended" });
    expect((await theirs.nextClose()).code).toBe(4001);
    for (const token of others) expect((await call("/auth/me", { token })).status).toBe(401);
    await mine.expectNothing("error");
    expect((await list(user.token)).map(({ isCurrent }: { isCurrent: boolean }) => isCurrent)).toEqual([true]);
  });
});
