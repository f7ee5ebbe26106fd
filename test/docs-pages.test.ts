/**
 * What the pages say holds: commands can be typed, every call of ours is made (one may be followed by `# 404`, where that is
 * what it shows), and calls cost what docs/costs.md says.
 */
import { beforeAll, describe, expect, it } from "vitest";
import costs from "../docs/costs.md?raw";
import { mintAdmin } from "./support/admin.ts";
import { type Answer, call, costOf, mintUser, ORIGIN } from "./support/api.ts";
import { uploadNamed } from "./support/files.ts";
import { mintStream, WEBHOOK_SECRET } from "./support/media.ts";
import { curlCall, httpCall, isOurs, type PageCall, perform } from "./support/page-calls.ts";
import { programOf, wrongIn } from "./support/page-commands.ts";
import { type Block, blocksOf, proseOf } from "./support/pages.ts";
import { mintThree } from "./support/rooms.ts";
import { mintKey } from "./support/server-api.ts";
import { commandsIn } from "./support/shell.ts";
import { mintVideo } from "./support/social.ts";

const PAGES = Object.entries(
  import.meta.glob<string>(["/README.md", "/docs/*.md", "/packages/*/README.md"], {
    query: "?raw",
    import: "default",
    eager: true,
  }),
).map(([path, text]) => ({ page: path.slice(1), text }));

const blocks = PAGES.flatMap(({ page, text }) => blocksOf(page, text));
const isShell = ({ language }: Block): boolean => language === "sh" || language === "bash";
const isCalling = (block: Block): boolean => isShell(block) || block.language === "http";

describe("commands", () => {
  it("in blocks can be typed", () => {
    const shells = blocks.filter(isShell);
    expect(shells.length).toBeGreaterThan(15);
    const wrong = shells.flatMap(({ page, line, code }) =>
      wrongIn(code).map((one) => `${page}:${line + one.line - 1}: ${one.why}`),
    );
    expect(wrong).toEqual([]);
  });

  it("in sentences can be typed", () => {
    const sentences = PAGES.flatMap(({ page, text }) =>
      proseOf(text)
        .split("\n")
        .flatMap((line, at) =>
          [...line.matchAll(/`(npm (?:run \S|start|test)[^`]*)`/g)].map(([, code = ""]) => ({
            page,
            line: at + 1,
            code,
          })),
        ),
    );
    expect(sentences.length).toBeGreaterThan(15);
    const wrong = sentences.flatMap(({ page, line, code }) =>
      wrongIn(code).map(({ why }) => `${page}:${line}: ${why}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe("calls", () => {
  const variables: Record<string, string> = { API: `${ORIGIN}/api/v1`, 1: "demo", WEBHOOK_SECRET };

  beforeAll(async () => {
    const register = async (username: string) => {
      const account = { username, password: "demo-password", email: `${username}@example.com` };
      return (await call("/auth/register", { method: "POST", body: account })).body;
    };
    const [demo, friend, caster] = [await register("demo"), await register("friend"), await mintUser("caster")];
    const { key } = await mintKey("users", "tokens", "publish", "rooms", "read");
    await call("/server/users/seller-3", { method: "PUT", token: key, body: {} });
    const [stream, other] = [await mintStream({ ...caster, token: demo.token }), await mintStream(caster)];
    const file = await uploadNamed({ ...caster, token: demo.token }, "fixture.pdf");
    Object.assign(variables, {
      TOKEN: demo.token,
      DEMO: demo.token,
      FRIEND: friend.token,
      FRIEND_ID: String(friend.user.id),
      ADMIN: (await mintAdmin()).token,
      KEY: key,
      STREAM: String(stream.id),
      STREAM_KEY: other.streamKey,
      FOLDER: file.folder,
      FILE: file.name,
    });
  });

  type Made = { line: number; call: PageCall; wanted: number | undefined };

  const callsOf = (block: Block): Made[] => {
    if (block.language === "http") return [{ line: block.line, call: httpCall(block.code), wanted: undefined }];
    return commandsIn(block.code, variables)
      .filter((command) => programOf(command)[0] === "curl")
      .map((command) => ({
        line: block.line + command.line - 1,
        call: curlCall(programOf(command)),
        wanted: Number(/^\d{3}\b/.exec(command.comment)?.[0]) || undefined,
      }));
  };

  const pages = [...new Set(blocks.filter(isCalling).map(({ page }) => page))];

  it.each(pages)("of %s do what it says", async (page) => {
    const wrong: string[] = [];
    for (const block of blocks.filter((one) => one.page === page && isCalling(one))) {
      for (const { line, call: made, wanted } of callsOf(block).filter((one) => isOurs(one.call))) {
        const { status, text } = await perform(made);
        const isGood = wanted === undefined ? status < 400 : status === wanted;
        if (!isGood)
          wrong.push(`${page}:${line}: ${made.method} ${made.address} answered ${status}: ${text.slice(0, 300)}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe("docs/costs.md", () => {
  const numberIn = (text: string): number => Number(text.replace(/[ $]/g, ""));

  it("says what each call costs", async () => {
    const [{ roomId, ann, bob }, admin] = [await mintThree(), await mintAdmin()];
    const [video, key] = [await mintVideo(bob), await mintKey("publish")];
    const post = (path: string, body: object = {}, token = ann.token) => call(path, { method: "POST", token, body });
    const made: Record<string, () => Promise<Answer>> = {
      "GET /rooms": () => call("/rooms", { token: ann.token }),
      "GET /admin/stats/overview": () => call("/admin/stats/overview", { token: admin.token }),
      "POST /rooms/{id}/messages": () => post(`/rooms/${roomId}/messages`, { content: "Hi" }),
      "POST /messages": () => post("/messages", { receiverId: bob.id, content: "Hi" }),
      "POST /videos/{id}/like": () => post(`/videos/${video.id}/like`),
      "POST /videos/{id}/like, again": () => post(`/videos/${video.id}/like`),
      "POST /users/{id}/follow": () => post(`/users/${bob.id}/follow`),
      "POST /comments": () => post("/comments", { videoId: video.id, content: "Nice" }),
      "POST /server/publish to a topic": () =>
        post("/server/publish", { to: { topic: "news" }, type: "a:b", data: 1 }, key.key),
      "POST /auth/ws-ticket": () => post("/auth/ws-ticket"),
    };
    const said = [...costs.matchAll(/^\| `([^`]+)`([^|]*?) \| (\d+) \| (\d+) \| (\d+) \|/gm)];
    const page = Object.fromEntries(said.map(([, name, more, ...numbers]) => [`${name}${more}`, numbers.map(Number)]));
    const real: Record<string, (number | undefined)[]> = {};
    // The first message of a burst tells the database; what it costs is a burst's, not a message's.
    await made["POST /rooms/{id}/messages"]?.();
    for (const [name, act] of Object.entries(made)) {
      const { d1_queries, d1_rows_written, object_calls } = costOf(await act());
      real[name] = [d1_queries, d1_rows_written, object_calls];
    }
    expect(page).toEqual(real);
  });

  it("calculates right", () => {
    const sums = [...costs.matchAll(/((?:\$?\d[\d .]*? [×+] )+\$?\d[\d .]*?) = (\$?\d[\d .]*\d|\d)/g)];
    expect(sums.length).toBeGreaterThan(30);
    const wrong = sums.filter(([, left = "", right = ""]) => {
      const isProduct = left.includes("×");
      const parts = left.split(isProduct ? "×" : "+").map(numberIn);
      const result = isProduct ? parts.reduce((a, b) => a * b, 1) : parts.reduce((a, b) => a + b, 0);
      return Math.abs(result - numberIn(right)) > 0.006;
    });
    expect(wrong.map(([sum]) => sum)).toEqual([]);
  });
});
