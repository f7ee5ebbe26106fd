/** The messenger's frontend, as it is written (SPEC 14): its own path, rooms and users of its own choice. */
import { describe, expect, it } from "vitest";
import { mintUser } from "./support/api.ts";
import { dial, freshName } from "./support/places.ts";
import { as } from "./support/rooms.ts";

describe("the messenger's page", () => {
  it("opens the socket of a room that nobody made, under its user's name, and talks", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const room = freshName();
    const socket = await dial(ann, room, ann.username);
    await socket.next("online_users");
    const other = await dial(bob, room, bob.username);
    await other.next("online_users");
    socket.send({ type: "send_message", data: { content: "hello" } });
    const { data } = await other.next("new_message");
    expect(data).toMatchObject({ roomId: room, userId: ann.id, username: ann.username, content: "hello" });
    other.send({ type: "reaction", data: { messageId: data.id, emoji: "👍" } });
    expect((await socket.next("reaction")).data).toMatchObject({ roomId: room, userId: bob.id, emoji: "👍", count: 1 });
    other.send({ type: "typing", data: { isTyping: true } });
    expect((await socket.next("typing")).data).toMatchObject({ roomId: room, user_id: bob.id });
    expect([...socket.frames, ...other.frames].filter(({ type }) => type === "error")).toEqual([]);
  });

  it("makes its rooms under ids of its own, lists, leaves and deletes them", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const id = crypto.randomUUID();
    const made = await as(ann, "POST", "/rooms", { id, name: "The team", is_group: 1, member_ids: [String(bob.id)] });
    expect(made).toMatchObject({ status: 201, body: { id, isGroup: true, memberCount: 2, ownerId: ann.id } });
    const socket = await dial(bob, id, bob.username);
    expect((await socket.next("online_users")).data.roomId).toBe(id);
    expect((await as(bob, "GET", "/rooms")).body.rooms).toMatchObject([{ id, name: "The team" }]);
    expect((await as(bob, "DELETE", `/rooms/${id}/members/${bob.id}`)).status).toBe(200);
    expect((await socket.nextClose()).code).toBe(4003);
    expect((await as(ann, "DELETE", `/rooms/${id}`)).status).toBe(200);
    expect((await (await dial(ann, id, ann.username)).nextClose()).code).toBe(4004);
  });
});
