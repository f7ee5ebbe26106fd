/** What is wrong with a request is told to who sent it, field by field, with the status that fits; never 500. */
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { describe, expect, it } from "vitest";
import type { HttpEnv } from "../src/http/env.ts";
import { answerFailure } from "../src/http/failures.ts";
import { isNestedTooDeep, isTooDeep } from "../src/json-depth.ts";
import { mintAdmin } from "./support/admin.ts";
import { call, mintUser, ORIGIN, worker } from "./support/api.ts";
import { mintGroup } from "./support/rooms.ts";
import { openHub } from "./support/socket.ts";

const nested = (depth: number, open = "[", close = "]") => open.repeat(depth) + close.repeat(depth);

describe("nesting", () => {
  it("is counted outside of strings alone", () => {
    expect(isTooDeep(nested(64))).toBe(false);
    expect(isTooDeep(nested(65))).toBe(true);
    expect(isTooDeep(nested(65, '{"a":', "}"))).toBe(true);
    expect(isTooDeep(JSON.stringify({ text: `${"[".repeat(100)}\\"${"{".repeat(100)}` }))).toBe(false);
    expect(isTooDeep(`[${'"[",'.repeat(100)}1]`)).toBe(false);
    expect(isTooDeep(`[${"[],".repeat(100)}1]`)).toBe(false);
  });

  it.each([63, 64, 65, 100_000])("of a value that was parsed already is counted alike: %i", (depth) => {
    expect(isNestedTooDeep(JSON.parse(nested(depth)))).toBe(depth > 64);
    expect(isNestedTooDeep(JSON.parse(`{"a":[1,${nested(depth - 2)}],"b":"${"[".repeat(100)}"}`))).toBe(depth > 64);
  });

  it("beyond 64 is a bad frame: it is answered, and the socket lives", async () => {
    const socket = await openHub(await mintUser("ann"));
    for (const depth of [65, 20_000]) {
      socket.send(`{"id":1,"type":"notification:mark_seen","data":${nested(depth)}}`);
      expect((await socket.next("error")).error?.code).toBe("INVALID_MESSAGE");
    }
    expect(await socket.ask("notification:mark_seen", {})).toMatchObject({ type: "ack" });
  });

  it("beyond 64 is 400, wherever a body goes", async () => {
    const { roomId, people } = await mintGroup("ann", "bob");
    const [ann, bob] = people;
    const paths: [method: string, path: string][] = [
      ["POST", "/messages"],
      ["POST", `/rooms/${roomId}/messages`],
      ["PATCH", "/auth/me"],
      ["POST", "/videos"],
      ["POST", "/streams"],
      ["POST", "/webrtc/sessions"],
      ["POST", "/vod/upload"],
      ["POST", "/files/move"],
    ];
    for (const [method, path] of paths) {
      for (const depth of [65, 5000, 100_000]) {
        const body = `{"content":"hi","receiverId":${bob?.id},"more":${nested(depth)}}`;
        const headers = { "Content-Type": "application/json" };
        const answer = await call(path, { method, token: ann?.token, body, headers });
        expect([path, depth, answer.status]).toEqual([path, depth, 400]);
      }
    }
  });
});

describe("a body", () => {
  it("without a Content-Type is the client's mistake, if it is one", async () => {
    const ann = await mintUser("ann");
    const body = new TextEncoder().encode('{"displayName":"x"}');
    const { status } = await call("/auth/me", { method: "PATCH", token: ann.token, body });
    expect([200, 415]).toContain(status);
  });
});

describe("one entry of details for each bad field", () => {
  it("names the field, and the first thing that is wrong with it", async () => {
    const answer = await call("/auth/register", {
      method: "POST",
      body: {
        username: "\u200b",
        email: "no",
        password: "x",
        displayName: "\u200b".repeat(2000),
        fullName: "y".repeat(900),
      },
    });
    expect(answer.status).toBe(400);
    const paths = answer.body.error.details.map(({ path }: { path: string }) => path);
    expect(paths.toSorted()).toEqual(["displayName", "email", "fullName", "password", "username"]);
  });
});

describe("an id", () => {
  it.each([true, [3], "3.0", " 3 ", "0x3", "3e0", 3.5, -3, 0, null, {}])("is not made of %j", async (id) => {
    const [root, ann] = [await mintAdmin(), await mintUser("ann")];
    const bodies: [path: string, body: object][] = [
      ["/messages", { receiverId: id, content: "hi" }],
      ["/comments", { videoId: id, content: "hi" }],
      ["/friends", { friendId: id }],
      ["/reports", { targetType: "user", targetId: id, reason: "spam" }],
      ["/admin/videos/bulk-delete", { video_ids: [id], reason: "spam" }],
      ["/admin/reports/bulk-resolve", { report_ids: [id], result: "done" }],
    ];
    for (const [path, body] of bodies) {
      const { token } = path.startsWith("/admin") ? root : ann;
      // Where a user is meant, text is somebody's name (SPEC 14), and here nobody's.
      const status = typeof id === "string" && ["/messages", "/friends", "/reports"].includes(path) ? 404 : 400;
      expect([path, (await call(path, { method: "POST", token, body })).status]).toEqual([path, status]);
    }
  });

  it.each(["1.0", "01", "1e1", "0x1", "+1", "%201", "1%2C2", "true", "9".repeat(17)])(
    "in a path is not %s",
    async (id) => {
      expect((await call(`/videos/${id}`)).status).toBe(400);
    },
  );
});

describe("a failure of Hono's own", () => {
  const app = new Hono<HttpEnv>().onError(answerFailure);
  const CODES = [
    [400, "INVALID_REQUEST"],
    [401, "UNAUTHORIZED"],
    [403, "FORBIDDEN"],
    [404, "NOT_FOUND"],
    [405, "INVALID_REQUEST"],
    [408, "INVALID_REQUEST"],
    [413, "PAYLOAD_TOO_LARGE"],
    [415, "UNSUPPORTED_MEDIA_TYPE"],
    [429, "RATE_LIMIT"],
  ] as const;
  const statuses = [...CODES.map(([status]) => status), 503 as const];
  for (const status of statuses) {
    app.get(`/${status}`, () => {
      throw new HTTPException(status, { message: "said by Hono" });
    });
  }

  it.each(CODES)("keeps its status %i", async (status, code) => {
    const answer = await app.request(`/${status}`);
    expect([answer.status, (await answer.json<{ error: { code: string } }>()).error.code]).toEqual([status, code]);
  });

  it("on our side says nothing of what happened", async () => {
    const answer = await app.request("/503");
    expect([answer.status, await answer.text()]).toEqual([503, expect.not.stringContaining("said by Hono")]);
  });
});

describe("a token", () => {
  it("is another one each time, also within a second", async () => {
    const ann = await mintUser("ann");
    const tokens = await Promise.all(
      Array.from(
        { length: 5 },
        async () => (await call("/auth/refresh", { method: "POST", token: ann.token })).body.token,
      ),
    );
    expect(new Set([...tokens, ann.token]).size).toBe(6);
    for (const token of tokens) expect((await call("/auth/me", { token })).status).toBe(200);
  });
});

describe("odd addresses", () => {
  it.each([
    "/users/%E0%A4%A",
    "/files/view/%ff/%fe.png",
    "/files/info/a/%00",
    "/users?search=%E0%A4%A",
    "/users?page=1&page=2",
    "/vod?from=yesterday",
    "/vod?from=275760-09-13",
    "/notifications?before=9007199254740993",
    "/files/download/general/a.png?expires=%F0%9F%98%80&signature=%00",
    "//streams?status=%00",
  ])("%s are no failure of ours", async (path) => {
    const ann = await mintUser("ann");
    expect((await call(path, { token: ann.token })).status).toBeLessThan(500);
    const url = path.startsWith("//") ? `${ORIGIN}${path.slice(1)}` : `${ORIGIN}/api/v1${path}`;
    expect((await worker.fetch(url, { method: "HEAD" })).status).toBeLessThan(500);
  });
});
