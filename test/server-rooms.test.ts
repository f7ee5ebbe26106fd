/** Rooms and presence by a product's own backend (SPEC 12). */
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { call, mintUser } from "./support/api.ts";
import { mintGroup, openRoom, promote } from "./support/rooms.ts";
import { deedsOfKey, mintKey, mintOwn, type OwnUser, serve } from "./support/server-api.ts";
import { openHub } from "./support/socket.ts";

let key: { id: string; key: string };
let ann: OwnUser;
let bob: OwnUser;
beforeAll(async () => {
  key = await mintKey("users", "tokens", "rooms", "read");
  [ann, bob] = [await mintOwn(key), await mintOwn(key)];
});

const roomOf = (user: { token: string }, id: string) => call(`/rooms/${id}`, { token: user.token });
const group = async (more: object = {}) => {
  const body = { name: "Order 7", isGroup: true, memberIds: [ann.externalId, { userId: bob.id }], ...more };
  return serve(key, "POST", "/rooms", body);
};

describe("a room by the system", () => {
  it("has its members and no owner; the backend adds, removes and ends, which is recorded", async () => {
    const own = await mintKey("rooms");
    const id = `order-${ann.id}`;
    const made = await serve(own, "POST", "/rooms", { id, name: "Order", isGroup: true, memberIds: [ann.id] });
    expect(made).toMatchObject({ status: 201, body: { id, ownerId: null, memberCount: 1, unreadCount: 0 } });
    expect((await serve(own, "POST", "/rooms", { id, name: "Order", isGroup: true, memberIds: [ann.id] })).status).toBe(
      409,
    );
    const add = (user: unknown) => serve(own, "POST", `/rooms/${id}/members`, { user });
    expect((await add({ externalId: bob.externalId })).status).toBe(201);
    expect((await add(bob.externalId)).status).toBe(200);
    expect((await add("nobody")).status).toBe(404);
    const addMember = (body: object) => serve(own, "POST", `/rooms/${id}/members`, body);
    for (const body of [{ userId: bob.id }, { user_id: String(bob.id) }, { externalId: bob.externalId }]) {
      expect((await addMember(body)).status).toBe(200);
    }
    for (const body of [{}, { userId: bob.id, externalId: bob.externalId }, { user: bob.id, userId: bob.id }]) {
      expect((await addMember(body)).status).toBe(400);
    }
    expect((await roomOf(bob, id)).body.members).toHaveLength(2);
    const socket = await openRoom(bob, id);
    expect((await serve(own, "DELETE", `/rooms/${id}/members/${bob.externalId}`)).status).toBe(200);
    expect((await socket.nextClose()).code).toBe(4003);
    expect((await serve(own, "DELETE", `/rooms/${id}/members/${bob.id}`)).status).toBe(404);
    expect((await serve(own, "DELETE", `/rooms/${id}`)).status).toBe(200);
    expect((await roomOf(ann, id)).status).toBe(404);
    expect((await serve(own, "DELETE", `/rooms/${id}`)).status).toBe(404);
    expect(await deedsOfKey(own)).toEqual(["create", "update", "update", "delete"].map((deed) => `${deed} room ${id}`));
  });

  it("may be the private one of two people, and is the same again", async () => {
    const body = { isGroup: false, memberIds: [ann.id, bob.id] };
    const made = await serve(key, "POST", "/rooms", body);
    expect(made.status).toBe(201);
    expect(await serve(key, "POST", "/rooms", body)).toMatchObject({ status: 200, body: { id: made.body.id } });
    for (const memberIds of [[ann.id], [ann.id, bob.id, (await mintUser()).id]]) {
      expect((await serve(key, "POST", "/rooms", { isGroup: false, memberIds })).status).toBe(400);
    }
    expect((await group({ memberIds: [] })).status).toBe(400);
    expect((await group({ memberIds: ["nobody"] })).status).toBe(404);
    expect((await serve(key, "DELETE", `/rooms/${made.body.id}`)).status).toBe(403);
  });

  it("hears the system, which is nobody; what it says once is once, and it deletes whoever's message", async () => {
    const { id } = (await group()).body;
    const socket = await openRoom(ann, String(id));
    const said = { content: "It is <b>on its way</b>", clientMessageId: "one" };
    const sent = await serve(key, "POST", `/rooms/${id}/messages`, said);
    expect(sent).toMatchObject({ status: 201, body: { userId: null, username: "The system", type: "system", seq: 1 } });
    expect(await socket.next("new_message")).toMatchObject({ seq: 1, data: { id: sent.body.id, userId: null } });
    expect((await serve(key, "POST", `/rooms/${id}/messages`, said)).body.id).toBe(sent.body.id);
    await socket.expectNothing("new_message");
    const anns = await call(`/rooms/${id}/messages`, { method: "POST", token: ann.token, body: { content: "spam" } });
    expect((await serve(key, "DELETE", `/rooms/${id}/messages/${anns.body.id}`)).status).toBe(200);
    expect((await socket.next("message_deleted")).data).toMatchObject({ messageId: anns.body.id, deletedBy: null });
    const { messages } = (await call(`/rooms/${id}/messages`, { token: bob.token })).body;
    expect(messages.map(({ id: message, username }: { id: string; username: string }) => [message, username])).toEqual([
      [sent.body.id, "The system"],
    ]);
    expect((await roomOf(bob, String(id))).body).toMatchObject({ unreadCount: 1 });
    for (const wrong of [
      {},
      { content: "x", type: "text" },
      { content: "x", fileUrl: "/x" },
      { content: "x".repeat(5001) },
    ]) {
      expect((await serve(key, "POST", `/rooms/${id}/messages`, wrong)).status).toBe(400);
    }
    expect((await serve(key, "POST", "/rooms/none/messages", { content: "x" })).status).toBe(404);
    expect((await serve(key, "DELETE", `/rooms/${id}/messages/none`)).status).toBe(404);
  });
});

describe("actAs", () => {
  it("does what the user may, and no more", async () => {
    const made = await group({ actAs: ann.externalId, memberIds: [] });
    expect(made).toMatchObject({ status: 201, body: { ownerId: ann.id, memberCount: 1 } });
    const { id } = made.body;
    const say = (actAs: unknown) =>
      serve(key, "POST", `/rooms/${id}/messages`, { actAs, content: "hi", client_message_id: "m" });
    expect(await say(ann.externalId)).toMatchObject({
      status: 201,
      body: { userId: ann.id, content: "hi", type: "text" },
    });
    expect((await say(bob.id)).status).toBe(403);
    expect((await serve(key, "POST", `/rooms/${id}/members`, { user: bob.id, actAs: bob.id })).status).toBe(403);
    expect((await serve(key, "POST", `/rooms/${id}/members`, { user: bob.id, actAs: ann.id })).status).toBe(201);
    const message = (await say(bob.id)).body;
    expect((await serve(key, "DELETE", `/rooms/${id}?actAs=${bob.externalId}`)).status).toBe(403);
    expect((await serve(key, "DELETE", `/rooms/${id}/messages/${message.id}?actAs=${ann.externalId}`)).status).toBe(
      200,
    );
    expect((await serve(key, "DELETE", `/rooms/${id}/members/${bob.id}?actAs=${ann.id}`)).status).toBe(200);
    expect((await serve(key, "DELETE", `/rooms/${id}?actAs=${ann.id}`)).status).toBe(200);
  });

  it("is nobody who came in by another door or has power: 403; nobody who is not there: 404", async () => {
    const { roomId, people } = await mintGroup("eve", "fay");
    const raised = await mintOwn(key);
    await promote(env.DB, raised, "moderator");
    for (const actAs of [people[0]?.id, raised.id, raised.externalId]) {
      expect((await serve(key, "POST", `/rooms/${roomId}/messages`, { actAs, content: "x" })).status).toBe(403);
    }
    expect((await serve(key, "POST", `/rooms/${roomId}/messages`, { actAs: "nobody", content: "x" })).status).toBe(404);
  });
});

describe("presence in bulk", () => {
  it("tells who is here of up to a hundred, by either id, and leaves out who is not known", async () => {
    const away = await mintOwn(key);
    const socket = await openHub(ann);
    await socket.ask("no-such-command");
    const ask = (users: string) => serve(key, "GET", `/presence?users=${users}`);
    const { status, body } = await ask(`${ann.externalId},${away.id},nobody`);
    expect(status).toBe(200);
    expect(body.presence).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ userId: ann.id, externalId: ann.externalId, isOnline: true }),
        expect.objectContaining({ userId: away.id, externalId: away.externalId, isOnline: false }),
      ]),
    );
    expect(body.presence).toHaveLength(2);
    expect((await ask(`${ann.id}&users=${away.id}`)).body.presence).toHaveLength(2);
    expect((await ask("")).status).toBe(400);
    expect((await ask(Array(101).fill("x").join(","))).status).toBe(400);
    socket.close();
  });
});
