/** Ids of the maker's choice are names (SPEC 14): what lies under a name is another thing each time it is made. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { mintUser } from "./support/api.ts";
import { closeOf, count, dial, freshName, makeNamed, roomIdOf } from "./support/places.ts";
import { as, mintGroup, openRoom, post, promote } from "./support/rooms.ts";
import { connectSocketIo } from "./support/socketio.ts";
import { get, open } from "./support/webrtc.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

describe("a group with a chosen id", () => {
  it("is called so in every path, answer and frame, while its messages go by an id of its own", async () => {
    const [ann, bob, cid] = [await mintUser("ann"), await mintUser("bob"), await mintUser("cid")];
    const id = freshName();
    expect(await makeNamed(ann, id, [bob])).toMatchObject({ status: 201, body: { id, ownerId: ann.id } });
    const path = `/rooms/${id}`;
    expect((await as(ann, "GET", path)).body).toMatchObject({ id, memberCount: 2, joinPolicy: "members" });
    expect((await as(bob, "GET", "/rooms")).body.rooms).toMatchObject([{ id }]);
    const socket = await openRoom(bob, id);
    expect(socket.frames[1]?.data.roomId).toBe(id);
    const said = await post(ann, id, "hello");
    expect(said).toMatchObject({ status: 201, body: { roomId: id } });
    const [own = ""] = said.body.id.split("_");
    expect(own).toMatch(UUID);
    expect(await socket.next("new_message")).toMatchObject({ data: { id: said.body.id, roomId: id } });
    const message = `${path}/messages/${said.body.id}`;
    expect((await as(bob, "POST", `${message}/reactions`, { emoji: "👍" })).status).toBe(200);
    expect((await socket.next("reaction")).data.roomId).toBe(id);
    expect((await as(ann, "PATCH", message, { content: "Hello" })).body).toMatchObject({ roomId: id });
    expect((await as(bob, "GET", `${path}/messages/search?q=hello`)).body.messages).toMatchObject([{ roomId: id }]);
    expect((await as(bob, "POST", `${path}/read`, { seq: 1 })).status).toBe(200);
    expect((await as(ann, "POST", `${path}/members`, { userId: cid.id })).status).toBe(201);
    expect((await as(ann, "PATCH", path, { name: "Anew" })).body).toMatchObject({ id, name: "Anew", memberCount: 3 });
    expect((await socket.next("room_updated")).data).toMatchObject({ roomId: id, id, name: "Anew" });
    expect((await as(ann, "POST", `${path}/members/${cid.id}/mute`, { seconds: 60 })).status).toBe(200);
    expect((await as(ann, "DELETE", `${path}/members/${bob.id}`)).status).toBe(200);
    expect((await socket.nextClose()).code).toBe(4003);
    const client = await connectSocketIo(cid);
    expect(await client.ask("join_room", { roomId: id })).toEqual({ success: true });
    expect((await client.next("online_users")).roomId).toBe(id);
    // Its own id is no second name, not even for its members.
    expect((await as(ann, "GET", `/rooms/${own}`)).status).toBe(404);
    expect(await closeOf(dial(ann, own))).toBe(4004);
  });

  it("has 1 to 64 letters, digits, _ . : and -, not dots alone, and case counts", async () => {
    const ann = await mintUser("ann");
    for (const bad of [".", "..", "...", "", "a/b", "a b", "é", "a%2e", "x".repeat(65), "<b>", 7, null]) {
      const group = { id: bad, isGroup: true, name: "x" };
      expect([bad, (await as(ann, "POST", "/rooms", group)).status]).toEqual([bad, 400]);
      expect([bad, (await as(ann, "POST", "/webrtc/sessions", { id: bad })).status]).toEqual([bad, 400]);
    }
    const stem = freshName("a_.:");
    for (const good of [stem, stem.toUpperCase(), `..${stem}`, stem.padEnd(64, "z")]) {
      expect((await makeNamed(ann, good)).body.id).toBe(good);
    }
  });

  it("is not made twice, though 20 try at once, nor under another room's name or own id", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const id = freshName();
    const tries = await Promise.all(Array.from({ length: 20 }, (_, n) => makeNamed(n % 2 ? ann : bob, id)));
    expect(tries.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 19 }, () => 409)]);
    const { roomId, people } = await mintGroup("eve");
    const mod = await mintUser("mod");
    await promote(env.DB, mod, "moderator");
    const courseId = freshName("course");
    await as(mod, "POST", "/chat/courses", { courseId, name: "x" });
    for (const taken of [roomId, await roomIdOf(id), await roomIdOf(courseId)]) {
      expect(await makeNamed(bob, taken)).toMatchObject({ status: 409, body: { error: { code: "CONFLICT" } } });
    }
    expect((await as(people[0], "GET", `/rooms/${roomId}`)).body.memberCount).toBe(1);
    // A taken id is told before who cannot be invited.
    expect((await makeNamed(bob, id, [{ ...ann, id: 999_999 }])).status).toBe(409);
  });

  it("can be made anew after its deletion, and nothing of the old room reaches the new one", async () => {
    const [ann, bob, eve] = [await mintUser("ann"), await mintUser("bob"), await mintUser("eve")];
    const id = freshName();
    await makeNamed(ann, id, [bob]);
    const old = await post(bob, id, "of old");
    const socket = await openRoom(bob, id);
    expect((await as(ann, "DELETE", `/rooms/${id}`)).status).toBe(200);
    expect((await socket.nextClose()).code).toBe(4004);
    expect((await as(ann, "GET", `/rooms/${id}`)).status).toBe(404);
    expect((await makeNamed(eve, id)).status).toBe(201);
    expect(await roomIdOf(id)).not.toBe(old.body.id.split("_")[0]);
    expect((await post(bob, id, "still here?")).status).toBe(403);
    expect(await closeOf(dial(bob, id))).toBe(4003);
    expect((await as(ann, "DELETE", `/rooms/${id}`)).status).toBe(403);
    expect((await as(eve, "GET", `/rooms/${id}/messages`)).body.messages).toEqual([]);
    expect((await as(eve, "GET", `/rooms/${id}/messages?before=${old.body.id}`)).status).toBe(400);
    const path = `/rooms/${id}/messages/${old.body.id}`;
    expect((await as(eve, "DELETE", path)).status).toBe(404);
    expect((await as(eve, "POST", `${path}/reactions`, { emoji: "👍" })).status).toBe(404);
  });

  it.each([
    ["open", false, "FORBIDDEN"],
    ["members", true, "NOT_FOUND"],
  ] as const)(
    "that is %s now takes in no lost Socket.IO connection of the room before",
    async (joinPolicy, isMember, code) => {
      const [ann, bob, eve] = [await mintUser("ann"), await mintUser("bob"), await mintUser("eve")];
      const id = freshName();
      await makeNamed(ann, id, [bob]);
      const own = await roomIdOf(id);
      const client = await connectSocketIo(bob);
      await client.ask("join_room", { roomId: id });
      await client.next("online_users");
      const { pid } = await client.connected();
      client.lose();
      // The name is another's already, and the old room has not yet told of its end.
      await env.DB.prepare("UPDATE rooms SET chosen_id = NULL WHERE id = ?").bind(own).run();
      await makeNamed(eve, id, isMember ? [bob] : [], { joinPolicy });
      const back = await connectSocketIo(bob, { pid, offset: client.offset });
      expect(await back.next("error")).toMatchObject({ code, room: id });
      expect(await back.ask("typing", { roomId: id, isTyping: true })).toMatchObject({ error: { code: "FORBIDDEN" } });
      expect((await as(eve, "GET", `/rooms/${id}`)).body.memberCount).toBe(isMember ? 2 : 1);
    },
  );
});

describe("a private pair", () => {
  it("keeps its room: another id for it is 409, its own or none finds it", async () => {
    const [ann, bob, cid] = [await mintUser("ann"), await mintUser("bob"), await mintUser("cid")];
    const pair = (from: typeof ann, to: typeof ann, id?: string) =>
      as(from, "POST", "/rooms", { ...(id === undefined ? {} : { id }), isGroup: false, memberIds: [to.id] });
    const id = freshName("p");
    expect(await pair(ann, bob, id)).toMatchObject({ status: 201, body: { id, isGroup: false } });
    expect(await pair(bob, ann, id)).toMatchObject({ status: 200, body: { id } });
    expect(await pair(bob, ann)).toMatchObject({ status: 200, body: { id } });
    expect((await pair(ann, bob, freshName("p"))).status).toBe(409);
    expect((await pair(ann, cid, id)).status).toBe(409);
    const unnamed = (await pair(ann, cid)).body.id;
    expect(await pair(cid, ann, unnamed)).toMatchObject({ status: 200, body: { id: unnamed } });
    expect((await pair(ann, cid, freshName("p"))).status).toBe(409);
    const open = { isGroup: false, memberIds: [bob.id], joinPolicy: "open" };
    expect((await as(ann, "POST", "/rooms", open)).status).toBe(400);
    expect(await closeOf(dial(cid, id))).toBe(4003);
  });
});

describe("a call with a chosen id", () => {
  it("is called so in frames and answers; once ended, another may be made, of which the old host is none", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const id = freshName("call");
    const make = (user: typeof ann, callId = id) => as(user, "POST", "/webrtc/sessions", { id: callId });
    expect(await make(ann)).toMatchObject({ status: 201, body: { id, hostId: ann.id } });
    expect((await make(bob)).status).toBe(409);
    const plain = (await as(ann, "POST", "/webrtc/sessions", {})).body.id;
    expect(plain).toMatch(UUID);
    expect((await make(bob, plain)).status).toBe(409);
    const socket = await open(bob, id);
    const joined = await socket.ask("webrtc:join_session", { sessionId: id });
    expect(joined.data).toMatchObject({ sessionId: id, participants: [{ userId: bob.id }] });
    expect((await socket.next("webrtc:participants_list")).data.sessionId).toBe(id);
    expect((await get(ann, `/webrtc/sessions/${id}/attendance`)).body.attendance).toHaveLength(1);
    const own = String(await env.DB.prepare("SELECT id FROM webrtc_sessions WHERE chosen_id = ?").bind(id).first("id"));
    expect((await get(ann, `/webrtc/sessions/${own}`)).status).toBe(404);
    expect((await as(bob, "DELETE", `/webrtc/sessions/${id}`)).status).toBe(403);
    expect((await as(ann, "DELETE", `/webrtc/sessions/${id}`)).status).toBe(200);
    expect((await socket.nextClose()).code).toBe(4004);
    expect((await get(ann, `/webrtc/sessions/${id}`)).body.endedAt).not.toBeNull();
    // Over for good, until somebody makes another.
    expect(await closeOf(open(bob, id))).toBe(4004);
    expect((await make(bob)).status).toBe(201);
    expect((await get(bob, `/webrtc/sessions/${id}/attendance`)).body.attendance).toEqual([]);
    expect((await get(ann, `/webrtc/sessions/${id}/attendance`)).status).toBe(403);
    expect((await as(ann, "DELETE", `/webrtc/sessions/${id}`)).status).toBe(403);
    expect(await count("webrtc_sessions WHERE chosen_id = ? AND ended_at IS NULL", id)).toBe(1);
  });
});
