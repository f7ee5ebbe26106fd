import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { runCron } from "../src/cron.ts";
import { call, costOf, mintUser, type TestUser } from "./support/api.ts";
import { expectInert, get, post, remove } from "./support/social.ts";
import { openHub, type TestSocket } from "./support/socket.ts";

const send = (from: { token: string }, receiverId: unknown, content: unknown, more: object = {}) =>
  post(from, "/messages", { receiverId, content, ...more });

const textsOf = (body: { messages: { content: string }[] }): string[] => body.messages.map(({ content }) => content);
const conversationsOf = async (user: TestUser) => (await get(user, "/messages/conversations")).body.conversations;

describe("direct messages", () => {
  it("reach every device of the receiver and of the sender, once", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const [annPhone, bobPhone, bobLaptop] = [await openHub(ann), await openHub(bob), await openHub(bob)];
    const { status, body } = await send(ann, bob.id, "I'm <3 & 1 < 2");
    expect(status).toBe(201);
    expect(body).toMatchObject({ senderId: ann.id, receiverId: bob.id, content: "I'm <3 & 1 < 2", seen: false });
    for (const socket of [annPhone, bobPhone, bobLaptop]) {
      const frame = await socket.next("message:new");
      expect(frame).toEqual({ type: "message:new", data: body, seq: 1 });
      await socket.expectNothing("message:new");
    }
    // One for the work, one that clears the outbox after the answer; the two people's hubs.
    expect(costOf(await send(ann, bob.id, "again"))).toMatchObject({ d1_queries: 2, object_calls: 2 });
  });

  it("are there for a user who was offline, in order, each once", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const first = await openHub(bob);
    const hello = first.frames[0];
    first.close();
    for (const text of ["one", "two", "three"]) await send(ann, bob.id, text);
    await evictDurableObject(env.USER_HUB.getByName(String(bob.id)));
    const again = await openHub(bob, `&since=${hello?.seq}&epoch=${hello?.epoch}`);
    const missed = await again.collect("message:new", 3);
    expect(missed.map((frame) => [frame.seq, frame.data.content])).toEqual([
      [1, "one"],
      [2, "two"],
      [3, "three"],
    ]);
  });

  it("with the same clientMessageId are one message and one event, also ten at once", async () => {
    const [ann, bob, cat] = [await mintUser("ann"), await mintUser("bob"), await mintUser("cat")];
    const [annHub, bobHub] = [await openHub(ann), await openHub(bob)];
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => send(ann, bob.id, "once", { clientMessageId: "m-1" })),
    );
    for (const answer of answers) expect([answer.status, answer.body]).toEqual([201, answers[0]?.body]);
    const later = await send(ann, bob.id, "another text", { clientMessageId: "m-1" });
    expect(later.body).toEqual(answers[0]?.body);
    for (const hub of [annHub, bobHub]) {
      await hub.next("message:new");
      await hub.expectNothing("message:new");
    }
    expect((await get(bob, `/messages/with/${ann.id}`)).body.messages).toEqual([answers[0]?.body]);
    // The id is the sender's own: another's message of the same name is another message.
    expect((await send(cat, bob.id, "mine", { clientMessageId: "m-1" })).body.id).not.toBe(answers[0]?.body.id);
  });

  it("carry no markup, read as they were typed, and have 1 to 5000 characters", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    for (const hostile of ["<script>alert(1)</script>", "<img onerror=alert(1)>", "javascript:alert(1)"]) {
      expectInert((await send(ann, bob.id, hostile)).body.content, hostile);
    }
    for (const plain of ["I'm", "a & b", "1 < 2", "<3", "😀", "😀".repeat(5000), "x".repeat(5000)]) {
      expect((await send(ann, bob.id, plain)).body.content).toBe(plain);
    }
    for (const wrong of ["", " ", "x".repeat(5001), "😀".repeat(5001), 5, null, undefined]) {
      const answer = await send(ann, bob.id, wrong);
      expect([answer.status, answer.body.error?.details?.[0]?.path]).toEqual([400, "content"]);
    }
  });

  it("need a token, and somebody else who is there and not blocked", async () => {
    const [ann, bob, gone] = [await mintUser("ann"), await mintUser("bob"), await mintUser("gone")];
    await remove(gone, "/auth/me");
    await post(bob, `/friends/${ann.id}/block`);
    const bobHub = await openHub(bob);
    expect((await post(null, "/messages", { receiverId: bob.id, content: "hi" })).status).toBe(401);
    for (const [receiverId, status] of [
      [bob.id, 403],
      [999_999_999, 404],
      [gone.id, 404],
      [ann.id, 400],
      ["bob", 404],
      [0, 400],
    ]) {
      expect((await send(ann, receiverId, "hi")).status).toBe(status);
    }
    await bobHub.expectNothing("message:new");
    expect(await conversationsOf(ann)).toEqual([]);
    const typing = await (await openHub(ann)).ask("message:typing", { conversationWith: bob.id });
    expect(typing).toMatchObject({ type: "error", error: { code: "FORBIDDEN" } });
    for (const path of ["/messages/inbox", "/messages/conversations", `/messages/with/${bob.id}`]) {
      expect((await get(null, path)).status).toBe(401);
      expect((await get(ann, `${path}?limit=101`)).status).toBe(400);
    }
    expect((await get(ann, "/messages/with/999999999")).status).toBe(404);
    expect((await get(ann, "/messages/with/x")).status).toBe(404);
  });
});

describe("the inbox", () => {
  it("is read forward from an id, oldest first, with what was received alone", async () => {
    const [ann, bob, cat] = [await mintUser("ann"), await mintUser("bob"), await mintUser("cat")];
    for (const text of ["1", "2", "3"]) await send(ann, bob.id, text);
    await send(bob, ann.id, "sent, not received");
    for (const text of ["4", "5"]) await send(cat, bob.id, text);
    const all = await get(bob, "/messages/inbox");
    expect([textsOf(all.body), all.body.nextCursor]).toEqual([["1", "2", "3", "4", "5"], null]);
    const read: string[][] = [];
    let after: number | null = all.body.messages[0].id;
    while (after !== null) {
      const { body } = await get(bob, `/messages/inbox?limit=2&after=${after}`);
      read.push(textsOf(body));
      after = body.nextCursor;
    }
    expect(read).toEqual([
      ["2", "3"],
      ["4", "5"],
    ]);
    // Without `after`: the newest page.
    expect(textsOf((await get(bob, "/messages/inbox?limit=2")).body)).toEqual(["4", "5"]);
  });
});

describe("a conversation", () => {
  it("is the two people's alone, newest first, page by page", async () => {
    const [ann, bob, cat] = [await mintUser("ann"), await mintUser("bob"), await mintUser("cat")];
    for (const text of ["1", "2", "3"]) await send(ann, bob.id, text);
    await send(bob, ann.id, "4");
    await send(cat, bob.id, "not theirs");
    const first = await get(bob, `/messages/with/${ann.id}?limit=3`);
    expect(textsOf(first.body)).toEqual(["4", "3", "2"]);
    const second = await get(bob, `/messages/with/${ann.id}?limit=3&before=${first.body.nextCursor}`);
    expect([textsOf(second.body), second.body.nextCursor]).toEqual([["1"], null]);
    expect(textsOf((await get(ann, `/messages/with/${bob.id}`)).body)).toEqual(["4", "3", "2", "1"]);
    expect(textsOf((await get(cat, `/messages/with/${ann.id}`)).body)).toEqual([]);
  });

  it("is listed with its last message and what is unseen, the latest first", async () => {
    const [ann, bob, cat] = [await mintUser("ann"), await mintUser("bob"), await mintUser("cat")];
    await send(ann, bob.id, "1");
    const fromCat = await send(cat, bob.id, "2");
    const fromAnn = await send(ann, bob.id, "3");
    const briefOf = (user: TestUser) => ({ id: user.id, username: user.username, displayName: null, avatarUrl: null });
    expect(await conversationsOf(bob)).toEqual([
      { user: briefOf(ann), lastMessage: fromAnn.body, unseenCount: 2 },
      { user: briefOf(cat), lastMessage: fromCat.body, unseenCount: 1 },
    ]);
    expect(await conversationsOf(ann)).toEqual([{ user: briefOf(bob), lastMessage: fromAnn.body, unseenCount: 0 }]);
    const page = await get(bob, "/messages/conversations?limit=1");
    const rest = await get(bob, `/messages/conversations?limit=1&before=${page.body.nextCursor}`);
    expect(rest.body).toMatchObject({ conversations: [{ user: { id: cat.id } }], nextCursor: null });
  });
});

describe("marking as seen", () => {
  const oneBatch = async () => {
    const [ann, bob, eve] = [await mintUser("ann"), await mintUser("bob"), await mintUser("eve")];
    const ids: number[] = [];
    for (const text of ["1", "2", "3"]) ids.push((await send(ann, bob.id, text)).body.id);
    return { ann, bob, eve, ids, annHub: await openHub(ann) };
  };
  const unseenBy = async (user: TestUser) => (await conversationsOf(user))[0].unseenCount;

  it("over REST tells the sender which, and only what changed", async () => {
    const { ann, bob, ids, annHub } = await oneBatch();
    const mark = (messageIds?: number[]) => post(bob, "/messages/mark-seen", { conversationWith: ann.id, messageIds });
    expect((await mark([ids[1] ?? 0])).body).toEqual({ success: true, message: "1 marked as seen" });
    expect((await annHub.next("message:seen")).data).toEqual({
      messageIds: [ids[1]],
      seenBy: bob.id,
      seenAt: expect.stringMatching(/\.\d{3}Z$/),
    });
    expect(await unseenBy(bob)).toBe(2);
    expect((await mark([ids[1] ?? 0])).body.message).toBe("0 marked as seen");
    expect((await mark()).body.message).toBe("2 marked as seen");
    expect((await annHub.next("message:seen")).data.messageIds.sort()).toEqual([ids[0], ids[2]]);
    await annHub.expectNothing("message:seen");
    const { body } = await get(ann, `/messages/with/${bob.id}`);
    expect(body.messages.every(({ seen }: { seen: boolean }) => seen)).toBe(true);
  });

  it("over the socket does the same", async () => {
    const { ann, bob, ids, annHub } = await oneBatch();
    const hub = await openHub(bob);
    const ack = await hub.ask("message:mark_seen", { conversationWith: ann.id, messageIds: ids.slice(0, 1) });
    expect(ack).toMatchObject({ type: "ack", data: { messageIds: ids.slice(0, 1) } });
    expect((await annHub.next("message:seen")).data).toMatchObject({ messageIds: ids.slice(0, 1), seenBy: bob.id });
    await hub.ask("message:mark_seen", { conversationWith: ann.id });
    expect((await annHub.next("message:seen")).data.messageIds).toHaveLength(2);
    expect(await unseenBy(bob)).toBe(0);
    const bad = await hub.ask("message:mark_seen", { conversationWith: ["ann"] });
    expect(bad).toMatchObject({ type: "error", error: { code: "INVALID_MESSAGE" } });
  });

  it("without a person marks the named ones, whoever sent them, and tells each sender theirs", async () => {
    const [ann, bob, cid] = [await mintUser(), await mintUser(), await mintUser()];
    const sockets = [await openHub(ann), await openHub(bob)] as const;
    const send = async (from: TestUser) =>
      (await call("/messages", { method: "POST", token: from.token, body: { receiverId: cid.id, content: "Hi" } })).body
        .id;
    const ids = [await send(ann), await send(bob), await send(bob)];
    const left = await send(ann);
    const socket = await openHub(cid);
    const answer = await socket.ask("message:mark_seen", { message_ids: ids });
    expect(new Set(answer.data.messageIds)).toEqual(new Set(ids));
    expect((await sockets[0].next("message:seen")).data).toMatchObject({ messageIds: [ids[0]], seenBy: cid.id });
    expect((await sockets[1].next("message:seen")).data).toMatchObject({
      messageIds: [ids[1], ids[2]],
      seenBy: cid.id,
    });
    const others = await openHub(ann);
    expect((await others.ask("message:mark_seen", { messageIds: [left] })).data.messageIds).toEqual([]);
    for (const one of sockets) await one.expectNothing("message:seen");
    expect((await socket.ask("message:mark_seen", {})).error.code).toBe("INVALID_MESSAGE");
  });

  it("is for the receiver alone: someone else's ids in the list change nothing", async () => {
    const { ann, bob, eve, ids, annHub } = await oneBatch();
    const eveHub = await openHub(eve);
    for (const by of [eve, ann]) {
      for (const conversationWith of [ann.id, bob.id]) {
        const answer = await post(by, "/messages/mark-seen", { conversationWith, messageIds: ids });
        expect(answer.body).toEqual({ success: true, message: "0 marked as seen" });
      }
    }
    await eveHub.ask("message:mark_seen", { conversationWith: ann.id, messageIds: ids });
    await annHub.expectNothing("message:seen");
    expect(await unseenBy(bob)).toBe(3);
    expect((await post(null, "/messages/mark-seen", { conversationWith: ann.id })).status).toBe(401);
    expect((await post(bob, "/messages/mark-seen", {})).status).toBe(400);
  });
});

describe("a crash between the commit and the push loses nothing", () => {
  /** Leaves a message as a Worker does that dies after its commit: in the outbox, told to nobody. */
  async function leaveBehind(to: TestUser, content: string): Promise<void> {
    const payload = JSON.stringify({ frames: [{ type: "message:new", data: { content } }] });
    await env.DB.prepare("INSERT INTO outbox (target, payload, created_at) VALUES (?, ?, ?)")
      .bind(`user:${to.id}`, payload, Date.now() - 60_000)
      .run();
  }
  const leftFor = (user: TestUser) =>
    env.DB.prepare("SELECT count(*) AS n FROM outbox WHERE target = ?").bind(`user:${user.id}`).first<{ n: number }>();
  const contentsAt = async (hub: TestSocket): Promise<unknown[]> => {
    await hub.expectNothing();
    return hub.frames.filter(({ type }) => type === "message:new").map(({ seq, data }) => [seq, data.content]);
  };

  it("when the user connects", async () => {
    const bob = await mintUser("bob");
    const first = await openHub(bob);
    const hello = first.frames[0];
    first.close();
    await leaveBehind(bob, "one");
    await leaveBehind(bob, "two");
    const again = await openHub(bob, `&since=${hello?.seq}&epoch=${hello?.epoch}`);
    expect(again.frames[0]).toMatchObject({ type: "connected", seq: 2 });
    expect(await contentsAt(again)).toEqual([
      [1, "one"],
      [2, "two"],
    ]);
    expect(await leftFor(bob)).toEqual({ n: 0 });
  });

  it("when the cron sweeps", async () => {
    const bob = await mintUser("bob");
    const hub = await openHub(bob);
    await leaveBehind(bob, "one");
    await runCron(env, { waitUntil: () => {} });
    await runCron(env, { waitUntil: () => {} });
    expect(await contentsAt(hub)).toEqual([[1, "one"]]);
    expect(await leftFor(bob)).toEqual({ n: 0 });
  });

  it("when the next message comes, and then in order", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const hub = await openHub(bob);
    await leaveBehind(bob, "left behind");
    await send(ann, bob.id, "next");
    expect(await contentsAt(hub)).toEqual([
      [1, "left behind"],
      [2, "next"],
    ]);
  });

  it("and nothing comes twice, when it was the clearing that was lost", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const hub = await openHub(bob);
    await send(ann, bob.id, "once");
    const { data } = await hub.next("message:new");
    const last = await env.DB.prepare("SELECT seq AS id FROM sqlite_sequence WHERE name = 'outbox'").first<{
      id: number;
    }>();
    // The send wrote two rows, the receiver's first: put that one back as if it had not been cleared.
    await env.DB.prepare("INSERT INTO outbox (id, target, payload, created_at) VALUES (?, ?, ?, 0)")
      .bind((last?.id ?? 0) - 1, `user:${bob.id}`, JSON.stringify({ frames: [{ type: "message:new", data }] }))
      .run();
    await runCron(env, { waitUntil: () => {} });
    await hub.expectNothing("message:new");
    expect(await leftFor(bob)).toEqual({ n: 0 });
  });
});

it("an empty cursor is none: the newest page", async () => {
  const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
  await send(ann, bob.id, "there");
  for (const path of ["/messages/inbox?after=", `/messages/with/${ann.id}?before=&after=`]) {
    const { status, body } = await call(path, { token: bob.token });
    expect([status, body.messages.length, body.nextCursor]).toEqual([200, 1, null]);
  }
});
