import { createExecutionContext, evictDurableObject, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { runCron } from "../src/cron.ts";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { openHub, openSocket } from "./support/socket.ts";

/** What a Worker leaves behind that dies between the commit and the push. */
const leave = (user: TestUser, n: number, ageSeconds = 0) =>
  env.DB.prepare("INSERT INTO outbox (target, payload, created_at) VALUES (?, ?, ?)")
    .bind(
      `user:${user.id}`,
      JSON.stringify({ frames: [{ type: "test:event", data: { n } }] }),
      Date.now() - ageSeconds * 1000,
    )
    .run();

const pendingOf = (user: TestUser) =>
  env.DB.prepare("SELECT count(*) AS n FROM outbox WHERE target = ?").bind(`user:${user.id}`).first<number>("n");

async function sweep(): Promise<void> {
  const context = createExecutionContext();
  await runCron(env, context);
  await waitOnExecutionContext(context);
}

const numbers = (frames: { type: string; data?: { n?: number } }[]) =>
  frames.flatMap(({ type, data }) => (type === "test:event" ? (data?.n ?? []) : []));

describe("a crash between commit and push loses nothing", () => {
  it("the user who connects finds it in the log", async () => {
    const user = await mintUser();
    for (const n of [1, 2, 3]) await leave(user, n);
    const socket = await openSocket(`/ws?token=${user.token}&since=0`);
    expect((await socket.next("connected")).seq).toBe(3);
    expect(numbers(await socket.collect("test:event", 3))).toEqual([1, 2, 3]);
    expect(await pendingOf(user)).toBe(0);
  });

  it("the sweep delivers it to a user who is connected, and leaves fresh rows to those who write them", async () => {
    const user = await mintUser();
    const socket = await openHub(user);
    for (const n of [1, 2]) await leave(user, n, 60);
    await sweep();
    expect(numbers(await socket.collect("test:event", 2))).toEqual([1, 2]);
    expect(await pendingOf(user)).toBe(0);
    await leave(user, 3, 5);
    await sweep();
    expect(await pendingOf(user)).toBe(1);
  });

  it("the next push takes along what an earlier one left, in order", async () => {
    const [ann, bob] = [await mintUser(), await mintUser()];
    const socket = await openHub(bob);
    await leave(bob, 1);
    await leave(bob, 2);
    await call("/messages", { method: "POST", token: ann.token, body: { receiverId: bob.id, content: "three" } });
    await socket.collect("message:new", 1);
    expect(socket.frames.slice(1).map(({ type, seq }) => [type, seq])).toEqual([
      ["test:event", 1],
      ["test:event", 2],
      ["message:new", 3],
    ]);
  });

  it("nothing comes twice when the push arrived and only the clearing was lost", async () => {
    const user = await mintUser();
    const socket = await openHub(user);
    await leave(user, 1, 60);
    const row = await env.DB.prepare("SELECT * FROM outbox WHERE target = ?").bind(`user:${user.id}`).first();
    await sweep();
    await socket.collect("test:event", 1);
    await env.DB.prepare("INSERT INTO outbox (id, target, payload, created_at) VALUES (?, ?, ?, ?)")
      .bind(row?.id, row?.target, row?.payload, row?.created_at)
      .run();
    await evictDurableObject(env.USER_HUB.getByName(String(user.id)));
    await sweep();
    expect(await pendingOf(user)).toBe(0);
    await leave(user, 2, 60);
    await sweep();
    expect(numbers(await socket.collect("test:event", 2))).toEqual([1, 2]);
  });

  it("a row that cannot be read does not hold up the others", async () => {
    const user = await mintUser();
    const socket = await openHub(user);
    await env.DB.prepare("INSERT INTO outbox (target, payload, created_at) VALUES (?, '{\"frames\":7}', 0)")
      .bind(`user:${user.id}`)
      .run();
    await leave(user, 2, 60);
    await sweep();
    expect(numbers(await socket.collect("test:event", 1))).toEqual([2]);
    expect(await pendingOf(user)).toBe(0);
  });
});

it("twenty writers at once: every frame once, gap-free, in the order of the commits", async () => {
  const bob = await mintUser();
  const socket = await openHub(bob);
  const writers = await Promise.all(Array.from({ length: 20 }, () => mintUser()));
  const sent = await Promise.all(
    writers.map(({ token }) =>
      call("/messages", { method: "POST", token, body: { receiverId: bob.id, content: "at once" } }),
    ),
  );
  const frames = await socket.collect("message:new", 20);
  expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, n) => n + 1));
  const committed = sent.map(({ body }) => body.id).sort((a, b) => a - b);
  expect(frames.map(({ data }) => data.id)).toEqual(committed);
});
