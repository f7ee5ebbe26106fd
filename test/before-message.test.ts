/** The one outside that is asked before a message is accepted (SPEC 12): what it decides, and what is decided without it. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { Gate } from "../src/chat/gate.ts";
import { objectContext } from "../src/context.ts";
import { MessageQuestion } from "../src/features/webhooks/event-contract.ts";
import { mintAdmin } from "./support/admin.ts";
import { call, type TestUser } from "./support/api.ts";
import { BACKEND_URL, standIn } from "./support/backend.ts";
import { passTime } from "./support/clock.ts";
import { mintThree, openRoom, post } from "./support/rooms.ts";
import { stalled } from "./support/stalled.ts";

const backend = standIn();

async function setHook(more: object = {}): Promise<TestUser> {
  const admin = await mintAdmin();
  const body = { url: BACKEND_URL, ...more };
  const made = await call("/admin/hooks/before-message", { method: "POST", token: admin.token, body });
  expect(made.status).toBe(201);
  backend.secrets.push(made.body.secret);
  return admin;
}

describe("who is asked before a message", () => {
  const asked = () => backend.heard.flatMap(({ events }) => events).map(({ data }) => data.content);

  /** Sets it up; `decide` answers for one text. */
  async function ask(decide: (text: unknown) => object, more: object = {}) {
    const admin = await setHook(more);
    backend.answer = ({ body, events }) => {
      const answers = events.map(({ data }) => decide(data.content));
      return Response.json(typeof body === "object" && body !== null && "events" in body ? { answers } : answers[0]);
    };
    return admin;
  }

  const byWord = (text: unknown) => {
    if (text === "bad") return { action: "refuse", reason: "Not here." };
    return text === "rude" ? { action: "replace", content: "polite <b>" } : { action: "allow" };
  };

  it("allows, refuses with its reason and replaces, in rooms, streams and between two people, by socket and REST, edits too", async () => {
    const admin = await ask(byWord);
    const { roomId, ann, bob } = await mintThree();
    const socket = await openRoom(ann, roomId);
    expect((await socket.ask("send_message", { content: "good" })).data).toMatchObject({ content: "good" });
    expect(await socket.ask("send_message", { content: "bad" })).toMatchObject({
      error: { code: "FORBIDDEN", message: "Not here." },
    });
    const replaced = await post(ann, roomId, "rude");
    expect(replaced.body.content).toMatch(/^polite/);
    expect(replaced.body.content).not.toContain("<b>");
    const path = `/rooms/${roomId}/messages/${replaced.body.id}`;
    const edited = await call(path, { method: "PATCH", token: ann.token, body: { content: "bad" } });
    expect(edited).toMatchObject({ status: 403, body: { error: { message: "Not here." } } });
    const send = (content: string) =>
      call("/messages", { method: "POST", token: ann.token, body: { receiverId: bob.id, content } });
    expect((await send("bad")).status).toBe(403);
    expect((await send("rude")).body.content).toMatch(/^polite/);
    const stream = await call("/streams", { method: "POST", token: ann.token, body: { title: "S" } });
    const chat = (message: string) =>
      call(`/streams/${stream.body.id}/chat`, { method: "POST", token: bob.token, body: { message } });
    expect([(await chat("bad")).status, (await chat("good")).status]).toEqual([403, 201]);
    expect(asked()).toEqual(["good", "bad", "rude", "bad", "bad", "rude", "bad", "good"]);
    const shown = await call("/admin/hooks/before-message", { token: admin.token });
    expect(shown.body).toEqual({ ...shown.body, url: BACKEND_URL, timeoutMs: 2000, onFailure: "refuse" });
    expect(Object.keys(shown.body)).not.toContain("secret");
    expect((await call("/admin/hooks/before-message", { method: "DELETE", token: admin.token })).status).toBe(200);
    expect((await post(ann, roomId, "bad")).status).toBe(201);
    expect((await call("/admin/hooks/before-message", { token: admin.token })).status).toBe(404);
    expect(asked()).toHaveLength(8);
  });

  it("decides by its policy when it fails, and looks at what it is told instead as at typed text", async () => {
    await ask(() => ({ action: "replace", content: "" }));
    const { roomId, ann } = await mintThree();
    expect((await post(ann, roomId, "x")).status).toBe(403);
    backend.answer = () => new Response("down", { status: 500 });
    expect((await post(ann, roomId, "x")).status).toBe(403);
    await ask(byWord, { onFailure: "allow", timeoutMs: 100 });
    backend.answer = () => new Promise(() => {});
    expect((await post(ann, roomId, "after 100 ms")).status).toBe(201);
  });

  it("is asked about many at once, who keep their order; who was removed or banned meanwhile is refused", async () => {
    const admin = await ask(byWord);
    const { roomId, ann, bob, cid } = await mintThree();
    const socket = await openRoom(ann, roomId);
    const decide = backend.answer;
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    backend.answer = async (heard) => {
      await held;
      return decide(heard);
    };
    const first = post(bob, roomId, "from bob");
    await vi.waitFor(() => expect(backend.heard).toHaveLength(1));
    const rest = [
      post(bob, roomId, "bob again"),
      post(cid, roomId, "from cid"),
      post(ann, roomId, "one"),
      post(ann, roomId, "two"),
    ];
    await call(`/rooms/${roomId}/members/${bob.id}`, { method: "DELETE", token: ann.token });
    await call(`/admin/users/${cid.id}/ban`, { method: "POST", token: admin.token, body: { reason: "spam" } });
    release();
    expect((await first).status).toBe(403);
    expect((await Promise.all(rest)).map(({ status }) => status)).toEqual([403, 403, 201, 201]);
    expect(backend.heard.length).toBeLessThan(5);
    const frames = await socket.collect("new_message", 2);
    expect(frames.map(({ data }) => data.content)).toEqual(["one", "two"]);
  });

  it("who answers several with one word is asked about each alone", async () => {
    await ask(byWord);
    const { roomId, ann, bob } = await mintThree();
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    backend.answer = async ({ events }) => {
      await held;
      return Response.json(byWord(events[0]?.data.content));
    };
    const sent = ["good", "bad", "fine"].map((content, n) => post(n === 1 ? bob : ann, roomId, content));
    await vi.waitFor(() => expect(backend.heard).toHaveLength(1));
    release();
    expect((await Promise.all(sent)).map(({ status }) => status).sort()).toEqual([201, 201, 403]);
  });
});

describe.each([
  {
    onFailure: "refuse",
    late: { error: { code: "FORBIDDEN" } },
    lost: { error: { code: "INTERNAL_ERROR", message: expect.stringContaining("Try again") } },
  },
  { onFailure: "allow", late: { type: "ack" }, lost: { type: "ack" } },
])("a message that cannot be asked about, where the policy is to $onFailure", ({ onFailure, late, lost }) => {
  const hook = async (more: object = {}) => {
    await setHook({ onFailure, ...more });
    const { roomId, ann } = await mintThree();
    return { roomId, socket: await openRoom(ann, roomId) };
  };

  it("is decided on when the time is over", async () => {
    const { socket } = await hook({ timeoutMs: 100 });
    backend.answer = () => new Promise(() => {});
    expect(await socket.ask("send_message", { content: "late" })).toMatchObject(late);
  });

  it("is decided on while the database does not answer: the hook known, forgotten, and after the room slept", async () => {
    const { roomId, socket } = await hook();
    backend.answer = () => Response.json({ action: "allow" });
    expect(await socket.ask("send_message", { content: "before" })).toMatchObject({ type: "ack" });
    const lostDatabase = stalled(() => Promise.reject(new Error("D1_ERROR: Network connection lost.")));
    const down = vi.spyOn(env.DB, "prepare").mockImplementation((query) => lostDatabase.prepare(query));
    try {
      expect(await socket.ask("send_message", { content: "known" })).toMatchObject(lost);
      passTime(40);
      expect(await socket.ask("send_message", { content: "forgotten" })).toMatchObject(lost);
      await evictDurableObject(env.CHAT_ROOM.getByName(roomId));
      expect(await socket.ask("send_message", { content: "slept" })).toMatchObject(lost);
    } finally {
      down.mockRestore();
    }
    backend.answer = () => Response.json({ action: "refuse" });
    expect(await socket.ask("send_message", { content: "after" })).toMatchObject({ error: { code: "FORBIDDEN" } });
  });
});

describe("messages that wait to be asked about", () => {
  it("are 500 in a room; the next is told to come again, and those keep their order, 50 in a question at most", async () => {
    await setHook();
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    backend.answer = async ({ events }) => {
      await held;
      const answers = events.map(() => ({ action: "allow" }));
      return Response.json(events.length === 1 ? answers[0] : { answers });
    };
    const { roomId, ann } = await mintThree();
    const room = { version: 1, kind: "group", courseId: null, name: null, ownerId: null, isBlocked: false } as const;
    const person = {
      userId: ann.id,
      username: ann.username,
      displayName: null,
      avatarUrl: null,
      role: "user",
    } as const;
    const texts = Array.from({ length: 501 }, (_, n) => String(n));
    // By the room's own gate: through its door, each of them would need a connection.
    await runInDurableObject(env.CHAT_ROOM.getByName(roomId), async (_, state) => {
      const info = () => ({ ...room, slowModeSeconds: 0 });
      const gate = new Gate({ storage: state.storage, roomId, info, context: () => objectContext(state, env) });
      const settled = texts.map((content) => gate.ask({ person, content }));
      await expect(gate.ask({ person, content: "one more" })).rejects.toMatchObject({ code: "RATE_LIMIT" });
      release();
      expect(await Promise.all(settled)).toEqual(texts);
    });
    const questions = backend.heard.map(({ events }) => events);
    expect(questions.map(({ length }) => length)).toEqual([1, ...Array(10).fill(50)]);
    expect(questions.flat().map((event) => MessageQuestion.parse(event).data.content)).toEqual(texts);
  });
});
