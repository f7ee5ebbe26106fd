/** Objects that slept through releases: what they hold survives, in its place, under its epoch. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { CHAT_ROOM_SCHEMA } from "../src/chat/schema.ts";
import { HUB_SCHEMA } from "../src/hub/schema.ts";
import { run } from "./support/admin.ts";
import { as, mintThree, openRoom, post } from "./support/rooms.ts";
import { openSocket } from "./support/socket.ts";

/** Makes an object's SQLite what an earlier release had left: the first steps of its schema, and these rows. */
function setBack(sql: SqlStorage, steps: readonly unknown[], fill: () => void): void {
  sql.exec("DROP TABLE IF EXISTS search_terms");
  const own = sql.exec<{ name: string }>(
    `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%'
       AND name NOT LIKE 'search_%'`,
  );
  for (const { name } of own.toArray()) sql.exec(`DROP TABLE IF EXISTS ${name}`);
  for (const step of steps) sql.exec(String(step));
  sql.exec("CREATE TABLE schema_version (version INTEGER NOT NULL)");
  sql.exec("INSERT INTO schema_version (version) VALUES (?)", steps.length);
  fill();
}

describe("a room of an earlier release", () => {
  async function oldRoom() {
    const three = await mintThree();
    const { roomId, ann, bob } = three;
    const room = env.CHAT_ROOM.getByName(roomId);
    await room.summary(ann.id);
    await runInDurableObject(room, (_, { storage: { sql } }) =>
      setBack(sql, CHAT_ROOM_SCHEMA.slice(0, 2), () => {
        const say =
          "INSERT INTO log (seq, at, kind, nr, user_id, type, content) VALUES (?, ?, 'message', ?, ?, 'text', ?)";
        sql.exec(say, 1, 1000, 1, ann.id, "Ein CAFE\u0301 am Morgen");
        sql.exec(say, 2, 2000, 2, bob.id, "the second");
        sql.exec(
          "INSERT INTO log (seq, at, kind, nr, user_id, target, content, action, count) VALUES (3, 3000, 'reaction', 2, ?, 1, '❤', 'added', 1)",
          bob.id,
        );
        for (const [emoji, userId] of [
          ["❤", bob.id],
          ["❤\uFE0F", ann.id],
          ["❤\uFE0F", bob.id],
        ]) {
          sql.exec("INSERT INTO reactions (message, emoji, user_id) VALUES (1, ?, ?)", emoji, userId);
        }
        sql.exec("INSERT INTO people (user_id, username, is_recorded) VALUES (?, ?, 1)", ann.id, ann.username);
        sql.exec("INSERT INTO people (user_id, username) VALUES (?, ?)", bob.id, bob.username);
        sql.exec("INSERT INTO mutes (user_id, until) VALUES (?, ?)", three.cid.id, Date.now() + 60_000);
        sql.exec("INSERT INTO state (epoch, indexed_seq) VALUES ('old-epoch', 0)");
      }),
    );
    await evictDurableObject(room);
    return three;
  }

  it("keeps its log, epoch, mutes and reactions, which count by how they look", async () => {
    const { roomId, ann, bob, cid } = await oldRoom();
    const socket = await openSocket(`/rooms/${roomId}/ws?token=${ann.token}&since=1&epoch=old-epoch`);
    expect(await socket.next("connected")).toMatchObject({ seq: 3, epoch: "old-epoch" });
    expect(await socket.next("new_message")).toMatchObject({ seq: 2, data: { content: "the second" } });
    expect(await socket.next("reaction")).toMatchObject({ seq: 3, data: { emoji: "❤", count: 1 } });
    const { messages } = (await as(ann, "GET", `/rooms/${roomId}/messages`)).body;
    expect(messages[1].reactions).toEqual([
      { emoji: expect.stringMatching(/^❤/), count: 2, userIds: [ann.id, bob.id] },
    ]);
    expect((await post(cid, roomId, "no")).status).toBe(403);
    expect((await post(bob, roomId, "goes on")).body.seq).toBe(4);
    const path = `/rooms/${roomId}/messages/search?q=${encodeURIComponent("café")}`;
    expect((await as(bob, "GET", path)).body.messages).toHaveLength(1);
    expect(await env.CHAT_ROOM.getByName(roomId).statistics()).toMatchObject({ totalMessages: 3, activeUsers: 2 });
  });

  it("records everybody it names, so that they can be erased from it", async () => {
    const { roomId, ann, bob, cid } = await oldRoom();
    await openRoom(ann, roomId);
    await as(ann, "GET", `/rooms/${roomId}/messages`);
    const recorded = await run("SELECT user_id FROM user_references WHERE target = ? ORDER BY 1", `room:${roomId}`);
    // Ann's row says that the database knows her, and is believed.
    expect(recorded).toEqual([{ user_id: bob.id }, { user_id: cid.id }]);
  });
});

describe("a user's object of an earlier release", () => {
  it("still knows which rooms its user is in, and tells them of a ban that waited", async () => {
    const { ann, roomId } = await mintThree();
    const hub = env.USER_HUB.getByName(String(ann.id));
    const socket = await openRoom(ann, roomId);
    await hub.isOnline();
    await runInDurableObject(hub, (_, { storage }) => {
      setBack(storage.sql, HUB_SCHEMA.slice(0, 2), () => {
        const cut = { code: 4003, reason: "Account banned", userId: ann.id };
        storage.sql.exec("INSERT INTO places (kind, name) VALUES ('CHAT_ROOM', ?)", roomId);
        const errand = "INSERT INTO errands (kind, name, errand) VALUES ('CHAT_ROOM', ?, ?)";
        storage.sql.exec(errand, roomId, JSON.stringify({ cut }));
      });
      return storage.setAlarm(Date.now());
    });
    await evictDurableObject(hub);
    expect(await hub.isIn("CHAT_ROOM")).toBe(true);
    await runDurableObjectAlarm(hub);
    expect(await socket.nextClose()).toMatchObject({ code: 4003, reason: "Account banned" });
  });

  it("obeys deliveries that were written by the release before", async () => {
    const { ann, roomId } = await mintThree();
    const socket = await openRoom(ann, roomId);
    const hub = env.USER_HUB.getByName(String(ann.id));
    const payload = { cut: { code: 4003, reason: "Account banned" } };
    expect(await hub.deliver([{ id: 1_000_000_001, payload }])).toEqual([]);
    expect(await socket.nextClose()).toMatchObject({ code: 4003, reason: "Account banned" });
  });
});
