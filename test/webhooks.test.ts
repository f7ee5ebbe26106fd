import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { describe, expect, it, vi } from "vitest";
import { config } from "../src/config.ts";
import { runCron } from "../src/cron.ts";
import { WebhookEventType } from "../src/features/webhooks/contract.ts";
import { WebhookEvent } from "../src/features/webhooks/event-contract.ts";
import { signedHeaders } from "../src/features/webhooks/signing.ts";
import { refusalOf } from "../src/platform/outside-address.ts";
import { auditOf, mintAdmin, post as postAdmin, run } from "./support/admin.ts";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { makeEndpoint, standIn } from "./support/backend.ts";
import { uploadNamed } from "./support/files.ts";
import { mintStream, nginx } from "./support/media.ts";
import { as, post } from "./support/rooms.ts";
import { mintKey, mintOwn, serve } from "./support/server-api.ts";
import { openHub } from "./support/socket.ts";
import { uploaded } from "./support/vod.ts";
import { host } from "./support/webrtc.ts";

const URL_OF_OURS = "https://product.example/hooks";

const create = (admin: { token: string }, body: object) =>
  call("/admin/webhooks", { method: "POST", token: admin.token, body });

describe("an endpoint", () => {
  it("is made by an admin, shows its secret once, is changed, switched off and deleted; each act is in the audit", async () => {
    const admin = await mintAdmin();
    const made = await create(admin, { url: URL_OF_OURS, events: ["room.created", "room.created"], batchSize: 5 });
    expect(made.status).toBe(201);
    const { secret, ...shown } = made.body;
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/=]{44}$/);
    expect(shown).toMatchObject({ url: URL_OF_OURS, events: ["room.created"], batchSize: 5, isActive: true });
    const path = `/admin/webhooks/${shown.id}`;
    expect((await call(path, { token: admin.token })).body).toEqual(shown);
    expect(JSON.stringify((await call("/admin/webhooks", { token: admin.token })).body)).not.toContain(secret);
    const wanted = () => run<{ event: string }>("SELECT event FROM webhook_events WHERE webhook_id = ?", shown.id);
    expect(await wanted()).toEqual([{ event: "room.created" }]);
    const patch = (body: object) => call(path, { method: "PATCH", token: admin.token, body });
    expect((await patch({ isActive: false })).body).toMatchObject({ isActive: false, url: URL_OF_OURS });
    expect(await wanted()).toEqual([]);
    expect((await patch({ isActive: true, events: ["call.ended"] })).body).toMatchObject({ offReason: null });
    expect(await wanted()).toEqual([{ event: "call.ended" }]);
    expect((await call(path, { method: "DELETE", token: admin.token })).body).toMatchObject({ success: true });
    expect((await patch({ isActive: true })).status).toBe(404);
    const audit = await auditOf(admin);
    expect(audit.map((entry) => `${entry.action} ${entry.target_type} ${entry.target_id}`)).toEqual(
      ["create", "update", "update", "delete"].map((action) => `${action} webhook ${shown.id}`),
    );
    expect(JSON.stringify(await run("SELECT * FROM audit"))).not.toContain(secret);
  });

  it("is found by its address, its description and its events, by status, and on pages; who asks for no page gets all", async () => {
    const admin = await mintAdmin();
    const mark = crypto.randomUUID().slice(0, 8);
    const url = (n: number) => `https://product.example/${mark}/${n}`;
    const ids: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      const events = n === 1 ? ["call.ended"] : ["room.created"];
      ids.push((await create(admin, { url: url(n), events, description: n === 2 ? `Straße ${mark}` : null })).body.id);
    }
    await call(`/admin/webhooks/${ids[3]}`, { method: "PATCH", token: admin.token, body: { isActive: false } });
    const list = async (query: string) => (await call(`/admin/webhooks?${query}`, { token: admin.token })).body;
    const found = async (text: string, more = "") =>
      (await list(`search=${encodeURIComponent(text)}${more}`)).webhooks.map(({ id }: { id: number }) => id);
    expect(await found(`${mark}/0`)).toEqual([ids[0]]);
    expect(await found(`STRASSE ${mark}`)).toEqual([ids[2]]);
    expect(await found("CALL.ended")).toEqual([ids[1]]);
    expect(await found(mark, "&status=off")).toEqual([ids[3]]);
    expect(await found(mark, "&status=on")).toEqual(ids.slice(0, 3));
    expect(await found(mark, "&limit=3&page=2")).toEqual([ids[3]]);
    expect(await found("_")).toEqual([]);
    const whole = await list("");
    expect([whole.webhooks.length, whole.pagination]).toEqual([4, { page: 1, limit: 100, total: 4, pages: 1 }]);
    expect((await call("/admin/webhooks?status=odd", { token: admin.token })).status).toBe(400);
    await run("DELETE FROM webhooks");
  });

  it("is for admins alone, and of known events alone", async () => {
    const [admin, user] = [await mintAdmin(), await mintUser()];
    expect((await create(user, { url: URL_OF_OURS, events: ["room.created"] })).status).toBe(403);
    for (const body of [
      { url: URL_OF_OURS, events: [] },
      { url: URL_OF_OURS, events: ["room.exploded"] },
      { events: ["room.created"] },
    ]) {
      expect((await create(admin, body)).status).toBe(400);
    }
    expect((await call("/admin/webhooks/999999", { token: admin.token })).status).toBe(404);
  });
});

describe("an address", () => {
  const INSIDE = [
    "http://product.example/",
    "https://product.example:8443/",
    "https://user:secret@product.example/",
    "ftp://product.example/",
    "https://localhost/",
    "https://intranet/",
    "https://db.internal/",
    "https://printer.local./",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://10.1.2.3/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
    "https://[::1]/",
    "https://[::]/",
    "https://[fe80::1]/",
    "https://[fd00::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[64:ff9b::a00:1]/",
    "https://[2002:a00:1::]/",
  ];

  it("inside some network, not on https, or of this service is refused when it is saved", async () => {
    const admin = await mintAdmin();
    const production = { ...config(env), isProduction: true, PUBLIC_URL: "https://api.example.com" };
    for (const url of INSIDE)
      expect({ url, refused: refusalOf(url, production) !== null }).toEqual({ url, refused: true });
    for (const url of ["https://api.example.com/x", "https://api.example.com./x"]) {
      expect(refusalOf(url, production)).toMatch(/this service/);
    }
    for (const url of [
      URL_OF_OURS,
      "https://1.1.1.1/",
      "https://[2606:4700::1111]/",
      "https://product.example.:443/x",
    ]) {
      expect({ url, refusal: refusalOf(url, production) }).toEqual({ url, refusal: null });
    }
    const refused = await create(admin, { url: "https://169.254.169.254/", events: ["room.created"] });
    expect(refused.body.error).toMatchObject({ code: "INVALID_REQUEST", details: [{ path: "url" }] });
    const own = await create(admin, { url: "http://localhost:8787/x", events: ["room.created"] });
    expect(own.body.error.details[0].message).toMatch(/this service/);
    expect(refusalOf("http://127.0.0.1:3000/", production)).not.toBeNull();
    expect(refusalOf("http://127.0.0.1:3000/", config(env))).toBeNull();
    expect(refusalOf("http://10.0.0.1:3000/", config(env))).not.toBeNull();
  });
});

describe("a signature", () => {
  it("is what the package of the standard verifies, and nothing else passes", () => {
    const secret = `whsec_${btoa("a secret of more than 24 bytes")}`;
    const body = JSON.stringify({ type: "room.created", emoji: "🎉" });
    const headers = signedHeaders(secret, "event-1", new Date(), body);
    expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
    expect(() => new Webhook(secret).verify(body.replace("🎉", "🎊"), headers)).toThrow();
    expect(() => new Webhook(secret).verify(body, { ...headers, "webhook-id": "event-2" })).toThrow();
  });
});

const backend = standIn();
const time = expect.any(String);

type Expected = { type: WebhookEventType; subject: string; data: object };

const heard = () => backend.heard.flatMap(({ events }) => events);
const lineOf = ({ type, subject }: { type: string; subject: string }) => `${type} ${subject}`;

const profile = ({ id, username, email }: TestUser, more: object = {}) => ({
  userId: id,
  username,
  email,
  displayName: null,
  fullName: null,
  avatarUrl: null,
  bio: null,
  role: "user",
  isVerified: false,
  accountStatus: "active",
  isBanned: false,
  banReason: null,
  ...more,
});

/** All that is still on its way. */
async function sweep(): Promise<void> {
  const context = createExecutionContext();
  await runCron(env, context);
  await waitOnExecutionContext(context);
}

describe("an event", () => {
  it("of each type is made by what it tells of, once, and says what the contract has", async () => {
    const key = await mintKey("users", "tokens", "rooms");
    const admin = await mintAdmin();
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const [own, gone] = [await mintOwn(key), await mintOwn(key, { username: "leaver" })];
    const courseId = crypto.randomUUID();
    await as(admin, "POST", "/chat/courses", { courseId, name: "Botany", joinPolicy: "open" });
    const stream = await mintStream(ann, { title: "Harbour" });
    await makeEndpoint(backend, admin, WebhookEventType.options);

    const expected: Expected[] = [];
    const expectEvent = (type: WebhookEventType, subject: string, data: object) =>
      expected.push({ type, subject, data });

    // People
    const cid = await mintUser("cid");
    expectEvent("user.registered", `user:${cid.id}`, profile(cid));
    await as(bob, "PATCH", "/auth/me", { displayName: "Bobby" });
    expectEvent("user.updated", `user:${bob.id}`, profile(bob, { displayName: "Bobby" }));
    const hub = await openHub(bob);
    expectEvent("user.online", `user:${bob.id}`, { userId: bob.id, at: time });
    await vi.waitFor(() => expect(heard().map(({ type }) => type)).toContain("user.online"));
    hub.close();
    expectEvent("user.offline", `user:${bob.id}`, { userId: bob.id, lastSeen: time });
    await postAdmin(admin, `/users/${cid.id}/ban`, { reason: "spam" });
    expectEvent("user.banned", `user:${cid.id}`, profile(cid, { isBanned: true, banReason: "spam" }));
    await serve(key, "DELETE", `/users/${gone.externalId}`);
    expectEvent("user.erased", `user:${gone.id}`, { userId: gone.id, username: "leaver" });

    // What people say to each other
    const said = await as(ann, "POST", "/messages", { receiverId: own.id, content: "Hi" });
    const { seen: _seen, ...message } = said.body;
    const externalIds = { receiverId: own.externalId };
    expectEvent("message.sent", `users:${ann.id}-${own.id}`, { ...message, externalIds });

    const made = await as(ann, "POST", "/rooms", { name: "Pier", isGroup: true, memberIds: [bob.id] });
    const room = { roomId: made.body.id, courseId: null, kind: "group", name: "Pier" };
    const owned = { ...room, ownerId: ann.id };
    const subject = `room:${room.roomId}`;
    expectEvent("room.created", subject, owned);
    for (const { id } of [ann, bob]) expectEvent("room.member_added", subject, { ...owned, userId: id });
    const first = await post(ann, room.roomId, "one");
    expectEvent("room.message_sent", subject, first.body);
    const path = `/rooms/${room.roomId}/messages/${first.body.id}`;
    await as(ann, "PATCH", path, { content: "uno" });
    expectEvent("room.message_edited", subject, { ...first.body, content: "uno", editedAt: time });
    const second = await post(ann, room.roomId, "two");
    // What is told later is as it is by then: a deleted one says nothing any more.
    expectEvent("room.message_sent", subject, { ...second.body, content: "", isDeleted: true });
    await as(ann, "DELETE", `/rooms/${room.roomId}/messages/${second.body.id}`);
    const deleted = { roomId: room.roomId, id: second.body.id, messageId: second.body.id };
    expectEvent("room.message_deleted", subject, { ...deleted, deletedBy: ann.id, deletedAt: time });
    await as(ann, "DELETE", `/rooms/${room.roomId}/members/${bob.id}`);
    expectEvent("room.member_removed", subject, { ...owned, userId: bob.id });
    await as(ann, "DELETE", `/rooms/${room.roomId}`);
    expectEvent("room.deleted", subject, room);
    const lesson = await as(admin, "POST", `/chat/courses/${courseId}/messages`, { message: "Ferns" });
    expectEvent("course.message_sent", `course:${courseId}`, lesson.body);

    // Streams, recordings and files
    const live = { streamId: stream.id, userId: ann.id, title: "Harbour", startTime: time };
    await nginx("publish", stream.streamKey, 1);
    expectEvent("stream.started", `stream:${stream.id}`, live);
    await nginx("publish_done", stream.streamKey, 1);
    const ended = { endTime: time, reason: "done", peakViewers: 0, plays: 0 };
    expectEvent("stream.ended", `stream:${stream.id}`, { ...live, ...ended });
    const vod = await uploaded(ann, stream.id);
    const { id: vodId, streamId, userId, title, duration, mimeType, size } = vod;
    expectEvent("vod.created", `stream:${stream.id}`, { vodId, streamId, userId, title, duration, mimeType, size });
    const uploadedFile = await uploadNamed(ann, "fern.png");
    const stored = { fileId: uploadedFile.id, ownerId: ann.id, folder: uploadedFile.folder, name: uploadedFile.name };
    const file = { ...stored, mimeType: "image/png", size: uploadedFile.size, visibility: "private" };
    expectEvent("file.created", `file:${uploadedFile.id}`, file);
    await as(ann, "DELETE", `/files/${uploadedFile.folder}/${uploadedFile.name}`);
    expectEvent("file.deleted", `file:${uploadedFile.id}`, file);

    // Reports and calls
    const report = await as(bob, "POST", "/reports", { targetType: "user", targetId: ann.id, reason: "rude" });
    const target = { targetType: "user", targetId: ann.id, reason: "rude" };
    const reported = { reportId: report.body.id, reporterId: bob.id, ...target };
    expectEvent("report.created", `user:${bob.id}`, { ...reported, status: "pending", details: null });
    await postAdmin(admin, `/reports/${report.body.id}/resolve`, { result: "warned" });
    const closed = { status: "resolved", result: "warned", resolvedBy: admin.id };
    expectEvent("report.closed", `user:${bob.id}`, { ...reported, ...closed });
    const sessionId = await host(ann, { title: "Talk" });
    const session = { sessionId, hostId: ann.id, title: "Talk", courseId: null, startedAt: time };
    expectEvent("call.started", `call:${sessionId}`, session);
    await as(ann, "DELETE", `/webrtc/sessions/${sessionId}`);
    expectEvent("call.ended", `call:${sessionId}`, { ...session, endedAt: time });

    const lines = expected.map(lineOf).sort();
    expect(new Set(expected.map(({ type }) => type)).size).toBe(WebhookEventType.options.length);
    await vi.waitFor(() => expect(heard().length).toBeGreaterThanOrEqual(lines.length), { timeout: 10_000 });
    await sweep();
    expect(heard().map(lineOf).sort()).toEqual(lines);
    for (const { type, subject, data } of expected) {
      const alike = heard().filter((event) => event.type === type && event.subject === subject);
      expect(alike.map((event) => event.data)).toContainEqual(data);
    }
    for (const event of heard()) expect(WebhookEvent.parse(event)).toEqual(event);
  });

  it("a test of an endpoint is an event of the contract, too", async () => {
    const admin = await mintAdmin();
    const { id } = await makeEndpoint(backend, admin, ["user.banned"]);
    await call(`/admin/webhooks/${id}/test`, { method: "POST", token: admin.token });
    expect(heard().map((event) => WebhookEvent.parse(event).type)).toEqual(["webhook.test"]);
  });
});
