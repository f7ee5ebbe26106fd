/** Who is meant (SPEC 14, "Ids"): a user by number, by the product's own id, or by username. */
import { describe, expect, it } from "vitest";
import { mintAdmin } from "./support/admin.ts";
import { call, costOf, mintKnown, mintUser } from "./support/api.ts";
import { PRODUCTION } from "./support/production.ts";
import { as, mintGroup, openRoom } from "./support/rooms.ts";
import { callWith } from "./support/settings.ts";
import { freshExternalId, signShared } from "./support/shared.ts";
import { openHub, openSocket } from "./support/socket.ts";
import { host, join, offer } from "./support/webrtc.ts";

/** Somebody of the backend's, with an account here. */
async function mintExternal(externalId = freshExternalId()) {
  const token = await signShared({ sub: externalId });
  const { body } = await call("/auth/me", { token });
  return { id: Number(body.id), username: String(body.username), token, externalId };
}

const write = (token: string, receiverId: unknown) =>
  call("/messages", { method: "POST", token, body: { receiverId, content: "hello" } });

describe("a user is meant", () => {
  it("in a body, a path and a query by externalId, username and @username as by number", async () => {
    const [ann, bob, admin] = [await mintUser(), await mintExternal(), await mintAdmin()];
    for (const name of [
      bob.id,
      String(bob.id),
      bob.externalId,
      bob.username,
      `@${bob.username}`,
      bob.username.toUpperCase(),
    ]) {
      const { status, body } = await write(ann.token, name);
      expect([status, body.receiverId], String(name)).toEqual([201, bob.id]);
      expect((await call(`/users/${encodeURIComponent(name)}`)).body.id, String(name)).toBe(bob.id);
    }
    expect((await call(`/messages/with/${bob.externalId}`, { token: ann.token })).body.messages).toHaveLength(6);
    expect((await call(`/users/@${bob.username}/follow`, { method: "POST", token: ann.token })).status).toBe(200);
    const banned = { method: "POST", token: admin.token, body: { reason: "spam" } };
    expect((await call(`/admin/users/${bob.externalId}/ban`, banned)).status).toBe(200);
    const audit = `/admin/audit?adminId=@${admin.username}&action=ban`;
    expect((await call(audit, { token: admin.token })).body.entries).toMatchObject([{ targetId: String(bob.id) }]);
  });

  it("in lists and in frames, natively", async () => {
    const { roomId, people } = await mintGroup("owner", "member");
    const [owner, member] = people;
    const guest = await mintExternal();
    if (!owner || !member) throw new Error("Nobody is there.");
    expect((await as(owner, "POST", `/rooms/${roomId}/members`, { userId: guest.externalId })).status).toBe(201);
    const body = { isGroup: true, name: "Named", memberIds: [`@${member.username}`, guest.externalId, member.id] };
    expect((await as(owner, "POST", "/rooms", body)).body.memberCount).toBe(3);
    const socket = await openRoom(owner, roomId);
    const muted = await socket.ask("mute_member", { userId: guest.externalId, seconds: 60 });
    expect(muted.data).toMatchObject({ userId: guest.id });
    const hub = await openHub(owner);
    expect((await hub.ask("message:mark_seen", { conversationWith: guest.externalId })).type).toBe("ack");
    expect((await hub.ask("message:mark_seen", { conversationWith: "nobody-at-all" })).error.code).toBe("NOT_FOUND");
  });

  it("as the target of an offer", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintExternal()];
    const sessionId = await host(ann);
    const caller = await join(ann, sessionId);
    const called = await openSocket(`/webrtc/sessions/${sessionId}/ws?token=${bob.token}`);
    await called.ask("webrtc:join_session", { sessionId, displayName: "Bob", role: "student" });
    await caller.ask("webrtc:offer", { sessionId, targetUserId: bob.externalId, offer: offer("v=0") });
    expect((await called.next("webrtc:offer_received")).data.fromUserId).toBe(ann.id);
  });

  it("in the path of one's own socket, by any of one's names and nobody else's", async () => {
    const [bob, other] = [await mintExternal(), await mintExternal()];
    const { body: room } = await call("/rooms", {
      method: "POST",
      token: bob.token,
      body: { isGroup: true, name: "Own" },
    });
    for (const name of [bob.externalId, bob.username, `@${bob.username}`, bob.id]) {
      const socket = await openSocket(`//ws/${room.id}/${name}?token=${bob.token}`);
      expect((await socket.next("connected")).type, String(name)).toBe("connected");
    }
    for (const name of [other.externalId, other.username, other.id, "nobody-at-all"]) {
      const socket = await openSocket(`//ws/${room.id}/${name}?token=${bob.token}`);
      expect(await socket.nextClose(), String(name)).toMatchObject({ code: 4003 });
    }
  });
});

describe("nobody else is taken for them", () => {
  it("a decimal string is always our own number, also where it is somebody's externalId", async () => {
    const [ann, local] = [await mintUser(), await mintUser()];
    const impostor = await mintExternal(String(local.id));
    expect(impostor.id).not.toBe(local.id);
    expect((await write(ann.token, String(local.id))).body.receiverId).toBe(local.id);
  });

  it("a username that is somebody's externalId means who has that externalId; with @ the one who registered it", async () => {
    const externalId = `victim_${Math.random().toString(36).slice(2, 10)}`;
    const account = { username: externalId, email: `${externalId}@example.com`, password: "correct horse" };
    const squatter = (await call("/auth/register", { method: "POST", body: account })).body.user;
    const [ann, victim] = [await mintUser(), await mintExternal(externalId)];
    expect((await write(ann.token, externalId)).body.receiverId).toBe(victim.id);
    expect((await write(ann.token, `@${externalId}`)).body.receiverId).toBe(squatter.id);
  });

  it("an externalId is compared byte by byte, and one that begins with @ is never a username's", async () => {
    const id = freshExternalId();
    const [ann, bob] = [await mintUser(), await mintExternal(`${id}-É`)];
    expect((await write(ann.token, bob.externalId)).status).toBe(201);
    for (const other of [`${id}-é`, `${id}-E\u0301`, ` ${id}-É`, `${id}-É\u200d`]) {
      expect((await write(ann.token, other)).status, other).toBe(404);
    }
    const someone = await mintUser();
    await mintExternal(`@${someone.username}`);
    expect((await write(ann.token, `@${someone.username}`)).body.receiverId).toBe(someone.id);
  });

  it("in production with a backend, bare text is the backend's alone", async () => {
    const [ann, local, bob] = [await mintUser(), await mintUser(), await mintExternal()];
    const ask = (name: string) => callWith(PRODUCTION, `/users/${name}`, { token: ann.token });
    expect((await ask(bob.externalId)).body.id).toBe(bob.id);
    expect((await ask(`@${local.username}`)).body.id).toBe(local.id);
    expect((await ask(local.username)).status).toBe(404);
  });

  it("an erased person's externalId is nobody's", async () => {
    const [ann, bob, admin] = [await mintUser(), await mintExternal(), await mintAdmin()];
    await call(`/admin/users/${bob.id}`, { method: "DELETE", token: admin.token, body: { reason: "asked for" } });
    expect((await write(ann.token, bob.externalId)).status).toBe(404);
  });

  it("what was asked for is not repeated in the answer", async () => {
    const { status, body } = await write((await mintUser()).token, "<img src=x onerror=alert(1)>");
    expect([status, body.error.message]).toEqual([404, "There is no such user."]);
  });

  it("more names than a list may have are refused before anybody is looked for", async () => {
    const { token } = await mintUser();
    const memberIds = Array.from({ length: 2000 }, (_, index) => `nobody-${index}`);
    const answer = await call("/rooms", { method: "POST", token, body: { isGroup: true, name: "Many", memberIds } });
    expect(answer.status).toBe(400);
  });

  it.each([
    ["007", 400],
    ["12345678901234567", 400],
    ["", 400],
    [" ", 404],
    ["x".repeat(256), 400],
    [true, 400],
    [[3], 400],
    [1.5, 400],
    [-1, 400],
    [null, 400],
  ])("%j is refused", async (name, status) => {
    expect((await write((await mintUser()).token, name)).status).toBe(status);
  });
});

describe("what a name costs", () => {
  it("is one query more than a number's, for any number of names, and none where all are numbers", async () => {
    const [ann, bob, cid] = [await mintKnown(), await mintExternal(), await mintExternal()];
    const make = (memberIds: unknown[]) =>
      call("/rooms", { method: "POST", token: ann.token, body: { isGroup: true, name: "Cost", memberIds } });
    const numbers = costOf(await make([bob.id, String(cid.id)])).d1_queries ?? 0;
    expect(costOf(await make([bob.externalId, `@${cid.username}`])).d1_queries).toBe(numbers + 1);
  });
});
