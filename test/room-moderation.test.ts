import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { mintUser, type TestUser } from "./support/api.ts";
import { as, mintThree, openRoom, post, promote } from "./support/rooms.ts";

describe("moderation", () => {
  it("who is muted reads but does not write, on every door, until it ends; the owner cannot be muted", async () => {
    const { roomId, ann, bob, cid } = await mintThree();
    const socket = await openRoom(bob, roomId);
    const { id } = (await post(bob, roomId, "mine")).body;
    const mute = (by: TestUser | undefined, who: number, body: unknown = { seconds: 60 }) =>
      as(by, "POST", `/rooms/${roomId}/members/${who}/mute`, body);
    expect((await mute(cid, bob.id)).status).toBe(403);
    expect((await mute(undefined, bob.id)).status).toBe(401);
    expect((await mute(ann, bob.id, { seconds: 0 })).status).toBe(400);
    expect((await mute(ann, 999_999)).status).toBe(404);
    expect((await mute(ann, ann.id)).status).toBe(403);
    expect((await mute(ann, bob.id)).body).toMatchObject({ userId: bob.id, mutedUntil: expect.any(String) });
    await evictDurableObject(env.CHAT_ROOM.getByName(roomId));
    expect((await post(bob, roomId, "no")).status).toBe(403);
    expect((await socket.ask("send_message", { content: "no" })).error.code).toBe("FORBIDDEN");
    expect((await socket.ask("edit_message", { messageId: id, content: "no" })).error.code).toBe("FORBIDDEN");
    expect((await socket.ask("delete_message", { messageId: id })).type).toBe("ack");
    const lifted = await as(ann, "DELETE", `/rooms/${roomId}/members/${bob.id}/mute`);
    expect(lifted.body).toEqual({ userId: bob.id, mutedUntil: null });
    expect((await socket.ask("send_message", { content: "free" })).type).toBe("ack");
  });

  it("mutes members alone, over a socket as over REST, and not moderators", async () => {
    const { roomId, ann, bob, cid } = await mintThree();
    const [stranger, socket] = [await mintUser("stranger"), await openRoom(ann, roomId)];
    await promote(env.DB, cid, "moderator");
    for (const type of ["mute_member", "unmute_member"]) {
      expect((await socket.ask(type, { userId: stranger.id })).error.code).toBe("NOT_FOUND");
      expect((await socket.ask(type, { userId: 999_999 })).error.code).toBe("NOT_FOUND");
    }
    expect((await socket.ask("mute_member", { userId: cid.id })).error.code).toBe("FORBIDDEN");
    expect((await as(ann, "POST", `/rooms/${roomId}/members/${stranger.id}/mute`)).status).toBe(404);
    expect((await as(ann, "POST", `/rooms/${roomId}/members/${cid.id}/mute`)).status).toBe(403);
    expect((await socket.ask("mute_member", { userId: bob.id })).data).toMatchObject({ userId: bob.id });
    expect((await post(bob, roomId, "no")).status).toBe(403);
    expect((await socket.ask("unmute_member", { userId: bob.id })).data).toEqual({ userId: bob.id, mutedUntil: null });
    const rows = await runInDurableObject(env.CHAT_ROOM.getByName(roomId), (_, { storage }) =>
      storage.sql.exec("SELECT user_id FROM mutes").toArray(),
    );
    expect(rows).toEqual([]);
  });

  it("slow mode makes members wait, also after an eviction; not who is in charge", async () => {
    const { roomId, ann, bob } = await mintThree();
    expect((await as(bob, "PATCH", `/rooms/${roomId}`, { slowModeSeconds: 60 })).status).toBe(403);
    const slowed = await as(ann, "PATCH", `/rooms/${roomId}`, { slowModeSeconds: 60 });
    expect(slowed.body.slowModeSeconds).toBe(60);
    expect((await post(bob, roomId, "one")).status).toBe(201);
    await evictDurableObject(env.CHAT_ROOM.getByName(roomId));
    const refused = await post(bob, roomId, "two");
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(50);
    for (const text of ["a", "b"]) expect((await post(ann, roomId, text)).status).toBe(201);
  });

  it("announcements are for who is in charge", async () => {
    const { roomId, ann, bob } = await mintThree();
    expect((await post(bob, roomId, "hear ye", { type: "announcement" })).status).toBe(403);
    expect((await post(ann, roomId, "hear ye", { type: "announcement" })).status).toBe(201);
  });

  it("100 messages a minute, socket and REST together", async () => {
    const { roomId, bob } = await mintThree();
    const socket = await openRoom(bob, roomId);
    for (let at = 0; at < 99; at += 1) socket.send({ type: "send_message", data: { content: "x" } });
    await socket.collect("new_message", 99);
    expect((await post(bob, roomId, "the hundredth")).status).toBe(201);
    const refused = await post(bob, roomId, "one too many");
    expect([refused.status, refused.body.error.code]).toEqual([429, "RATE_LIMIT"]);
    expect((await socket.ask("send_message", { content: "x" })).error.code).toBe("RATE_LIMIT");
  });
});
