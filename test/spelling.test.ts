/** The same call in another product's spelling (SPEC 14, "Names of keys"). Inputs come from the schemas. */
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { SOCKETS } from "../src/contract.ts";
import { alsoNamed, respell } from "../src/spelling.ts";
import { mintAdmin, run } from "./support/admin.ts";
import { call, mintUser } from "./support/api.ts";
import { type Declared, openFresh, ROUTES } from "./support/contract.ts";
import { picker, spelledOtherwise, validInput } from "./support/inputs.ts";
import { answerForOutside } from "./support/outside.ts";
import { mintGroup } from "./support/rooms.ts";
import { openSocket } from "./support/socket.ts";

const ROUNDS = 20;

beforeAll(answerForOutside);
// Beyond every number that an input may have: nobody here is whom they name.
beforeAll(async () => void (await run("INSERT INTO sqlite_sequence (name, seq) VALUES ('users', 1000)")));

const FRAMES: [name: string, schema: z.ZodType][] = Object.entries(SOCKETS).flatMap(([path, { commands }]) =>
  Object.entries(commands).map(([type, schema]): [string, z.ZodType] => [`${type} on ${path}`, schema]),
);

function expectSame(schema: z.ZodType, name: string): void {
  const pick = picker(name.length);
  for (let round = 0; round < ROUNDS; round++) {
    const input = validInput(schema, pick);
    const other = respell(schema, spelledOtherwise(input));
    expect(other.conflicts, name).toEqual([]);
    expect(schema.parse(other.value), name).toEqual(schema.parse(respell(schema, input).value));
  }
}

describe("every route", () => {
  it("has schemas, or this test would show nothing", () => {
    expect(ROUTES.length).toBeGreaterThan(100);
    expect(ROUTES.filter(({ body }) => body).length).toBeGreaterThan(30);
  });

  it("understands a body and a query in the other case, with numbers as text, as if they were its own", () => {
    for (const { name, query, body } of ROUTES) {
      for (const schema of [query, body]) if (schema) expectSame(schema, name);
    }
  });

  it("answers both spellings alike at the front door", async () => {
    const differing: string[] = [];
    for (const route of ROUTES) {
      if (!route.body && !route.query) continue;
      const canonical = await askedWith(route, (input) => input);
      const other = await askedWith(route, spelledOtherwise);
      // Here a room is made by its first use: what the first spelling has deleted, the second does not find.
      const isGone = route.method === "DELETE" && canonical === 200 && other === 404;
      if (canonical === other || isGone) continue;
      differing.push(`${route.name}: ${canonical} and ${other}`);
    }
    expect(differing).toEqual([]);
    // Nobody is told of what the other tests do.
    for (const table of ["webhooks", "message_hook"]) await run(`DELETE FROM ${table}`);
  }, 120_000);
});

/** Calls the route as somebody fresh who may do everything. */
async function askedWith(
  { name, method, path, query, body }: Declared,
  spell: (input: unknown) => unknown,
): Promise<number> {
  const { token, address } = await mintAdmin();
  const where = path.replace(/\{(\w+)\}/g, (_, parameter: string) => (parameter === "type" ? "text" : "99000001"));
  const asked = Object.entries(Object(query ? spell(fullest(query, name)) : {}));
  const { status } = await call(`${where}?${new URLSearchParams(asked.map(([key, value]) => [key, String(value)]))}`, {
    method,
    token,
    headers: { "CF-Connecting-IP": address },
    ...(body ? { body: spell(fullest(body, name)) } : {}),
  });
  return status;
}

/** Of many valid inputs the one with the most in it; the same for the same name, but for text, which is fresh. */
function fullest(schema: z.ZodType, name: string): unknown {
  const pick = picker(name.length);
  const inputs = Array.from({ length: 30 }, () => validInput(schema, pick));
  const size = (input: unknown) => Object.keys(Object(input)).length;
  return inputs.reduce((most, input) => (size(input) > size(most) ? input : most));
}

describe("every frame", () => {
  it("understands its data in the other case, with numbers as text, as if it were its own", () => {
    expect(FRAMES.length).toBeGreaterThan(40);
    for (const [name, schema] of FRAMES) expectSame(schema, name);
  });

  it("is answered alike in both spellings at the front door", async () => {
    const differing: string[] = [];
    for (const [path, { commands }] of Object.entries(SOCKETS)) {
      for (const [type, schema] of Object.entries(commands)) {
        const canonical = await answerTo(path, type, fullest(schema, type));
        const other = await answerTo(path, type, spelledOtherwise(fullest(schema, type)));
        if (canonical !== other) differing.push(`${type} on ${path}: ${canonical} and ${other}`);
      }
    }
    expect(differing).toEqual([]);
  }, 120_000);
});

/** How a frame is answered in a fresh room; a socket that closes over it is an answer too. */
async function answerTo(path: string, type: string, data: unknown): Promise<string> {
  const socket = await openFresh(path);
  const answer = await Promise.race([
    socket.ask(type, withoutPlace(data)),
    socket.nextClose().then(({ code }) => ({ type: `close ${code}`, error: undefined })),
  ]);
  return `${answer.type} ${answer.error?.code ?? ""}`;
}

/** A native socket is in one place; which one is left out. */
const withoutPlace = (data: unknown): unknown =>
  Object.fromEntries(Object.entries(Object(data)).filter(([key]) => !/^(stream|session|course)_?id$/i.test(key)));

describe("one key in two spellings", () => {
  const from = async () => ({ token: (await mintUser()).token, to: await mintUser() });

  it("is one where they agree, and 400 with the key's name where they do not", async () => {
    const { token, to } = await from();
    const agreed = { receiverId: to.id, receiver_id: String(to.id), content: "hello" };
    expect((await call("/messages", { method: "POST", token, body: agreed })).status).toBe(201);
    const torn = { receiverId: to.id, receiver_id: to.id + 1, content: "hello" };
    const { status, body } = await call("/messages", { method: "POST", token, body: torn });
    expect(status).toBe(400);
    expect(body.error.details).toEqual([{ path: "receiverId", message: "is given twice, and differently" }]);
  });

  it("is INVALID_MESSAGE in a frame", async () => {
    const { people, roomId } = await mintGroup("owner", "member");
    const socket = await openSocket(`//ws/${roomId}/${people[0]?.id}?token=${people[0]?.token}`);
    const answer = await socket.ask("send_message", { content: "hello", replyTo: "a", reply_to: "b" });
    expect(answer.error).toMatchObject({ code: "INVALID_MESSAGE", message: expect.stringContaining("data.replyTo") });
  });
});

describe("a field that some clients know by another name", () => {
  it("is the field: an avatar is an avatar as img_url, too", async () => {
    const username = `imgurl_${Date.now()}`;
    const account = { username, email: `${username}@example.com`, password: "correct horse", display_name: "Mai" };
    const made = await call("/auth/register", { method: "POST", body: { ...account, img_url: "/files/mai.png" } });
    expect(made.body.user).toMatchObject({ displayName: "Mai", avatarUrl: "/files/mai.png" });
    const torn = { avatarUrl: "/files/a.png", img_url: "/files/b.png" };
    expect((await call("/auth/me", { method: "PATCH", token: made.body.token, body: torn })).status).toBe(400);
  });
});

describe("what only looks like a key or a number", () => {
  it.each(["01", "1e2", " 1", "+1", "0x10", "1.0", "12345678901234567", "-1", ""])("%j is no number", async (text) => {
    const { token } = await mintUser();
    const { status } = await call("/comments", { method: "POST", token, body: { videoId: text, content: "hello" } });
    expect(status).toBe(400);
  });

  it("the numbers of a query are held to the same", async () => {
    for (const limit of ["01", "1e1", " 5", "5.0"]) {
      expect((await call(`/videos?limit=${encodeURIComponent(limit)}`)).status, limit).toBe(400);
    }
    expect((await call("/videos?limit=&page=")).status).toBe(200);
  });

  it("names that every object inherits are nobody's fields", async () => {
    const { token } = await mintUser();
    const to = await mintUser();
    const body = `{"receiver_id":${to.id},"content":"hello","constructor":1,"__proto__":{"receiverId":1},"to_string":2}`;
    const { status, body: message } = await call("/messages", {
      method: "POST",
      token,
      body,
      headers: { "Content-Type": "application/json" },
    });
    expect([status, message.receiverId]).toEqual([201, to.id]);
    expect(Object.hasOwn(Object.prototype, "receiverId")).toBe(false);
  });

  it("a key's own spelling is never taken for another's, and an alias counts in both cases", () => {
    const schema = z.object({
      a_b: z.string().optional(),
      aB: z.string(),
      picture: alsoNamed(z.string().nullish(), "img_url"),
    });
    expect(respell(schema, { a_b: "one", aB: "two", imgUrl: "x" })).toEqual({
      value: { a_b: "one", aB: "two", picture: "x" },
      conflicts: [],
      names: [],
    });
  });
});
