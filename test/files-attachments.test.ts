/** Files in messages: who reads the chat reads the file (SPEC 14, "Attachments"). */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { FileInfo } from "../src/features/files/contract.ts";
import { post as adminPost, mintAdmin, run } from "./support/admin.ts";
import { bearer, call, mintUser, ORIGIN, type TestUser } from "./support/api.ts";
import { passTime } from "./support/clock.ts";
import { folderName, read, uploadNamed } from "./support/files.ts";
import { mintStream } from "./support/media.ts";
import { as, mintThree, openCourse, openRoom, post } from "./support/rooms.ts";

const upload = (by: TestUser, name = "avatar.png") => uploadNamed(by, name, { folder: folderName() });
const statusFor = async (url: string, by?: TestUser) => (await read(url, by ? bearer(by) : {})).status;
const grantsOf = (file: FileInfo) => run("SELECT * FROM file_grants WHERE file_id = ?", file.id);

/** A group of three, in which ann has sent a picture. */
async function mintSent() {
  const { roomId, ann, bob, cid } = await mintThree();
  const file = await upload(ann);
  const { status, body } = await post(ann, roomId, "look", { fileUrl: file.url });
  expect(status).toBe(201);
  const message: { id: string; fileUrl: string } = body;
  return { roomId, ann, bob, cid, file, message };
}

describe("a file that its uploader sends into a room", () => {
  it("opens for members by token, for whoever has the frame's link without one, and for nobody else", async () => {
    const { bob, file, message } = await mintSent();
    const stranger = await mintUser("stranger");
    expect(await statusFor(file.url, bob)).toBe(200);
    expect(await statusFor(file.url, stranger)).toBe(404);
    expect(await statusFor(file.url)).toBe(401);
    const link = new URL(message.fileUrl);
    expect(`${link.origin}${link.pathname}`).toBe(file.url);
    expect(await statusFor(message.fileUrl)).toBe(200);
    expect((await read(message.fileUrl)).headers.get("content-disposition")).toContain("inline");
  });

  it("is sent by its id as well, over a socket, in the same order as what comes after it", async () => {
    const { roomId, ann, bob } = await mintThree();
    const file = await upload(ann);
    const [mine, theirs] = [await openRoom(ann, roomId), await openRoom(bob, roomId)];
    mine.send({ type: "send_message", data: { content: "with a file", fileId: file.id } });
    mine.send({ type: "send_message", data: { content: "after it" } });
    const [first, second] = [await theirs.next("new_message"), await theirs.next("new_message")];
    expect([first.data.content, second.data.content]).toEqual(["with a file", "after it"]);
    expect(second.data.fileUrl).toBeNull();
    expect(await statusFor(first.data.fileUrl)).toBe(200);
    expect(await statusFor(file.url, bob)).toBe(200);
  });

  it("is understood in snake case, by its download's address, and by a path", async () => {
    const { roomId, ann, bob } = await mintThree();
    const file = await upload(ann);
    for (const address of [file.url.replace("/view/", "/download/"), new URL(file.url).pathname]) {
      const { body } = await post(ann, roomId, "look", { file_url: address });
      const link = new URL(body.fileUrl, ORIGIN);
      expect(link.pathname).toBe(new URL(address, ORIGIN).pathname);
      expect(await statusFor(link.href)).toBe(200);
    }
    expect((await post(ann, roomId, "look", { file_id: file.id })).status).toBe(201);
    expect(await statusFor(file.url, bob)).toBe(200);
  });

  it("keeps no signature: history, replay and the list of rooms sign anew, the log and the database have none", async () => {
    const { roomId, bob, message } = await mintSent();
    passTime(3700);
    expect(await statusFor(message.fileUrl)).toBe(403);
    const history = await as(bob, "GET", `/rooms/${roomId}/messages`);
    const replayed = await openRoom(bob, roomId, "&since=0");
    const list = await as(bob, "GET", "/rooms");
    const links = [
      history.body.messages[0].fileUrl,
      replayed.frames.find(({ type }) => type === "new_message")?.data.fileUrl,
      list.body.rooms.find((room: { id: string }) => room.id === roomId).lastMessage.fileUrl,
    ];
    for (const link of links) expect(await statusFor(link)).toBe(200);
    const [row] = await run<{ last_message: string }>("SELECT last_message FROM rooms WHERE id = ?", roomId);
    expect(row?.last_message).not.toContain("signature");
  });

  it("stays readable by token, when a link has become too old", async () => {
    const { bob, message } = await mintSent();
    passTime(3700);
    expect(await statusFor(message.fileUrl, bob)).toBe(200);
    expect(await statusFor(message.fileUrl)).toBe(403);
  });

  it("is nobody's to give but the owner's: another's file opens nothing", async () => {
    const { roomId, ann, bob, cid } = await mintThree();
    const file = await upload(ann);
    const { status, body } = await post(bob, roomId, "look what I found", { fileUrl: file.url });
    expect([status, body.fileUrl]).toEqual([201, file.url]);
    expect((await post(bob, roomId, "look", { fileId: file.id })).status).toBe(404);
    for (const who of [bob, cid]) expect(await statusFor(file.url, who)).toBe(404);
    expect(await grantsOf(file)).toEqual([]);
  });

  it("leaves addresses elsewhere, and what only looks like ours, as they are", async () => {
    const { roomId, ann } = await mintThree();
    for (const fileUrl of [
      "https://example.com/a.png",
      `${ORIGIN}/api/v1/files/view/general/${crypto.randomUUID()}.png`,
      `${ORIGIN}/api/v1/files/view/general/%zz.png`,
      `${ORIGIN}/api/v1/files/view/a/b/c.png`,
    ]) {
      expect((await post(ann, roomId, "look", { fileUrl })).body.fileUrl).toBe(fileUrl);
    }
    expect((await post(ann, roomId, "look", { fileUrl: "file:abc:/api/v1/files/view/a/b.png" })).status).toBe(400);
  });

  it("is given once for a message that is sent again", async () => {
    const { roomId, ann } = await mintThree();
    const file = await upload(ann);
    const send = () => post(ann, roomId, "look", { fileUrl: file.url, clientMessageId: "one" });
    const answers = await Promise.all(Array.from({ length: 5 }, send));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(await grantsOf(file)).toHaveLength(1);
  });

  it("is not given by a message that is refused", async () => {
    const { roomId, ann, bob, cid } = await mintThree();
    const file = await upload(bob);
    await call(`/rooms/${roomId}/members/${bob.id}/mute`, { method: "POST", token: ann.token, body: {} });
    expect((await post(bob, roomId, "look", { fileUrl: file.url })).status).toBe(403);
    expect((await post(bob, roomId, "look", { fileUrl: file.url, type: "system" })).status).toBe(403);
    expect(await grantsOf(file)).toEqual([]);
    expect(await statusFor(file.url, cid)).toBe(404);
  });
});

describe("the readers' right", () => {
  it("ends with the message, by token and by link", async () => {
    const { roomId, ann, bob, file, message } = await mintSent();
    expect((await as(ann, "DELETE", `/rooms/${roomId}/messages/${message.id}`)).status).toBe(200);
    expect(await statusFor(file.url, bob)).toBe(404);
    expect(await statusFor(message.fileUrl)).toBe(403);
    expect(await statusFor(file.url, ann)).toBe(200);
  });

  it("lasts while another message has the file", async () => {
    const { roomId, ann, bob, file, message } = await mintSent();
    await post(ann, roomId, "again", { fileUrl: file.url });
    await as(ann, "DELETE", `/rooms/${roomId}/messages/${message.id}`);
    expect(await statusFor(file.url, bob)).toBe(200);
  });

  it("ends for who leaves or is removed, also by the links that they have; not for the others", async () => {
    const { roomId, ann, bob, cid, file, message } = await mintSent();
    expect((await as(ann, "DELETE", `/rooms/${roomId}/members/${bob.id}`)).status).toBe(200);
    expect(await statusFor(file.url, bob)).toBe(404);
    expect(await statusFor(message.fileUrl, bob)).toBe(403);
    expect(await statusFor(message.fileUrl)).toBe(403);
    expect(await statusFor(message.fileUrl, cid)).toBe(200);
    expect(await statusFor((await as(cid, "GET", `/rooms/${roomId}/messages`)).body.messages[0].fileUrl)).toBe(200);
    expect((await as(cid, "DELETE", `/rooms/${roomId}/members/${cid.id}`)).status).toBe(200);
    expect(await statusFor(file.url, cid)).toBe(404);
  });

  it("ends with the room, and with the file", async () => {
    const gone = await mintSent();
    expect((await as(gone.ann, "DELETE", `/rooms/${gone.roomId}`)).status).toBe(200);
    expect(await statusFor(gone.file.url, gone.bob)).toBe(404);
    expect(await statusFor(gone.message.fileUrl)).toBe(403);
    expect(await grantsOf(gone.file)).toEqual([]);
    const { ann, bob, file, message } = await mintSent();
    await call(`/files/${file.folder}/${file.name}`, { method: "DELETE", token: ann.token });
    expect(await statusFor(file.url, bob)).toBe(404);
    expect(await statusFor(message.fileUrl)).toBe(403);
    expect(await grantsOf(file)).toEqual([]);
  });

  it("rests while the sender's account is closed; a ban of theirs leaves what they sent", async () => {
    const closed = await mintSent();
    await call("/auth/me", { method: "DELETE", token: closed.ann.token });
    expect(await statusFor(closed.file.url, closed.bob)).toBe(404);
    expect(await statusFor(closed.message.fileUrl)).toBe(403);
    const banned = await mintSent();
    await adminPost(await mintAdmin(), `/users/${banned.ann.id}/ban`, { reason: "spam" });
    expect(await statusFor(banned.file.url, banned.bob)).toBe(200);
  });

  it("is to read, not to change, nor to pass on", async () => {
    const { roomId, bob, file, cid } = await mintSent();
    const { folder, name } = file;
    expect((await call(`/files/${folder}/${name}`, { method: "DELETE", token: bob.token })).status).toBe(403);
    const signed = await call("/files/signed-url", { method: "POST", token: bob.token, body: { folder, file: name } });
    expect(signed.status).toBe(403);
    expect((await post(cid, roomId, "look", { fileId: file.id })).status).toBe(404);
  });

  it("does not go with a link that was changed", async () => {
    const [sent, other] = [await mintSent(), await mintSent()];
    const link = new URL(sent.message.fileUrl);
    const changes: [string, number, (url: URL) => unknown][] = [
      [
        "another grant",
        403,
        (url) => url.searchParams.set("grant", new URL(other.message.fileUrl).searchParams.get("grant") ?? ""),
      ],
      ["a later expiry", 403, (url) => url.searchParams.set("expires", "99999999999")],
      ["another file's path", 403, (url) => Object.assign(url, { pathname: new URL(other.file.url).pathname })],
      ["another way", 403, (url) => Object.assign(url, { pathname: url.pathname.replace("/view/", "/download/") })],
      ["no signature", 400, (url) => url.searchParams.delete("signature")],
      ["a grant twice", 400, (url) => url.searchParams.append("grant", "x")],
      ["something more", 400, (url) => url.searchParams.append("by", "1")],
    ];
    for (const [what, status, change] of changes) {
      const changed = new URL(link);
      change(changed);
      expect([what, await statusFor(changed.href)]).toEqual([what, status]);
    }
  });
});

describe("a file in a course", () => {
  it("opens for whoever may read there: of an open one, who is signed in; of a closed one, its members", async () => {
    const moderator = await mintUser("moderator");
    await env.DB.prepare("UPDATE users SET role = 'moderator' WHERE id = ?").bind(moderator.id).run();
    const [student, stranger] = [await mintUser("student"), await mintUser("stranger")];
    for (const joinPolicy of ["open", "members"] as const) {
      const courseId = `course-${crypto.randomUUID().slice(0, 8)}`;
      await call("/chat/courses", {
        method: "POST",
        token: moderator.token,
        body: { courseId, name: "c", joinPolicy },
      });
      await call(`/chat/courses/${courseId}/members`, {
        method: "POST",
        token: moderator.token,
        body: { userId: student.id },
      });
      const file = await upload(student, "homework.pdf");
      const socket = await openCourse(student, courseId);
      socket.send({ type: "chat:send_message", data: { message: "mine", message_type: "file", file_url: file.url } });
      const { data } = await socket.next("chat:new_message");
      expect(await statusFor(data.fileUrl)).toBe(200);
      expect(await statusFor(file.url, moderator)).toBe(200);
      expect(await statusFor(file.url, stranger)).toBe(joinPolicy === "open" ? 200 : 404);
      expect(await statusFor(file.url)).toBe(401);
    }
  });
});

describe("a file in a stream's chat", () => {
  it("opens for whoever is signed in, as the chat does, until its message or the stream is gone", async () => {
    const [caster, viewer] = [await mintUser("caster"), await mintUser("viewer")];
    const stream = await mintStream(caster);
    const file = await upload(caster);
    const write = () =>
      call(`/streams/${stream.id}/chat`, {
        method: "POST",
        token: caster.token,
        body: { message: "look", file_url: file.url },
      });
    const { status, body } = await write();
    expect([status, await statusFor(body.fileUrl)]).toEqual([201, 200]);
    const { messages } = (await as(viewer, "GET", `/streams/${stream.id}/chat`)).body;
    expect(await statusFor(messages[0].fileUrl)).toBe(200);
    expect(await statusFor(file.url, viewer)).toBe(200);
    expect(await statusFor(file.url)).toBe(401);
    expect((await as(caster, "DELETE", `/streams/${stream.id}/chat/${body.id}`)).status).toBe(200);
    expect(await statusFor(file.url, viewer)).toBe(404);
    expect((await write()).status).toBe(201);
    expect(await statusFor(file.url, viewer)).toBe(200);
    await run("DELETE FROM streams WHERE id = ?", stream.id);
    expect(await statusFor(file.url, viewer)).toBe(404);
  });
});
