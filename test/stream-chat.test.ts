import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { mintStream, nginx } from "./support/media.ts";
import { openSocket, upgrade } from "./support/socket.ts";
import { joinStream, mintAudience, roomOf } from "./support/streams.ts";

const CHAT = ["chat_message", "chat_message_deleted", "chat_muted", "chat_slow_mode", "stream:status"];

describe("a stream's chat", () => {
  it("reaches everybody in the room once, in one order, and nobody elsewhere", async () => {
    const { stream, ann, sockets } = await mintAudience();
    const elsewhere = await joinStream(await mintStream(await mintUser("owner")), ann);
    const ack = await sockets.ann.ask("chat_message", { message: "I'm <3 & <b>1</b> < 2" });
    const message = {
      id: expect.stringMatching(/^\d+$/),
      streamId: stream.id,
      seq: 1,
      userId: ann.id,
      username: ann.username,
      message: "I'm <3 & <\u2060b>1<\u2060/b> < 2",
      timestamp: expect.any(String),
    };
    expect(ack).toEqual({ type: "ack", id: ack.id, data: message });
    for (const socket of Object.values(sockets)) {
      expect(await socket.next("chat_message")).toEqual({ type: "chat_message", data: ack.data, seq: 1 });
      await socket.expectNothing(...CHAT);
    }
    await elsewhere.expectNothing(...CHAT);
  });

  it("is not for those who are not signed in, and not where there is no stream", async () => {
    const user = await mintUser("user");
    const stream = await mintStream(user);
    const closeOf = async (path: string) => (await openSocket(path)).nextClose();
    expect(await closeOf(`/streams/${stream.id}/ws`)).toMatchObject({ code: 4001 });
    expect(await closeOf(`/streams/${stream.id}/ws?token=nonsense`)).toMatchObject({ code: 4001 });
    expect(await closeOf(`/streams/999999/ws?token=${user.token}`)).toMatchObject({ code: 4004 });
    expect(await closeOf(`/streams/abc/ws?token=${user.token}`)).toMatchObject({ code: 4004 });
    expect((await call(`/streams/${stream.id}/ws`)).status).toBe(426);
    const foreign = await upgrade(`/streams/${stream.id}/ws?token=${user.token}`, { Origin: "https://evil.example" });
    expect(foreign.status).toBe(403);
    const unprefixed = await openSocket(`//streams/${stream.id}/ws?token=${user.token}`);
    await unprefixed.next("connected");
    for (const path of ["/streams/1/chat", "/streams/999999/chat"]) expect((await call(path)).status).toBe(401);
    expect((await call("/streams/999999/chat", { token: user.token })).status).toBe(404);
  });

  it("is joined and left natively as over Socket.IO", async () => {
    const { stream, sockets } = await mintAudience();
    const joined = await sockets.ann.ask("join_stream", { streamId: stream.id });
    expect(joined).toEqual({ type: "ack", id: joined.id });
    expect(await sockets.ann.ask("join_stream", { streamId: stream.id + 1 })).toMatchObject({ type: "error" });
    await sockets.bob.ask("chat_message", { message: "hello" });
    expect((await sockets.ann.next("chat_message")).data).toMatchObject({ message: "hello" });
    expect(await sockets.ann.ask("leave_stream", { streamId: stream.id })).toMatchObject({ type: "ack" });
    expect(await sockets.ann.nextClose()).toMatchObject({ code: 1000 });
  });

  it("takes a file without words, and an answer to a message, in either case", async () => {
    const { stream, sockets, ann } = await mintAudience();
    const first = await sockets.ann.ask("chat_message", { message: "", file_url: "https://cdn.example/a.png" });
    expect(first.data).toMatchObject({ message: "", fileUrl: "https://cdn.example/a.png" });
    expect(await sockets.bob.next("chat_message")).toMatchObject({ data: first.data });
    for (const reply of [{ reply_to: first.data.id }, { replyTo: first.data.id }]) {
      const answer = await sockets.ann.ask("chat_message", { message: "an answer", ...reply });
      expect(answer.data).toMatchObject({ replyTo: first.data.id });
      expect((await sockets.bob.next("chat_message")).data).toEqual(answer.data);
    }
    const path = `/streams/${stream.id}/chat`;
    const rest = { method: "POST", token: ann.token, body: { file_url: "https://cdn.example/b.png", reply_to: "999" } };
    expect((await call(path, rest)).status).toBe(404);
    expect((await call(path, { ...rest, body: { reply_to: first.data.id } })).status).toBe(400);
    expect((await call(path, { token: ann.token })).body.messages).toMatchObject([
      { replyTo: first.data.id },
      { replyTo: first.data.id },
      first.data,
    ]);
  });

  it("answers a bad frame and goes on", async () => {
    const { sockets } = await mintAudience();
    for (const data of [
      {},
      { message: "" },
      { message: "x".repeat(5001) },
      { message: 1 },
      { message: "x", streamId: 0 },
    ]) {
      expect(await sockets.ann.ask("chat_message", data)).toMatchObject({
        type: "error",
        error: { code: "INVALID_MESSAGE" },
      });
    }
    sockets.ann.send("{not json");
    expect(await sockets.ann.next("error")).toMatchObject({ error: { code: "INVALID_MESSAGE" } });
    expect(await sockets.ann.ask("chat_message", { message: "still here" })).toMatchObject({ type: "ack" });
    await sockets.bob.next("chat_message");
    await sockets.bob.expectNothing(...CHAT);
  });

  it("sends a message once, however often its sender tries", async () => {
    const { stream, ann, sockets } = await mintAudience();
    const input = { message: "once", clientMessageId: "c1", streamId: stream.id };
    const first = await sockets.ann.ask("chat_message", input);
    expect(await sockets.ann.ask("chat_message", input)).toMatchObject({ type: "ack", data: first.data });
    const overHttp = await call(`/streams/${stream.id}/chat`, { method: "POST", token: ann.token, body: input });
    expect(overHttp).toMatchObject({ status: 201, body: first.data });
    // Another's name for a message is another's message.
    await sockets.bob.ask("chat_message", input);
    expect((await sockets.bob.collect("chat_message", 2)).map(({ seq }) => seq)).toEqual([1, 2]);
    await sockets.bob.expectNothing("chat_message_deleted");
  });

  it("survives eviction, and gives those who come back what they missed", async () => {
    const { stream, ann, bob, sockets } = await mintAudience();
    const epoch = sockets.bob.frames[0]?.epoch;
    await sockets.ann.ask("chat_message", { message: "one" });
    sockets.bob.close();
    await sockets.ann.ask("chat_message", { message: "two" });
    await evictDurableObject(roomOf(stream));
    expect(await sockets.ann.ask("chat_message", { message: "three" })).toMatchObject({ data: { seq: 3 } });
    expect((await sockets.owner.collect("chat_message", 3)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    const back = await joinStream(stream, bob, `&since=1&epoch=${epoch}`);
    expect((await back.collect("chat_message", 2)).map(({ data }) => data.message)).toEqual(["two", "three"]);
    const lost = await joinStream(stream, ann, "&since=1&epoch=another");
    expect(await lost.next("resync")).toEqual({ type: "resync", data: { seq: 3, epoch } });
  });

  it("is limited to 100 messages a minute per user, over all ways", async () => {
    const { stream, ann, sockets } = await mintAudience();
    for (let sent = 0; sent < 99; sent += 1) sockets.ann.send({ type: "chat_message", data: { message: `${sent}` } });
    const post = () => call(`/streams/${stream.id}/chat`, { method: "POST", token: ann.token, body: { message: "x" } });
    await sockets.bob.collect("chat_message", 99);
    expect((await post()).status).toBe(201);
    const over = await post();
    expect(over.status).toBe(429);
    expect(Number(over.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await sockets.ann.ask("chat_message", { message: "x" })).toMatchObject({ error: { code: "RATE_LIMIT" } });
    expect(await sockets.bob.ask("chat_message", { message: "mine" })).toMatchObject({ type: "ack" });
  });
});

describe("the history", () => {
  it("is there after the stream has ended, page by page", async () => {
    const { stream, ann, bob, sockets } = await mintAudience();
    await nginx("publish", stream.streamKey, 1);
    for (const message of ["one", "two", "three"]) await sockets.ann.ask("chat_message", { message });
    await nginx("publish_done", stream.streamKey, 1);
    const read = async (query: string) =>
      (await call(`//streams/${stream.id}/chat?${query}`, { token: bob.token })).body;
    const textsOf = ({ messages }: { messages: { message: string }[] }) => messages.map(({ message }) => message);
    const newest = await read("limit=2");
    expect(textsOf(newest)).toEqual(["three", "two"]);
    const rest = await read(`limit=2&before=${newest.nextCursor}`);
    expect(textsOf(rest)).toEqual(["one"]);
    expect(rest.nextCursor).toBeNull();
    // An id does as well as a cursor.
    expect(textsOf(await read(`before=${newest.messages[1].id}`))).toEqual(["one"]);
    expect(textsOf(await read(`after=${rest.messages[0].id}`))).toEqual(["three", "two"]);
    expect(newest.messages[0]).toMatchObject({ streamId: stream.id, userId: ann.id, username: ann.username });
    expect((await call(`/streams/${stream.id}/chat?limit=0`, { token: bob.token })).status).toBe(400);
  });
});

describe("moderation", () => {
  it("the owner and moderators delete messages; nobody can read them again", async () => {
    const { stream, owner, ann, bob, sockets } = await mintAudience();
    const { data } = await sockets.ann.ask("chat_message", { message: "something bad" });
    const epoch = sockets.bob.frames[0]?.epoch;
    const remove = (user: TestUser | undefined, id = data.id) =>
      call(`/streams/${stream.id}/chat/${id}`, { method: "DELETE", token: user?.token });
    expect((await remove(undefined)).status).toBe(401);
    expect((await remove(ann)).status).toBe(403);
    expect((await remove(owner, "999")).status).toBe(404);
    expect((await remove(owner, "x")).status).toBe(400);
    expect(await sockets.bob.ask("chat_delete", { messageId: data.id })).toMatchObject({
      error: { code: "FORBIDDEN" },
    });
    expect(await remove(owner)).toMatchObject({ status: 200, body: { success: true } });
    const deleted = { streamId: stream.id, messageId: data.id };
    expect(await sockets.bob.next("chat_message_deleted")).toEqual({
      type: "chat_message_deleted",
      data: deleted,
      seq: 2,
    });
    // Again: nothing changes, nothing is sent.
    expect((await remove(owner)).status).toBe(200);
    await sockets.bob.expectNothing(...CHAT);
    expect((await call(`/streams/${stream.id}/chat`, { token: bob.token })).body.messages).toEqual([]);
    const back = await joinStream(stream, bob, `&since=0&epoch=${epoch}`);
    expect((await back.collect("chat_message_deleted", 2)).map(({ seq }) => seq)).toEqual([1, 2]);
    expect(JSON.stringify(back.frames)).not.toContain("something bad");
  });

  it("a moderator of the service is one in every chat", async () => {
    const { stream, bob, sockets } = await mintAudience();
    await env.DB.prepare("UPDATE users SET role = 'moderator' WHERE id = ?").bind(bob.id).run();
    const { data } = await sockets.ann.ask("chat_message", { message: "x" });
    const moderator = await joinStream(stream, bob);
    expect(await moderator.ask("chat_delete", { messageId: data.id })).toMatchObject({ type: "ack" });
    await sockets.ann.next("chat_message_deleted");
  });

  it("who is muted is heard no more, reads on, and the others are not told", async () => {
    const { stream, owner, ann, bob, sockets } = await mintAudience();
    const mute = (user: TestUser, body: object) =>
      call(`/streams/${stream.id}/chat/mutes`, { method: "POST", token: user.token, body });
    expect((await mute(bob, { userId: ann.id })).status).toBe(403);
    expect((await mute(owner, { userId: 0 })).status).toBe(400);
    expect((await mute(owner, { userId: owner.id })).status).toBe(403);
    expect((await mute(owner, { userId: ann.id, seconds: 60 })).status).toBe(200);
    expect(await sockets.ann.next("chat_muted")).toMatchObject({ data: { streamId: stream.id, userId: ann.id } });
    expect(await sockets.ann.ask("chat_message", { message: "x" })).toMatchObject({ error: { code: "FORBIDDEN" } });
    await evictDurableObject(roomOf(stream));
    const post = () => call(`/streams/${stream.id}/chat`, { method: "POST", token: ann.token, body: { message: "x" } });
    expect((await post()).status).toBe(403);
    await sockets.bob.expectNothing(...CHAT);
    const again = await joinStream(stream, ann);
    expect(await again.next("chat_muted")).toMatchObject({ data: { userId: ann.id, until: expect.any(String) } });
    await (await joinStream(stream, bob)).expectNothing("chat_muted");
    const path = `/streams/${stream.id}/chat/mutes/${ann.id}`;
    expect((await call(path, { method: "DELETE", token: bob.token })).status).toBe(403);
    expect((await call(path, { method: "DELETE", token: owner.token })).status).toBe(200);
    expect(await sockets.ann.next("chat_muted")).toMatchObject({ data: { until: null } });
    expect((await post()).status).toBe(201);
    await (await joinStream(stream, ann)).expectNothing("chat_muted");
  });

  it("slow mode holds viewers back, not who moderates, and outlives the object's sleep", async () => {
    const { stream, owner, bob, sockets } = await mintAudience();
    const slow = (user: TestUser, seconds: number) =>
      call(`/streams/${stream.id}/chat/slow-mode`, { method: "PUT", token: user.token, body: { seconds } });
    expect((await slow(bob, 30)).status).toBe(403);
    expect((await slow(owner, -1)).status).toBe(400);
    expect((await slow(owner, 30)).status).toBe(200);
    expect(await sockets.ann.next("chat_slow_mode")).toMatchObject({ data: { streamId: stream.id, seconds: 30 } });
    expect(await sockets.ann.ask("chat_message", { message: "1" })).toMatchObject({ type: "ack" });
    expect(await sockets.ann.ask("chat_message", { message: "2" })).toMatchObject({ error: { code: "RATE_LIMIT" } });
    await evictDurableObject(roomOf(stream));
    expect(await sockets.ann.ask("chat_message", { message: "2" })).toMatchObject({ error: { code: "RATE_LIMIT" } });
    expect(await sockets.bob.ask("chat_message", { message: "3" })).toMatchObject({ type: "ack" });
    const newcomer = await joinStream(stream, bob);
    expect(await newcomer.next("chat_slow_mode")).toEqual({
      type: "chat_slow_mode",
      data: { streamId: stream.id, seconds: 30 },
    });
    for (const message of ["4", "5"]) {
      expect(await sockets.owner.ask("chat_message", { message })).toMatchObject({ type: "ack" });
    }
    expect((await slow(owner, 0)).status).toBe(200);
    expect(await sockets.ann.ask("chat_message", { message: "6" })).toMatchObject({ type: "ack" });
    await (await joinStream(stream, bob)).expectNothing("chat_slow_mode");
  });
});

describe("the stream's status", () => {
  it("reaches the room at once, in the log, however it changed", async () => {
    const { stream, owner, bob, sockets } = await mintAudience();
    await nginx("publish", stream.streamKey, 1);
    const live = await sockets.ann.next("stream:status");
    const { body } = await call(`/streams/${stream.id}`);
    expect(live).toEqual({
      type: "stream:status",
      data: { streamId: stream.id, status: "live", startTime: body.startTime, endTime: null },
      seq: 1,
    });
    // A viewer's `done`, a repeat: no news.
    await nginx("done", stream.streamKey, 8);
    await nginx("publish", stream.streamKey, 1);
    await sockets.ann.expectNothing("stream:status");
    await call(`/streams/${stream.id}`, { method: "PUT", token: owner.token, body: { status: "ended" } });
    const ended = await sockets.ann.next("stream:status");
    expect(ended.data).toMatchObject({ status: "ended", startTime: body.startTime, endTime: expect.any(String) });
    const back = await joinStream(stream, bob, `&since=1&epoch=${sockets.bob.frames[0]?.epoch}`);
    expect(await back.next("stream:status")).toEqual(ended);
    expect(JSON.stringify(sockets.ann.frames)).not.toContain(stream.streamKey);
  });

  it("an erased owner's room closes with 4004", async () => {
    const { stream, owner, ann, sockets } = await mintAudience();
    await env.DB.prepare("DELETE FROM users WHERE id = ?").bind(owner.id).run();
    const { results } = await env.DB.prepare("SELECT id, payload FROM outbox WHERE target = ? ORDER BY id")
      .bind(`stream:${stream.id}`)
      .all<{ id: number; payload: string }>();
    expect(results.map(({ payload }) => JSON.parse(payload))).toEqual([{ type: "stream:deleted" }]);
    await roomOf(stream).deliver([{ id: results[0]?.id ?? 0, payload: { type: "stream:deleted" } }]);
    expect(await sockets.ann.nextClose()).toMatchObject({ code: 4004, reason: "NOT_FOUND" });
    expect((await call(`/streams/${stream.id}/chat`, { token: ann.token })).status).toBe(404);
  });
});

describe("a banned viewer", () => {
  it("is cut off in the room", async () => {
    const { ann, sockets } = await mintAudience();
    const cut = { code: 4003, reason: "Account banned" };
    await env.USER_HUB.getByName(String(ann.id)).deliver([{ id: 1_000_000, payload: { frames: [], cut } }]);
    expect(await sockets.ann.nextClose()).toEqual(cut);
    await sockets.bob.expectNothing(...CHAT);
  });
});
