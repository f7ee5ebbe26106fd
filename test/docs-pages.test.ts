/**
 * What the pages say holds: commands can be typed, every call of ours is made (one may be followed by `# 404`, where that is
 * what it shows), what they name is there, tables of settings and scopes are the code's, and calls cost what docs/costs.md says.
 */
import { beforeAll, describe, expect, it } from "vitest";
import costs from "../docs/costs.md?raw";
import protocol from "../docs/protocol.md?raw";
import serverApi from "../docs/server-api.md?raw";
import webhooks from "../docs/webhooks.md?raw";
import readme from "../README.md?raw";
import { app } from "../src/app.ts";
import { config, SETTING_NAMES } from "../src/config.ts";
import { SOCKETS } from "../src/contract.ts";
import { WebhookEvent } from "../src/features/webhooks/event-contract.ts";
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
  import.meta.glob<string>(["/README.md", "/docs/*.md", "/{packages,examples,ops,bench}/*/README.md"], {
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
  const variables: Record<string, string> = {
    API: `${ORIGIN}/api/v1`,
    1: "demo",
    WEBHOOK_SECRET,
    DOMAIN: "chat.example.com",
  };

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

describe("what pages name", () => {
  /** `/users/:id`, `/users/{id}` and `/users/<id>` are one path. */
  const plain = (path: string): string => path.replace("/api/v1", "").replace(/:\w+(\{[^}]*\})?|\{\w+\}|<\w+>/g, "{}");

  it("as a call is one", () => {
    const routes = new Set(app.routes.map(({ method, path }) => `${method} ${plain(path)}`));
    // Steps of docs/extending.md make routes; docs/from-pusher.md names Pusher's own.
    const pages = PAGES.filter(({ page }) => !/extending|from-pusher/.test(page));
    const named = pages.flatMap(({ page, text }) =>
      [...proseOf(text).matchAll(/`(GET|POST|PUT|PATCH|DELETE) (\/[^`\s?]*)/g)].map(([, method, path = ""]) => ({
        page,
        call: `${method} ${plain(path)}`,
      })),
    );
    expect(named.length).toBeGreaterThan(60);
    expect(named.filter(({ call }) => !routes.has(call))).toEqual([]);
  });

  it("as sockets are all of them, and so are the events of webhooks", () => {
    const paths = Object.keys(SOCKETS);
    expect(paths.length).toBeGreaterThan(5);
    expect(paths.filter((path) => !protocol.includes(`\`${path}\``))).toEqual([]);
    const table = webhooks.match(/^\| `\w+:.*$/gm)?.join("\n") ?? "";
    const events = [...table.matchAll(/`(\w+\.\w+)`/g)].map(([, name = ""]) => name);
    // An endpoint's own, which the page has where it is asked for.
    const real = WebhookEvent.options.map(({ shape }) => shape.type.value).filter((name) => name !== "webhook.test");
    expect(events.sort()).toEqual(real.sort());
  });

  it("as a scope of keys opens what it says, and no more", async () => {
    const { paths } = (await call("/openapi.json")).body;
    const opened = Object.entries<Record<string, { "x-who": string }>>(paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, operation]) => {
        const [, scope] = operation["x-who"].split("key:");
        return scope === undefined ? [] : { scope, call: `${method.toUpperCase()} ${path}` };
      }),
    );
    const real = Object.fromEntries(
      Map.groupBy(opened, ({ scope }) => scope)
        .entries()
        .map(([scope, calls]) => [scope, calls.map(({ call: one }) => one)]),
    );
    const rows = [...serverApi.matchAll(/^\| `(\w+)` \| (`[A-Z]+ \/server\/.*) \|$/gm)];
    const page = Object.fromEntries(
      rows.map(([, scope = "", calls = ""]) => [scope, [...calls.matchAll(/`([^`]+)`/g)].map(([, one]) => one)]),
    );
    const sorted = (of: Record<string, unknown[]>) =>
      Object.fromEntries(Object.entries(of).map(([scope, calls]) => [scope, calls.toSorted()]));
    expect(sorted(page)).toEqual(sorted(real));
  });

  it("as a setting is one, with its default; and each is named in the README", () => {
    const table = [...readme.matchAll(/^\| (`[A-Z][^|]*)\|([^|]*)\|.*\|$/gm)].flatMap(
      ([, names = "", defaults = ""]) => {
        const each = defaults.trim().split(" / ");
        return [...names.matchAll(/`([A-Z_]+)`(?: \(([^)]+)\))?/g)].map(([, name = "", own], at) => ({
          name,
          fallback: own ?? each[at] ?? "",
        }));
      },
    );
    // wrangler.toml says the one; the other is for tests alone.
    const unnamed = ["ENVIRONMENT", "PASSWORD_SCRYPT_LOG_N"];
    expect([...table.map(({ name }) => name), ...unnamed].sort()).toEqual(SETTING_NAMES.toSorted());
    const real = new Map<string, unknown>(
      Object.entries(config({ ENVIRONMENT: "development", JWT_SECRET_KEY: "some-secret-of-at-least-32-bytes" })),
    );
    // Other defaults are said in words.
    const told = table.filter(({ fallback }) => /^(\d+|`[a-z]+\/?`)$/.test(fallback));
    expect(told.length).toBeGreaterThan(30);
    const wrong = told.filter(({ name, fallback }) => fallback.replaceAll("`", "") !== String(real.get(name)));
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

  it("is what the README sums up, but for two in a hundred", () => {
    const [, own = ""] = /^\| \*\*together\*\* \| [^|]* = ([\d.]+) \|/m.exec(costs) ?? [];
    const others = costs.matchAll(new RegExp(`\\| ${RegExp.escape(own)} \\+ [^=|]+ = ([\\d .]+) \\|$`, "gm"));
    const sums = [own, ...[...others].map(([, sum = ""]) => sum)].map(numberIn);
    const table = readme.matchAll(/^\| (?:no |the same, [^|]*|hibernation, [^|]*)[^|]*\| ([\d ]+) \|$/gm);
    const told = [...table].map(([, dollars = ""]) => numberIn(dollars));
    expect(told.length).toBe(4);
    expect(told.filter((dollars, at) => !(Math.abs(dollars / (sums[at] ?? 0) - 1) < 0.02))).toEqual([]);
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
