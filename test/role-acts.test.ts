/** What moderators and admins do in rooms, courses and stream chats of others is in the audit, whatever way it came. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { run } from "./support/admin.ts";
import { mintUser, type TestUser } from "./support/api.ts";
import { mintStream } from "./support/media.ts";
import { as, openCourse, openRoom, promote } from "./support/rooms.ts";
import { stalled } from "./support/stalled.ts";
import { joinStream } from "./support/streams.ts";

type Row = { action: string; details: string; request_id: string; admin_username: string };

const [owner, ann, teacher] = [await mintUser("owner"), await mintUser("ann"), await mintUser("teacher")];
await promote(env.DB, teacher, "admin");

const mintModerator = async (): Promise<TestUser> => {
  const moderator = await mintUser("moderator");
  await promote(env.DB, moderator, "moderator");
  return moderator;
};

const rowsOf = (by: TestUser) =>
  run<Row>("SELECT action, details, request_id, admin_username FROM audit WHERE admin_id = ? ORDER BY id", by.id);

/** Resolves once the audit has this many rows of theirs: [action, details], in order. */
const recorded = async (by: TestUser, count: number) => {
  const rows = await vi.waitFor(async () => {
    const found = await rowsOf(by);
    expect(found.length).toBeGreaterThanOrEqual(count);
    return found;
  });
  return rows.map(({ action, details }) => [action, JSON.parse(details)]);
};

const groupOf = async (...others: TestUser[]): Promise<string> => {
  const body = { name: "Sailors", isGroup: true, memberIds: others.map(({ id }) => id) };
  return (await as(owner, "POST", "/rooms", body)).body.id;
};
const post = async (by: TestUser, path: string, body: object): Promise<string> => {
  const said = await as(by, "POST", path, body);
  expect(said.status).toBe(201);
  return String(said.body.id);
};

/** The database takes no rows of the audit until the answer is called. */
function refuseAudit(): () => void {
  const prepare = env.DB.prepare.bind(env.DB);
  const lost = stalled(() => Promise.reject(new Error("D1_ERROR: Network connection lost.")));
  const spy = vi
    .spyOn(env.DB, "prepare")
    .mockImplementation((sql) => (sql.includes("act_key") ? lost.prepare(sql) : prepare(sql)));
  return () => spy.mockRestore();
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("what a role lets somebody do in a chat of another's leaves one row in the audit", () => {
  it("in a group, over a socket, in the order in which it was done", async () => {
    const staff = await mintModerator();
    const id = await groupOf(ann, staff);
    const messageId = await post(ann, `/rooms/${id}/messages`, { content: "something bad" });
    const socket = await openRoom(staff, id);
    for (const [type, data] of [
      ["mute_member", { userId: ann.id, seconds: 60 }],
      ["unmute_member", { userId: ann.id }],
      ["delete_message", { messageId }],
      ["send_message", { content: "Behave", type: "announcement" }],
      // Nobody is muted any more, the message is gone, and what anybody may say is no act by role.
      ["unmute_member", { userId: ann.id }],
      ["delete_message", { messageId }],
      ["send_message", { content: "Thanks" }],
      ["mute_member", { userId: ann.id, seconds: 30 }],
    ] as const) {
      await socket.ask(type, data);
    }
    const room = { kind: "group", courseId: null };
    expect(await recorded(staff, 5)).toEqual([
      ["mute", { ...room, userId: ann.id, seconds: 60 }],
      ["unmute", { ...room, userId: ann.id }],
      ["delete_message", { ...room, messageId, authorId: ann.id }],
      ["message", { ...room, messageId: expect.any(String), type: "announcement" }],
      ["mute", { ...room, userId: ann.id, seconds: 30 }],
    ]);
    const { body } = await as(teacher, "GET", `/admin/audit?targetType=room&targetId=${id}&adminId=${staff.id}`);
    expect(body.pagination.total).toBe(5);
    const [newest] = body.entries;
    expect(newest).toMatchObject({ adminUsername: staff.username, action: "mute", keyId: null });
    expect(newest.requestId).not.toBe("");
    expect(newest).not.toHaveProperty("actKey");
  });

  it("in a course, over REST under the request's id, and over a socket", async () => {
    const staff = await mintModerator();
    const courseId = crypto.randomUUID();
    await post(teacher, "/chat/courses", { courseId, name: "Algebra" });
    const messageId = await post(ann, `/chat/courses/${courseId}/messages`, { message: "something bad" });
    const muted = await as(staff, "POST", `/chat/courses/${courseId}/members/${ann.id}/mute`, { seconds: 60 });
    expect(muted.status).toBe(200);
    const deleted = await as(staff, "DELETE", `/chat/messages/${messageId}`);
    expect(deleted.status).toBe(200);
    await (await openCourse(staff, courseId)).ask("chat:unmute_member", { userId: ann.id });
    const room = { kind: "course", courseId };
    expect(await recorded(staff, 3)).toEqual([
      ["mute", { ...room, userId: ann.id, seconds: 60 }],
      ["delete_message", { ...room, messageId, authorId: ann.id }],
      ["unmute", { ...room, userId: ann.id }],
    ]);
    const ids = (await rowsOf(staff)).map(({ request_id }) => request_id);
    expect(ids.slice(0, 2)).toEqual([muted, deleted].map(({ headers }) => headers.get("X-Request-Id")));
  });

  it("in a stream's chat, where they set slow mode and send events, too", async () => {
    const staff = await mintModerator();
    const stream = await mintStream(owner);
    const chat = `/streams/${stream.id}/chat`;
    const messageId = await post(ann, chat, { message: "something bad" });
    const socket = await joinStream(stream, staff);
    for (const [type, data] of [
      ["chat_delete", { messageId }],
      ["chat_delete", { messageId }],
      ["chat_mute", { userId: ann.id, seconds: 60 }],
      ["chat_slow_mode", { seconds: 30 }],
      ["chat_slow_mode", { seconds: 30 }],
      ["event", { name: "poll", data: { secret: 1 }, keep: true }],
    ] as const) {
      expect((await socket.ask(type, data)).type).toBe("ack");
    }
    expect((await as(staff, "PUT", `${chat}/slow-mode`, { seconds: 0 })).status).toBe(200);
    expect(await recorded(staff, 5)).toEqual([
      ["delete_message", { messageId, authorId: ann.id }],
      ["mute", { userId: ann.id, seconds: 60 }],
      ["update", { slowModeSeconds: 30, before: 0 }],
      ["publish", { event: "poll", keep: true }],
      ["update", { slowModeSeconds: 0, before: 30 }],
    ]);
  });

  it("none where it is one's own, and where it is refused", async () => {
    const staff = await mintModerator();
    const group = await groupOf(ann, teacher);
    const stream = await mintStream(staff);
    const said = await post(ann, `/rooms/${group}/messages`, { content: "something bad" });
    expect((await as(teacher, "POST", `/rooms/${group}/members/${owner.id}/mute`)).status).toBe(403);
    expect((await as(owner, "POST", `/rooms/${group}/members/${ann.id}/mute`)).status).toBe(200);
    expect((await as(owner, "DELETE", `/rooms/${group}/messages/${said}`)).status).toBe(200);
    const own = await post(teacher, `/rooms/${group}/messages`, { content: "mine" });
    expect((await as(teacher, "DELETE", `/rooms/${group}/messages/${own}`)).status).toBe(200);
    const chat = `/streams/${stream.id}/chat`;
    const message = await post(ann, chat, { message: "something bad" });
    for (const [method, path, body] of [
      ["PUT", `${chat}/slow-mode`, { seconds: 30 }],
      ["POST", `${chat}/mutes`, { userId: ann.id }],
      ["DELETE", `${chat}/${message}`, undefined],
    ] as const) {
      expect((await as(staff, method, path, body)).status).toBe(200);
    }
    for (const object of [env.CHAT_ROOM.getByName(group), env.STREAM_ROOM.getByName(String(stream.id))]) {
      const tables = await runInDurableObject(object, (_, { storage }) =>
        storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'pending_audit'").toArray(),
      );
      expect(tables).toEqual([]);
    }
    expect([await rowsOf(owner), await rowsOf(staff), await rowsOf(ann)]).toEqual([[], [], []]);
  });
});

describe("the row of an act by role", () => {
  /** A group in which somebody has just been muted by role. */
  const muted = async (staff: TestUser) => {
    const id = await groupOf(ann, staff);
    expect((await as(staff, "POST", `/rooms/${id}/members/${ann.id}/mute`)).status).toBe(200);
    return { id, room: env.CHAT_ROOM.getByName(id) };
  };

  it("comes after a crash while the database was not there, once, however often it is sent", async () => {
    const staff = await mintModerator();
    const answers = refuseAudit();
    const { room } = await muted(staff);
    await vi.waitFor(() => expect(vi.mocked(env.DB.prepare)).toHaveBeenCalledWith(expect.stringContaining("act_key")));
    expect(await rowsOf(staff)).toEqual([]);
    answers();
    const waiting = await runInDurableObject(room, (_, { storage }) =>
      storage.sql.exec<{ act: string }>("SELECT act FROM pending_audit").toArray(),
    );
    expect(waiting).toHaveLength(1);
    await evictDurableObject(room);
    await runDurableObjectAlarm(room);
    await recorded(staff, 1);
    // As if the object had crashed before it heard that the database has it.
    await runInDurableObject(room, async (_, { storage }) => {
      storage.sql.exec("INSERT INTO pending_audit (act) VALUES (?)", waiting[0]?.act);
      await storage.setAlarm(Date.now() + 60_000);
    });
    await evictDurableObject(room);
    await runDurableObjectAlarm(room);
    await vi.waitFor(async () => {
      const left = await runInDurableObject(room, (_, { storage }) =>
        storage.sql.exec("SELECT 1 FROM pending_audit").toArray(),
      );
      expect(left).toEqual([]);
    });
    expect(await rowsOf(staff)).toHaveLength(1);
  });

  it("is one where the answer to a request was lost, and the Worker asked the object again", async () => {
    const staff = await mintModerator();
    const id = await groupOf(ann, staff);
    const getByName = env.CHAT_ROOM.getByName.bind(env.CHAT_ROOM);
    let asked = 0;
    vi.spyOn(env.CHAT_ROOM, "getByName").mockImplementation((name) => {
      const stub = getByName(name);
      const executeFor = async (...args: Parameters<typeof stub.executeFor>) => {
        const outcome = await stub.executeFor(...args);
        asked += 1;
        if (asked === 1) throw Object.assign(new Error("The way back is lost."), { retryable: true });
        return outcome;
      };
      return new Proxy(stub, { get: (at, key) => (key === "executeFor" ? executeFor : Reflect.get(at, key)) });
    });
    expect((await as(staff, "POST", `/rooms/${id}/members/${ann.id}/mute`)).status).toBe(200);
    expect((await as(staff, "DELETE", `/rooms/${id}/members/${ann.id}/mute`)).status).toBe(200);
    expect(asked).toBe(3);
    expect(await recorded(staff, 2)).toEqual([
      ["mute", expect.objectContaining({ userId: ann.id })],
      ["unmute", expect.objectContaining({ userId: ann.id })],
    ]);
  });

  it("is there when the room goes right after it", async () => {
    const staff = await mintModerator();
    const answers = refuseAudit();
    const { id } = await muted(staff);
    answers();
    expect((await as(owner, "DELETE", `/rooms/${id}`)).status).toBe(200);
    expect(await recorded(staff, 1)).toEqual([["mute", expect.objectContaining({ userId: ann.id })]]);
  });

  it("has no name of a moderator who was erased before it came", async () => {
    const staff = await mintModerator();
    const answers = refuseAudit();
    const { room } = await muted(staff);
    expect((await as(teacher, "DELETE", `/admin/users/${staff.id}`, { reason: "spam" })).status).toBe(200);
    answers();
    await evictDurableObject(room);
    await runDurableObjectAlarm(room);
    await recorded(staff, 1);
    expect(await rowsOf(staff)).toMatchObject([{ admin_username: "Deleted user" }]);
  });
});
