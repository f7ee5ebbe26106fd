import { evictDurableObject, listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { costOf, mintUser, type TestUser } from "./support/api.ts";
import { as, mintThree, openRoom, post } from "./support/rooms.ts";

describe("messages over REST", () => {
  it("are sent, edited, reacted to and deleted by the same rules as on the socket", async () => {
    const { roomId, ann, bob } = await mintThree();
    const socket = await openRoom(bob, roomId);
    const sent = await post(ann, roomId, "hello", { type: "image", fileUrl: "/api/v1/files/view/general/a.png" });
    expect(sent.status).toBe(201);
    expect(costOf(sent)).toMatchObject({ d1_queries: 1, object_calls: 1 });
    const { id } = sent.body;
    const data = { ...sent.body, room_id: roomId, user_id: ann.id, messageId: id, message_id: id };
    expect(await socket.next("new_message")).toEqual({ type: "new_message", seq: 1, data });
    const path = `/rooms/${roomId}/messages/${sent.body.id}`;
    expect((await as(bob, "PATCH", path, { content: "no" })).status).toBe(403);
    expect((await as(ann, "PATCH", path, { content: "hello!" })).body).toMatchObject({ content: "hello!", seq: 1 });
    expect((await socket.next("message_updated")).seq).toBe(2);
    const reacted = await as(bob, "POST", `${path}/reactions`, { emoji: "👍" });
    expect(reacted.body).toEqual({ messageId: sent.body.id, userId: bob.id, emoji: "👍", action: "added", count: 1 });
    expect((await as(bob, "POST", `${path}/reactions`, { emoji: "👍" })).body.count).toBe(1);
    expect((await as(ann, "DELETE", `${path}/reactions`, { emoji: "👍" })).body.count).toBe(1);
    expect((await as(ann, "POST", `${path}/reactions`, { emoji: "👍" })).body.count).toBe(2);
    const [message] = (await as(bob, "GET", `/rooms/${roomId}/messages`)).body.messages;
    expect(message).toMatchObject({ content: "hello!", type: "image", editedAt: expect.any(String) });
    expect(message.reactions).toEqual([{ emoji: "👍", count: 2, userIds: [ann.id, bob.id] }]);
    expect((await as(bob, "DELETE", `${path}/reactions`, { emoji: "👍" })).body).toMatchObject({ count: 1 });
    expect((await as(bob, "DELETE", path)).status).toBe(403);
    expect((await as(ann, "DELETE", path)).body.success).toBe(true);
    expect((await as(bob, "GET", `/rooms/${roomId}/messages`)).body).toEqual({ messages: [], nextCursor: null });
    const seqs = socket.frames.flatMap(({ seq, type }) => (type === "connected" ? [] : (seq ?? [])));
    expect((await as(ann, "DELETE", path)).status).toBe(404);
    expect(seqs).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("come newest first, in pages that neither miss nor repeat", async () => {
    const { roomId, ann, bob } = await mintThree();
    for (let at = 1; at <= 7; at += 1) await post(ann, roomId, `m${at}`);
    const texts: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page = await as(bob, "GET", `/rooms/${roomId}/messages?limit=3${cursor ? `&before=${cursor}` : ""}`);
      texts.push(...page.body.messages.map(({ content }: { content: string }) => content));
      cursor = page.body.nextCursor;
    }
    expect(texts).toEqual(["m7", "m6", "m5", "m4", "m3", "m2", "m1"]);
    const all = (await as(bob, "GET", `/rooms/${roomId}/messages`)).body.messages;
    const newer = await as(bob, "GET", `/rooms/${roomId}/messages?after=${all[2].id}`);
    expect(newer.body.messages.map(({ content }: { content: string }) => content)).toEqual(["m7", "m6"]);
    expect([...all].map(({ id }) => id).sort()).toEqual([...all].map(({ id }) => id).reverse());
  });

  it("refuse bad input, strangers and what is not there", async () => {
    const { roomId, ann } = await mintThree();
    const eve = await mintUser("eve");
    const { id } = (await post(ann, roomId, "x")).body;
    const base = `/rooms/${roomId}/messages`;
    for (const [method, path, body] of [
      ["GET", `${base}?limit=101`, undefined],
      ["GET", `${base}?before=junk`, undefined],
      ["POST", base, { content: "" }],
      ["POST", base, { content: "x".repeat(5001) }],
      ["POST", base, { content: "x", type: "nonsense" }],
      ["PATCH", `${base}/${id}`, {}],
      ["POST", `${base}/${id}/reactions`, { emoji: "a b" }],
      ["DELETE", `${base}/${id}/reactions`, {}],
      ["POST", `/rooms/${roomId}/read`, { seq: -1 }],
      ["GET", `${base}/search?q=`, undefined],
      ["GET", `${base}/search?q=${"x".repeat(101)}`, undefined],
    ] as const) {
      expect([path, (await as(ann, method, path, body)).status]).toEqual([path, 400]);
    }
    for (const [method, path, body] of [
      ["GET", base, undefined],
      ["POST", base, { content: "x" }],
      ["PATCH", `${base}/${id}`, { content: "x" }],
      ["DELETE", `${base}/${id}`, undefined],
      ["POST", `${base}/${id}/reactions`, { emoji: "👍" }],
      ["DELETE", `${base}/${id}/reactions`, { emoji: "👍" }],
      ["GET", `${base}/search?q=x`, undefined],
      ["POST", `/rooms/${roomId}/read`, { seq: 1 }],
    ] as const) {
      expect([path, (await as(eve, method, path, body)).status]).toEqual([path, 403]);
      expect([path, (await as(undefined, method, path, body)).status]).toEqual([path, 401]);
      const elsewhere = path.replace(roomId, crypto.randomUUID());
      expect([elsewhere, (await as(ann, method, elsewhere, body)).status]).toEqual([elsewhere, 404]);
    }
    expect((await as(ann, "PATCH", `${base}/${id.slice(0, -1)}z`, { content: "x" })).status).toBe(404);
    expect((await as(ann, "DELETE", `${base}/junk`)).status).toBe(404);
  });

  it("junk ids never make an object", async () => {
    const ann = await mintUser("ann");
    const before = (await listDurableObjectIds(env.CHAT_ROOM)).length;
    for (let at = 0; at < 20; at += 1) {
      const id = at % 2 ? crypto.randomUUID() : `junk-${at}`;
      expect((await post(ann, id, "x")).status).toBe(404);
      await as(ann, "GET", `/rooms/${id}/messages/search?q=x`);
      await as(ann, "GET", `/chat/courses/${id}/messages`);
      await as(ann, "DELETE", `/chat/messages/${id}_000000001`);
    }
    expect((await listDurableObjectIds(env.CHAT_ROOM)).length).toBe(before);
  });
});

describe("search", () => {
  const find = async (user: TestUser, roomId: string, q: string) => {
    const { status, body } = await as(user, "GET", `/rooms/${roomId}/messages/search?q=${encodeURIComponent(q)}`);
    expect(status).toBe(200);
    return body.messages.map(({ content }: { content: string }) => content);
  };

  it("finds every word or part of one, whatever the case, newest first, up to the last message", async () => {
    const { roomId, ann, bob } = await mintThree();
    for (const text of ["Hello World", "hell on earth", "ÄPFEL und Birnen", "日本語のテスト", "a 👍👍👍 day"]) {
      await post(ann, roomId, text);
    }
    expect(await find(bob, roomId, "hell")).toEqual(["hell on earth", "Hello World"]);
    expect(await find(bob, roomId, "WORLD hello")).toEqual(["Hello World"]);
    expect(await find(bob, roomId, "äpfel")).toEqual(["ÄPFEL und Birnen"]);
    expect(await find(bob, roomId, "日本")).toEqual(["日本語のテスト"]);
    expect(await find(bob, roomId, "👍👍👍")).toEqual(["a 👍👍👍 day"]);
    expect(await find(bob, roomId, "zebra")).toEqual([]);
    await post(ann, roomId, "hello once more");
    expect(await find(bob, roomId, "hello")).toEqual(["hello once more", "Hello World"]);
  });

  it("takes every character as it is: the index's language means nothing", async () => {
    const { roomId, ann, bob } = await mintThree();
    for (const text of [
      "100% sure",
      "100 sure",
      "snake_case",
      "snakexcase",
      'say "hi there"',
      "NEAR(here)",
      "star* *",
    ]) {
      await post(ann, roomId, text);
    }
    expect(await find(bob, roomId, "%")).toEqual(["100% sure"]);
    expect(await find(bob, roomId, "100%")).toEqual(["100% sure"]);
    expect(await find(bob, roomId, "snake_case")).toEqual(["snake_case"]);
    expect(await find(bob, roomId, '"hi')).toEqual(['say "hi there"']);
    expect(await find(bob, roomId, "NEAR(")).toEqual(["NEAR(here)"]);
    expect(await find(bob, roomId, "sta*")).toEqual([]);
    for (const odd of ['"', '""', "'", "content:x", "AND OR NOT", "^abc", "-abc", "(((", "\\", "a".repeat(100)]) {
      await find(bob, roomId, odd);
    }
  });

  it("knows the new text of an edited message, and not the old one; a deleted one is gone", async () => {
    const { roomId, ann, bob } = await mintThree();
    const { id } = (await post(ann, roomId, "the oldest wording")).body;
    const gone = (await post(ann, roomId, "to be deleted")).body.id;
    expect(await find(bob, roomId, "wording")).toHaveLength(1);
    expect(await find(bob, roomId, "deleted")).toHaveLength(1);
    await as(ann, "PATCH", `/rooms/${roomId}/messages/${id}`, { content: "the newest phrasing" });
    await as(ann, "DELETE", `/rooms/${roomId}/messages/${gone}`);
    expect(await find(bob, roomId, "wording")).toEqual([]);
    expect(await find(bob, roomId, "phrasing")).toEqual(["the newest phrasing"]);
    expect(await find(bob, roomId, "deleted")).toEqual([]);
  });

  it("goes on being right for what is old enough to be indexed", async () => {
    const { roomId, ann, bob } = await mintThree();
    const socket = await openRoom(ann, roomId);
    const ids: string[] = [];
    for (let at = 1; at <= 70; at += 1) {
      const text = at % 10 === 0 ? `needle ${at}` : `straw ${at}`;
      ids.push((await socket.ask("send_message", { content: text })).data.id);
    }
    const needles = [70, 60, 50, 40, 30, 20, 10].map((at) => `needle ${at}`);
    expect(await find(bob, roomId, "needle")).toEqual(needles);
    await as(ann, "PATCH", `/rooms/${roomId}/messages/${ids[4]}`, { content: "a needle after all" });
    await as(ann, "PATCH", `/rooms/${roomId}/messages/${ids[19]}`, { content: "haystack" });
    await as(ann, "DELETE", `/rooms/${roomId}/messages/${ids[39]}`);
    const now = needles.filter((text) => !/20|40/.test(text));
    expect(await find(bob, roomId, "needle")).toEqual([...now, "a needle after all"]);
    expect(await find(bob, roomId, "haystack")).toEqual(["haystack"]);
    const before = `/rooms/${roomId}/messages/search?q=needle&before=${ids[49]}&after=${ids[9]}`;
    const part = (await as(bob, "GET", before)).body.messages.map(({ content }: { content: string }) => content);
    expect(part).toEqual(["needle 30"]);
    const total = await runInDurableObject(env.CHAT_ROOM.getByName(roomId), (room) => room.statistics()?.totalMessages);
    expect(total).toBe(69);
  });

  it("comes in pages", async () => {
    const { roomId, ann } = await mintThree();
    for (let at = 1; at <= 5; at += 1) await post(ann, roomId, `needle ${at}`);
    const first = (await as(ann, "GET", `/rooms/${roomId}/messages/search?q=needle&limit=3`)).body;
    const rest = await as(ann, "GET", `/rooms/${roomId}/messages/search?q=needle&limit=3&before=${first.nextCursor}`);
    const all = [...first.messages, ...rest.body.messages].map(({ content }) => content);
    expect(all).toEqual(["needle 5", "needle 4", "needle 3", "needle 2", "needle 1"]);
    expect(rest.body.nextCursor).toBeNull();
  });

  it("looks through a large room in bounded pieces, says how far it came, and finds a rare short word by the index", async () => {
    const { roomId, ann, bob } = await mintThree();
    await post(ann, roomId, "a rare zq at the beginning");
    const room = env.CHAT_ROOM.getByName(roomId);
    await runInDurableObject(room, (_, { storage }) => {
      const rest = `WITH RECURSIVE n (at) AS (SELECT 2 UNION ALL SELECT at + 1 FROM n WHERE at < 60000)
        INSERT INTO log (seq, at, kind, nr, user_id, type, content)
        SELECT at, 0, 'message', at, ?, 'text', iif(at % 2, 'odd ones', 'even ones') FROM n`;
      storage.sql.exec(rest, ann.id);
    });
    await evictDurableObject(room);
    const search = async (q: string, before = "") => {
      const path = `/rooms/${roomId}/messages/search?q=${encodeURIComponent(q)}&limit=1${before && `&before=${before}`}`;
      const answer = await as(bob, "GET", path);
      return { ...answer.body, roomCalls: costOf(answer).object_calls ?? 0 };
    };
    expect(await search("ones")).toMatchObject({ messages: [{ content: "even ones" }], roomCalls: 1 });
    // In every block of the index, and in no message.
    const first = await search("odd even");
    expect(first).toMatchObject({ messages: [], nextCursor: expect.any(String), roomCalls: 20 });
    expect(await search("odd even", first.nextCursor)).toMatchObject({ messages: [], nextCursor: null });
    while (await runInDurableObject(room, (instance) => instance.statistics() === null));
    expect(await search("zq")).toMatchObject({ messages: [{ seq: 1 }], nextCursor: null, roomCalls: 1 });
    expect(await search("jx")).toMatchObject({ messages: [], nextCursor: null, roomCalls: 1 });
  });

  it("compares as people read: accents, widths, case, and what has no look of its own", async () => {
    const { roomId, ann, bob } = await mintThree();
    const socket = await openRoom(ann, roomId);
    const texts = [
      "Cafe\u0301 crème",
      "\uD55C\uAD6D\uC5B4".normalize("NFD"),
      "Straße",
      "ＦＵＬＬ width",
      "soft\u00ADhyphen",
      "<b>bold",
    ];
    for (const content of texts) await socket.ask("send_message", { content });
    // Enough for a block, so that most of them are in the index.
    for (let at = 0; at < 30; at += 1) await socket.ask("send_message", { content: `filler ${at}` });
    for (const [q, place] of [
      ["CAFÉ", 0],
      ["CRÈME".normalize("NFD"), 0],
      ["한국", 1],
      ["어", 1],
      ["STRASSE", 2],
      ["full", 3],
      ["Ｗidth", 3],
      ["softhyphen", 4],
      ["<b>bold", 5],
      ["ld", 5],
    ] as const) {
      expect(await find(bob, roomId, q), q).toEqual([texts[place]?.normalize("NFC").replace("<b", "<\u2060b")]);
    }
    expect(await find(bob, roomId, "rè")).toHaveLength(1);
    expect(await find(bob, roomId, "re")).toEqual([]);
  });

  it("takes no cursor of another room", async () => {
    const [{ roomId, ann }, other] = [await mintThree(), await mintThree()];
    const { id } = (await post(other.ann, other.roomId, "elsewhere")).body;
    for (const path of ["messages?", "messages/search?q=x&"]) {
      expect((await as(ann, "GET", `/rooms/${roomId}/${path}before=${id}`)).status).toBe(400);
    }
  });
});
