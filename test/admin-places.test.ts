/** Rooms, streams, calls, files and who is connected, as admins find and end them (SPEC 4). */
import { describe, expect, it } from "vitest";
import { act, auditOf, deeds, me, mintAdmin, post, run } from "./support/admin.ts";
import { bearer, call, costOf, mintUser, type TestUser } from "./support/api.ts";
import { folderName, read, uploadNamed } from "./support/files.ts";
import { ACCEPTED, mintStream, nginx, REFUSED } from "./support/media.ts";
import { mintGroup, openCourse, openRoom, post as say } from "./support/rooms.ts";
import { openSocket } from "./support/socket.ts";
import { joinStream } from "./support/streams.ts";
import { meeting } from "./support/webrtc.ts";

const admin = await mintAdmin();
const list = async (path: string, query = "") => (await call(`/admin/${path}?${query}`, { token: admin.token })).body;
const search = (text: string) => `search=${encodeURIComponent(text)}`;
const mark = () => crypto.randomUUID().slice(0, 8);
const remove = (path: string, reason: string | undefined = "spam") => act(admin, "DELETE", path, { reason });
const end = (path: string) => post(admin, `${path}/end`, { reason: "indecent" });

const makeRoom = async (by: TestUser, body: object) =>
  (await call("/rooms", { method: "POST", token: by.token, body: { isGroup: true, memberIds: [], ...body } })).body;

async function makeCourse(courseId: string): Promise<string> {
  const body = { courseId, name: "Algebra", joinPolicy: "open" };
  expect((await call("/chat/courses", { method: "POST", token: admin.token, body })).status).toBe(201);
  return (await list("rooms", search(courseId))).rooms[0].id;
}

describe("only admins", () => {
  it("see and end these, and each act says why", async () => {
    const ann = await mintUser("ann");
    const acts = [
      ["DELETE", "/rooms/none"],
      ["POST", "/streams/999999/end"],
      ["DELETE", "/streams/999999"],
      ["POST", "/calls/none/end"],
      ["DELETE", "/files/none"],
      ["POST", "/users/999999/sign-out"],
    ] as const;
    for (const [method, path] of acts) {
      expect((await act({ token: "" }, method, path, { reason: "x" })).status, path).toBe(401);
      expect((await act(ann, method, path, { reason: "x" })).status, path).toBe(403);
      expect((await act(admin, method, path, { reason: " " })).status, path).toBe(400);
      expect((await act(admin, method, path, { reason: "x" })).status, path).toBe(404);
    }
    const looks = ["rooms/none/members", "calls/none/attendance", "users/1/whereabouts"];
    for (const path of ["rooms", "streams", "calls", "files", "live", ...looks]) {
      expect((await call(`/admin/${path}`)).status, path).toBe(401);
      expect((await call(`/admin/${path}`, { token: ann.token })).status, path).toBe(403);
    }
    expect((await call("/admin/rooms?sort_by=owner", { token: admin.token })).status).toBe(400);
    for (const path of ["users/999999/whereabouts", "rooms/none/members", "calls/none/attendance"]) {
      expect((await call(`/admin/${path}`, { token: admin.token })).status, path).toBe(404);
    }
  });
});

describe("the list of rooms", () => {
  it("finds each kind by its name, its id and its people, and never shows what was said", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const [name, courseId] = [`Sailors ${mark()}`, `course-${mark()}`];
    const group = await makeRoom(ann, { name });
    const pair = await makeRoom(ann, { isGroup: false, memberIds: [bob.id] });
    const course = await makeCourse(courseId);
    await say(ann, group.id, "a secret word");

    const { rooms, pagination } = await list("rooms", search(name.toUpperCase()));
    expect(pagination.total).toBe(1);
    expect(rooms).toEqual([
      expect.objectContaining({
        id: group.id,
        kind: "group",
        name,
        ownerUsername: ann.username,
        memberCount: 1,
        people: [],
      }),
    ]);
    expect(JSON.stringify(rooms)).not.toContain("secret");
    const found = async (text: string, more = "") =>
      (await list("rooms", `${search(text)}${more}`)).rooms.map(({ id }: { id: string }) => id);
    expect(await found(bob.username)).toEqual([pair.id]);
    expect((await list("rooms", search(bob.username))).rooms[0].people).toEqual([ann.username, bob.username]);
    expect(await found(ann.username)).toEqual([pair.id, group.id]);
    expect(await found(ann.username, "&order=asc")).toEqual([group.id, pair.id]);
    expect(await found(ann.username, "&kind=private")).toEqual([pair.id]);
    expect(await found(ann.username, "&limit=1&page=2")).toEqual([group.id]);
    expect(await found(ann.username, "&sort_by=member_count&order=asc")).toEqual([group.id, pair.id]);
    expect(await found(courseId)).toEqual([course]);
    expect(await found(group.id)).toEqual([group.id]);
    expect(await found("%")).toEqual([]);
  });

  it("compares letters of any alphabet without their case", async () => {
    const ann = await mintUser("ann");
    const id = mark();
    await makeRoom(ann, { name: `ĐÀ NẴNG Ωμέγα ${id}` });
    for (const text of [`đà nẵng ωμέγα ${id}`, `Đà Nẵng ΩΜΈΓΑ ${id}`, "đà nẵng ω"]) {
      expect((await list("rooms", search(text))).rooms.map(({ name }: { name: string }) => name)).toContain(
        `ĐÀ NẴNG Ωμέγα ${id}`,
      );
    }
    expect((await list("rooms", search(`da nang ${id}`))).rooms).toEqual([]);
    await makeRoom(ann, { name: `Straße Οδός Işık İzmir ${id}` });
    for (const text of ["straße", "STRASSE", "οδος ", "ΟΔΌΣ", "IŞIK", "ışık", "İzmir"]) {
      const { rooms } = await list("rooms", `${search(text)}&limit=100`);
      const isFound = rooms.some(({ name }: { name: string }) => name.endsWith(`İzmir ${id}`));
      expect([text, isFound]).toEqual([text, text !== "οδος "]);
    }
    // As many letters as a search may have, each in need of folding, and a quote.
    const many = `'${Array.from({ length: 90 }, (_, at) => String.fromCodePoint(0x430 + (at % 32))).join("")}`;
    expect((await list("rooms", search(many))).rooms).toEqual([]);
  });
});

describe("a room's members", () => {
  it("are listed, paged and found by their names, in one round trip", async () => {
    const { roomId, people } = await mintGroup("ann", "bob", "cid");
    const [ann, bob, cid] = people;
    await run("UPDATE users SET full_name = 'Bodo ' || username WHERE id = ?", bob.id);
    const members = (query = "") => list(`rooms/${roomId}/members`, query);
    const all = await members();
    expect(all.pagination).toEqual({ page: 1, limit: 20, total: 3, pages: 1 });
    const member = { username: ann.username, fullName: null, joinedAt: expect.any(String) };
    expect(all.members[0]).toEqual({ ...member, id: ann.id, isOwner: true });
    expect(all.members.slice(1)).toMatchObject([
      { id: bob.id, isOwner: false },
      { id: cid.id, isOwner: false },
    ]);
    expect(await members("limit=2&page=2")).toMatchObject({ members: [{ id: cid.id }], pagination: { pages: 2 } });
    const found = await members(search(`bodo ${bob.username}`.toUpperCase()));
    expect(found).toMatchObject({ members: [{ id: bob.id }], pagination: { total: 1 } });
    const { headers } = await call(`/admin/rooms/${roomId}/members`, { token: admin.token });
    expect(costOf({ headers })).toMatchObject({ d1_rows_written: 0, object_calls: 0 });
  });
});

describe("a room that an admin ends", () => {
  it("is gone with its sockets, for a member's list too, and the audit says what it was", async () => {
    const judge = await mintAdmin("judge");
    const { roomId, people } = await mintGroup("ann", "bob");
    const [ann] = people;
    const socket = await openRoom(ann, roomId);
    const hub = await openSocket(`/ws?token=${ann.token}`);
    await hub.next("connected");
    expect((await act(judge, "DELETE", `/rooms/${roomId}`, { reason: "scam" })).body.message).toBe("Room deleted");
    expect((await socket.nextClose()).code).toBe(4004);
    expect((await hub.next("room:removed")).data).toMatchObject({ roomId, reason: "deleted" });
    expect((await call(`/rooms/${roomId}`, { token: ann.token })).status).toBe(404);
    expect((await act(judge, "DELETE", `/rooms/${roomId}`, { reason: "scam" })).status).toBe(404);
    expect(await auditOf(judge)).toEqual([
      expect.objectContaining({ action: "delete", target_type: "room", target_id: roomId, reason: "scam" }),
    ]);
  });

  it("may be a course, but no two people's private room", async () => {
    const judge = await mintAdmin("judge");
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const courseId = `course-${mark()}`;
    const course = await makeCourse(courseId);
    const socket = await openCourse(ann, courseId);
    expect((await act(judge, "DELETE", `/rooms/${course}`, { reason: "over" })).status).toBe(200);
    expect((await socket.nextClose()).code).toBe(4004);
    expect((await call(`/chat/courses/${courseId}`, { token: ann.token })).status).toBe(404);

    const pair = await makeRoom(ann, { isGroup: false, memberIds: [bob.id] });
    const refused = await act(judge, "DELETE", `/rooms/${pair.id}`, { reason: "x" });
    expect([refused.status, refused.body.error.code]).toEqual([409, "CONFLICT"]);
    expect((await call(`/rooms/${pair.id}`, { token: ann.token })).status).toBe(200);
    expect(await deeds(judge)).toEqual([`delete room ${course}`]);
  });
});

describe("streams", () => {
  it("are found by title and owner, by status, and are taken off the air", async () => {
    const judge = await mintAdmin("judge");
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const title = `Regatta ${mark()}`;
    const stream = await mintStream(ann, { title });
    const viewer = await joinStream(stream, bob);
    expect(await nginx("publish", stream.streamKey, 7)).toMatchObject(ACCEPTED);
    const { streams } = await list("streams", search(title.toLowerCase()));
    expect(streams).toMatchObject([{ id: stream.id, ownerUsername: ann.username, status: "live", endReason: null }]);
    expect(JSON.stringify(streams)).not.toMatch(/key/i);
    expect((await list("streams", `${search(ann.username)}&status=ended`)).streams).toEqual([]);

    expect((await act(judge, "POST", `/streams/${stream.id}/end`, { reason: "indecent" })).status).toBe(200);
    expect((await viewer.next("stream:status")).data).toMatchObject({ streamId: stream.id, status: "live" });
    expect((await viewer.next("stream:status")).data).toMatchObject({ streamId: stream.id, status: "ended" });
    expect((await end(`/streams/${stream.id}`)).status).toBe(409);
    const [ended] = (await list("streams", `${search(ann.username)}&status=ended`)).streams;
    expect(ended).toMatchObject({ status: "ended", endReason: "admin" });
    expect(await nginx("update_publish", stream.streamKey, 7)).toMatchObject(REFUSED);
    expect(await deeds(judge)).toEqual([`end stream ${stream.id}`]);
  });

  it("are deleted while live: the room closes, and nobody publishes with the key any more", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const stream = await mintStream(ann);
    expect(await nginx("publish", stream.streamKey, 8)).toMatchObject(ACCEPTED);
    const viewer = await joinStream(stream, bob);
    expect((await remove(`/streams/${stream.id}`)).body.message).toBe("Stream deleted");
    expect((await viewer.nextClose()).code).toBe(4004);
    expect((await call(`/streams/${stream.id}`)).status).toBe(404);
    expect(await nginx("publish", stream.streamKey, 9)).toMatchObject(REFUSED);
    expect((await remove(`/streams/${stream.id}`)).status).toBe(404);
  });
});

describe("calls", () => {
  it("are found by title and host, and end for everybody", async () => {
    const judge = await mintAdmin("judge");
    const { sessionId, users, sockets } = await meeting("ann", "bob");
    const [ann] = users;
    const { calls, pagination } = await list("calls", `${search(ann.username)}&status=open`);
    expect([calls, pagination.total]).toMatchObject([
      [{ id: sessionId, hostUsername: ann.username, endedAt: null }],
      1,
    ]);
    expect((await list("calls", `${search(ann.username)}&status=ended`)).calls).toEqual([]);
    expect((await act(judge, "POST", `/calls/${sessionId}/end`, { reason: "indecent" })).status).toBe(200);
    for (const socket of sockets) expect((await socket.nextClose()).code).toBe(4004);
    expect((await end(`/calls/${sessionId}`)).status).toBe(409);
    expect((await list("calls", `${search(ann.username)}&status=ended`)).calls).toHaveLength(1);
    expect(await deeds(judge)).toEqual([`end call ${sessionId}`]);
  });

  it("show who was there by name, also when they have ended, paged and searched; of who was erased, the stay", async () => {
    const { sessionId, users } = await meeting("ann", "bob");
    const [ann, bob] = users;
    const stays = (query = "") => list(`calls/${sessionId}/attendance`, query);
    const { attendance, pagination } = await stays();
    expect(pagination).toEqual({ page: 1, limit: 20, total: 2, pages: 1 });
    expect(attendance[0]).toEqual({
      userId: ann.id,
      username: ann.username,
      fullName: null,
      joinedAt: expect.any(String),
      leftAt: null,
      seconds: expect.any(Number),
    });
    expect(await stays("limit=1&page=2")).toMatchObject({ attendance: [{ userId: bob.id }], pagination: { pages: 2 } });
    expect((await end(`/calls/${sessionId}`)).status).toBe(200);
    const found = await stays(search(bob.username.toUpperCase()));
    expect(found).toMatchObject({ attendance: [{ userId: bob.id }], pagination: { total: 1 } });
    expect(found.attendance[0].leftAt).not.toBeNull();
    expect((await remove(`/users/${bob.id}`)).status).toBe(200);
    expect((await stays()).attendance).toMatchObject([{ username: ann.username }, { userId: null, username: null }]);
    expect((await stays(search(bob.username))).attendance).toEqual([]);
  });
});

describe("files", () => {
  it("are found by name and owner, and go with their copies; what a video shows stays", async () => {
    const judge = await mintAdmin("judge");
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const folder = folderName();
    const file = await uploadNamed(ann, "Sáng.gif", { folder, visibility: "public" });
    const body = { folder, file: file.name, targetFolder: folder, targetFile: "bobs.gif" };
    const copy = (await call("/files/copy", { method: "POST", token: bob.token, body })).body.data;
    const ids = async (query: string) => (await list("files", query)).files.map(({ id }: { id: string }) => id);
    expect(await ids(search("SÁNG.GIF"))).toContain(file.id);
    expect(await ids(search(folder))).toEqual([copy.id, file.id]);
    expect(await ids(`${search(folder)}&category=video`)).toEqual([]);
    expect(await ids(`${search(bob.username)}&sort_by=size`)).toEqual([copy.id]);
    const [item] = (await list("files", search(ann.username))).files;
    expect(item).toMatchObject({ ownerUsername: ann.username, isHidden: false, size: file.size });
    expect((await read(item.url, bearer(admin))).status).toBe(200);

    expect((await act(judge, "DELETE", `/files/${file.id}`, { reason: "stolen" })).status).toBe(200);
    for (const { url } of [file, copy]) expect((await read(url, bearer(bob))).status).toBe(404);
    expect((await deeds(judge)).sort()).toEqual([`delete file ${copy.id}`, `delete file ${file.id}`].sort());

    const film = await uploadNamed(ann, "film.mp4");
    await call("/videos", { method: "POST", token: ann.token, body: { title: "t", fileId: film.id } });
    expect((await remove(`/files/${film.id}`)).status).toBe(409);
    expect((await read(film.url, bearer(ann))).status).toBe(200);
  });
});

describe("who is connected", () => {
  const known = (user: TestUser) => list("live", search(user.username));

  it("is listed without a call to any object, and where they are costs one", async () => {
    const [judge, ann] = [await mintAdmin("judge"), await mintUser("ann")];
    expect((await me(judge)).status).toBe(200);
    const { roomId, people } = await mintGroup("owner", "bob");
    const [, bob] = people;
    if (!bob) throw new Error("Nobody is in the group");
    await (await openSocket(`/ws?token=${bob.token}`)).next("connected");
    await openRoom(bob, roomId);
    await expect.poll(async () => (await known(bob)).people).toMatchObject([{ id: bob.id, username: bob.username }]);
    expect((await known(ann)).people).toEqual([]);
    const live = await call(`/admin/live?${search(bob.username)}`, { token: judge.token });
    expect(costOf(live)).toMatchObject({ d1_queries: 1, d1_rows_written: 0, object_calls: 0 });
    expect(live.body.pagination.total).toBe(1);
    expect(live.body.figures.connected).toBeGreaterThanOrEqual(1);

    const where = await call(`/admin/users/${bob.id}/whereabouts`, { token: judge.token });
    expect(where.body).toMatchObject({ connections: 1, places: [{ kind: "room", id: roomId, name: "The group" }] });
    expect(costOf(where)).toMatchObject({ d1_rows_written: 0, object_calls: 1 });
    const nowhere = await call(`/admin/users/${ann.id}/whereabouts`, { token: judge.token });
    expect(nowhere.body).toMatchObject({ connectedAt: null, connections: 0, places: [] });
  });

  it("is signed out everywhere: sockets close with 4001, the token and its ticket are dead, a password still works", async () => {
    const judge = await mintAdmin("judge");
    const { roomId, people } = await mintGroup("ann", "bob");
    const [ann, bob] = people;
    const hub = await openSocket(`/ws?token=${ann.token}`);
    await hub.next("connected");
    const sockets = [hub, await openRoom(ann, roomId)];
    const other = await openRoom(bob, roomId);
    expect((await act(judge, "POST", `/users/${ann.id}/sign-out`, { reason: "stolen phone" })).status).toBe(200);
    for (const socket of sockets) expect(await socket.nextClose()).toEqual({ code: 4001, reason: "UNAUTHORIZED" });
    expect((await call("/auth/me", { token: ann.token })).status).toBe(401);
    expect(other.closed).toBeUndefined();
    expect((await call("/auth/me", { token: bob.token })).status).toBe(200);
    const { username, password } = ann;
    const again = await call("/auth/login", { method: "POST", body: { username, password } });
    expect(again.status).toBe(200);
    await (await openSocket(`/ws?token=${again.body.token}`)).next("connected");
    expect(await deeds(judge)).toEqual([`sign_out user ${ann.id}`]);
  });
});

describe("parked deliveries", () => {
  it("are found by whom they are for, and by why they failed", async () => {
    const [target, reason] = [`room:${mark()}`, `Network ${mark()}`];
    await run(
      `INSERT INTO outbox_parked (id, target, payload, created_at, attempts, reason, parked_at)
       SELECT coalesce(max(id), 0) + 1000, ?, '{}', 0, 5, ?, 0 FROM outbox_parked`,
      target,
      reason,
    );
    for (const text of [target, reason.toUpperCase()]) {
      const { parked, pagination } = await list("outbox/parked", search(text));
      expect([parked, pagination.total]).toMatchObject([[{ target, reason }], 1]);
    }
    expect((await list("outbox/parked", search(`${target}x`))).parked).toEqual([]);
  });
});
