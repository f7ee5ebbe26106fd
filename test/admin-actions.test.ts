import { describe, expect, it } from "vitest";
import { act, deeds, makeComment, makeVideo, mintAdmin, post, run } from "./support/admin.ts";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { folderName, uploadNamed } from "./support/files.ts";
import { mintStream } from "./support/media.ts";
import { as } from "./support/rooms.ts";
import { uploaded } from "./support/vod.ts";

const ACTIONS: [method: string, path: string, body?: object][] = [
  ["POST", "/users/ID/ban", { reason: "r" }],
  ["POST", "/users/ID/unban"],
  ["POST", "/users/ID/verify"],
  ["POST", "/users/ID/deactivate"],
  ["POST", "/users/ID/restore"],
  ["PUT", "/users/ID/role", { role: "moderator" }],
  ["DELETE", "/users/ID", { reason: "r" }],
  ["PUT", "/videos/ID/visibility", { visibility: "private" }],
  ["DELETE", "/videos/ID", { reason: "r" }],
  ["DELETE", "/comments/ID", { reason: "r" }],
  ["POST", "/reports/ID/resolve", { result: "r" }],
  ["POST", "/reports/ID/reject", { reason: "r" }],
];
describe("every action", () => {
  it.each(ACTIONS)(
    "%s %s is for admins, wants a good body, and knows what there is not",
    async (method, path, body) => {
      const [admin, user] = [await mintAdmin(), await mintUser()];
      const own = path.replace("ID", String(user.id));
      expect((await call(`/admin${own}`, { method, body })).status).toBe(401);
      expect((await act(user, method, own, body)).status).toBe(403);
      await run("UPDATE users SET role = 'moderator' WHERE id = ?", user.id);
      expect((await act(user, method, own, body)).status).toBe(403);
      expect((await act(admin, method, path.replace("ID", "999999"), body)).status).toBe(404);
      // A user may be named (SPEC 14), and nobody is called this.
      const unnamed = path.startsWith("/users/") ? 404 : 400;
      expect((await act(admin, method, path.replace("ID", "x"), body)).status).toBe(unnamed);
      if (body) {
        const [key = ""] = Object.keys(body);
        for (const bad of [{}, { [key]: "" }, { [key]: "x".repeat(501) }, { [key]: 7 }]) {
          expect((await act(admin, method, own, bad)).status).toBe(400);
        }
      }
      expect(await deeds(admin)).toEqual([]);
    },
  );

  it.each([
    ["/videos/bulk-delete", "video_ids", "reason"],
    ["/reports/bulk-resolve", "report_ids", "result"],
  ])("%s is for admins and takes 1 to 100 ids", async (path, ids, text) => {
    const [admin, user] = [await mintAdmin(), await mintUser()];
    const good = { [ids]: [999_999], [text]: "r" };
    expect((await call(`/admin${path}`, { method: "POST", body: good })).status).toBe(401);
    expect((await post(user, path, good)).status).toBe(403);
    const many = Array.from({ length: 101 }, (_, at) => at + 1);
    for (const bad of [
      { [ids]: [], [text]: "r" },
      { [ids]: many, [text]: "r" },
      { [ids]: [1] },
      { [ids]: ["x"], [text]: "r" },
    ]) {
      expect((await post(admin, path, bad)).status).toBe(400);
    }
  });
});

/** An act by a route that is everybody's, on something of `owner`'s: how it is called, and what the audit has of it. */
type Staffs = (
  owner: TestUser,
  by: TestUser,
) => Promise<{ call: [string, string, object?]; is: string; details: object }>;

const fileOf = async (owner: TestUser) =>
  uploadNamed(owner, "notes.pdf", { folder: folderName(), visibility: "public" });
const makeCourse = async (teacher: TestUser): Promise<{ courseId: string; id: string }> => {
  const courseId = crypto.randomUUID();
  expect((await as(teacher, "POST", "/chat/courses", { courseId, name: "Algebra" })).status).toBe(201);
  const [room] = await run<{ id: string }>("SELECT id FROM rooms WHERE course_id = ?", courseId);
  return { courseId, id: room?.id ?? "" };
};
const groupOf = async (owner: TestUser, ...others: TestUser[]): Promise<string> => {
  const body = { name: "Sailors", isGroup: true, memberIds: others.map(({ id }) => id) };
  return (await as(owner, "POST", "/rooms", body)).body.id;
};

const [owner, teacher, staff, stranger, other] = await Promise.all([
  mintUser("owner"),
  mintAdmin("teacher"),
  mintAdmin("staff"),
  mintUser("stranger"),
  mintUser("other"),
]);

const BY_ROLE: Record<string, Staffs> = {
  "deletes a file": async (owner) => {
    const { id, folder, name } = await fileOf(owner);
    return {
      call: ["DELETE", `/files/${folder}/${name}`],
      is: `delete file ${id}`,
      details: { ownerId: owner.id, folder, name },
    };
  },
  "moves a file": async (owner) => {
    const { id, folder, name } = await fileOf(owner);
    const body = { folder, file: name, targetFolder: folder, targetFile: "other.pdf" };
    return {
      call: ["POST", "/files/move", body],
      is: `move file ${id}`,
      details: { folder, name, toName: "other.pdf" },
    };
  },
  "makes a link to a file": async (owner) => {
    const { id, folder, name } = await fileOf(owner);
    const body = { folder, file: name, expiresIn: 60 };
    return { call: ["POST", "/files/signed-url", body], is: `share file ${id}`, details: { folder, name } };
  },
  "deletes a comment": async (owner) => {
    const videoId = await makeVideo(owner);
    const id = await makeComment(owner, videoId);
    await makeComment(owner, videoId, "a reply", id);
    return {
      call: ["DELETE", `/comments/${id}`],
      is: `delete comment ${id}`,
      details: { authorId: owner.id, videoId },
    };
  },
  "deletes a recording": async (owner) => {
    const stream = await mintStream(owner);
    const { id, title } = await uploaded(owner, stream.id);
    return { call: ["DELETE", `/vod/${id}`], is: `delete recording ${id}`, details: { ownerId: owner.id, title } };
  },
  "removes a member of a group": async (owner, by) => {
    const id = await groupOf(owner, other, by);
    return {
      call: ["DELETE", `/rooms/${id}/members/${other.id}`],
      is: `remove_member room ${id}`,
      details: { kind: "group", userId: other.id },
    };
  },
  "slows a group": async (owner, by) => {
    const id = await groupOf(owner, by);
    return {
      call: ["PATCH", `/rooms/${id}`, { slowModeSeconds: 30 }],
      is: `update room ${id}`,
      details: { slowModeSeconds: 30, before: 0 },
    };
  },
  "slows a course": async () => {
    const { courseId, id } = await makeCourse(teacher);
    return {
      call: ["PATCH", `/chat/courses/${courseId}`, { slowModeSeconds: 30 }],
      is: `update room ${id}`,
      details: { kind: "course", courseId, slowModeSeconds: 30, before: 0 },
    };
  },
  "brings somebody into a course": async (owner) => {
    const { courseId, id } = await makeCourse(teacher);
    const body = { userId: owner.id };
    return {
      call: ["POST", `/chat/courses/${courseId}/members`, body],
      is: `add_member room ${id}`,
      details: { courseId, userId: owner.id },
    };
  },
  "takes somebody out of a course": async (owner) => {
    const { courseId, id } = await makeCourse(teacher);
    await run("INSERT INTO room_members (room_id, user_id, joined_at) VALUES (?, ?, 1)", id, owner.id);
    return {
      call: ["DELETE", `/chat/courses/${courseId}/members/${owner.id}`],
      is: `remove_member room ${id}`,
      details: { courseId, userId: owner.id },
    };
  },
};

const detailsBy = async ({ id }: TestUser) => {
  const [row] = await run<{ details: string }>("SELECT details FROM audit WHERE admin_id = ? ORDER BY id DESC", id);
  return JSON.parse(row?.details ?? "null");
};

describe("what a role lets somebody do to what is another's, by a route that is everybody's", () => {
  it.each(Object.entries(BY_ROLE))("leaves one row in the audit: an admin who %s", async (_name, make) => {
    const before = (await deeds(staff)).length;
    const made = await make(owner, staff);
    const [method, path, body] = made.call;
    expect((await as(staff, method, path, body)).status).toBeLessThan(300);
    expect((await deeds(staff)).slice(before)).toEqual([made.is]);
    expect(await detailsBy(staff)).toMatchObject(made.details);
  });

  it("leaves none of what is one's own, of what an owner does in their group, and where it is refused", async () => {
    const before = await deeds(staff);
    for (const name of [
      "deletes a file",
      "moves a file",
      "makes a link to a file",
      "deletes a comment",
      "deletes a recording",
    ]) {
      const own = await BY_ROLE[name]?.(staff, staff);
      const [method = "", path = "", body] = own?.call ?? [];
      expect((await as(staff, method, path, body)).status, name).toBeLessThan(300);
    }
    for (const [name, make] of Object.entries(BY_ROLE)) {
      const [method, path, body] = (await make(owner, stranger)).call;
      expect((await as(stranger, method, path, body)).status, name).toBe(403);
    }
    const id = await groupOf(owner, other);
    expect((await as(owner, "PATCH", `/rooms/${id}`, { slowModeSeconds: 5 })).status).toBe(200);
    expect((await as(owner, "DELETE", `/rooms/${id}/members/${other.id}`)).status).toBe(200);
    expect([await deeds(owner), await deeds(stranger), await deeds(staff)]).toEqual([[], [], before]);
  });

  it("leaves one of a private file that an admin copies to themself, and none of what anybody may copy", async () => {
    const before = (await deeds(staff)).length;
    const copy = async ({ folder, name }: { folder: string; name: string }) =>
      (await as(staff, "POST", "/files/copy", { folder, file: name, targetFolder: folderName() })).status;
    const secret = await uploadNamed(owner, "secret.pdf", { folder: folderName() });
    expect(await copy(await fileOf(owner))).toBe(201);
    expect(await copy(secret)).toBe(201);
    expect((await deeds(staff)).slice(before)).toEqual([`copy file ${secret.id}`]);
    expect(await detailsBy(staff)).toMatchObject({ ownerId: owner.id, name: "secret.pdf", toName: "secret.pdf" });
  });

  it("leaves one of a course that is made, and of each copy of a file that goes along", async () => {
    const before = (await deeds(staff)).length;
    const { id } = await makeCourse(staff);
    const file = await fileOf(owner);
    const body = { folder: file.folder, file: file.name, targetFolder: folderName() };
    const copy = (await as(stranger, "POST", "/files/copy", body)).body.data.id;
    expect((await as(staff, "DELETE", `/files/${file.folder}/${file.name}`)).status).toBe(200);
    const [made, ...deleted] = (await deeds(staff)).slice(before);
    expect([made, ...deleted.sort()]).toEqual([
      `create room ${id}`,
      ...[`delete file ${copy}`, `delete file ${file.id}`].sort(),
    ]);
  });
});
