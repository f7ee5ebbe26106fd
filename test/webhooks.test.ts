import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { describe, expect, it, vi } from "vitest";
import { config } from "../src/config.ts";
import { signedHeaders } from "../src/features/webhooks/signing.ts";
import { refusalOf } from "../src/platform/outside-address.ts";
import { auditOf, mintAdmin, run } from "./support/admin.ts";
import { call, mintUser } from "./support/api.ts";
import { BACKEND_URL, standIn } from "./support/backend.ts";
import { mintThree, openRoom, post } from "./support/rooms.ts";

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

const backend = standIn();

describe("who is asked before a message", () => {
  type Asked = { data: Record<string, unknown> };
  const asked = () => backend.heard.flatMap(({ events }) => events as Asked[]).map(({ data }) => data.content);

  /** Sets it up; `decide` answers for one text. */
  async function ask(decide: (text: unknown) => object, more: object = {}) {
    const admin = await mintAdmin();
    const made = await call("/admin/hooks/before-message", {
      method: "POST",
      token: admin.token,
      body: { url: BACKEND_URL, ...more },
    });
    expect(made.status).toBe(201);
    backend.secrets.push(made.body.secret);
    backend.answer = ({ body, events }) => {
      const answers = (events as Asked[]).map(({ data }) => decide(data.content));
      return Response.json(typeof body === "object" && body !== null && "events" in body ? { answers } : answers[0]);
    };
    return admin;
  }

  const byWord = (text: unknown) => {
    if (text === "bad") return { action: "refuse", reason: "Not here." };
    return text === "rude" ? { action: "replace", content: "polite <b>" } : { action: "allow" };
  };

  it("allows, refuses with its reason and replaces, in rooms, streams and between two people, by socket and REST, edits too", async () => {
    const admin = await ask(byWord);
    const { roomId, ann, bob } = await mintThree();
    const socket = await openRoom(ann, roomId);
    expect((await socket.ask("send_message", { content: "good" })).data).toMatchObject({ content: "good" });
    expect(await socket.ask("send_message", { content: "bad" })).toMatchObject({
      error: { code: "FORBIDDEN", message: "Not here." },
    });
    const replaced = await post(ann, roomId, "rude");
    expect(replaced.body.content).toMatch(/^polite/);
    expect(replaced.body.content).not.toContain("<b>");
    const path = `/rooms/${roomId}/messages/${replaced.body.id}`;
    const edited = await call(path, { method: "PATCH", token: ann.token, body: { content: "bad" } });
    expect(edited).toMatchObject({ status: 403, body: { error: { message: "Not here." } } });
    const send = (content: string) =>
      call("/messages", { method: "POST", token: ann.token, body: { receiverId: bob.id, content } });
    expect((await send("bad")).status).toBe(403);
    expect((await send("rude")).body.content).toMatch(/^polite/);
    const stream = await call("/streams", { method: "POST", token: ann.token, body: { title: "S" } });
    const chat = (message: string) =>
      call(`/streams/${stream.body.id}/chat`, { method: "POST", token: bob.token, body: { message } });
    expect([(await chat("bad")).status, (await chat("good")).status]).toEqual([403, 201]);
    expect(asked()).toEqual(["good", "bad", "rude", "bad", "bad", "rude", "bad", "good"]);
    const shown = await call("/admin/hooks/before-message", { token: admin.token });
    expect(shown.body).toEqual({ ...shown.body, url: BACKEND_URL, timeoutMs: 2000, onFailure: "refuse" });
    expect(Object.keys(shown.body)).not.toContain("secret");
    expect((await call("/admin/hooks/before-message", { method: "DELETE", token: admin.token })).status).toBe(200);
    expect((await post(ann, roomId, "bad")).status).toBe(201);
    expect((await call("/admin/hooks/before-message", { token: admin.token })).status).toBe(404);
    expect(asked()).toHaveLength(8);
  });

  it("decides by its policy when it fails, and looks at what it is told instead as at typed text", async () => {
    await ask(() => ({ action: "replace", content: "" }));
    const { roomId, ann } = await mintThree();
    expect((await post(ann, roomId, "x")).status).toBe(403);
    backend.answer = () => new Response("down", { status: 500 });
    expect((await post(ann, roomId, "x")).status).toBe(403);
    await ask(byWord, { onFailure: "allow", timeoutMs: 100 });
    backend.answer = () => new Promise(() => {});
    expect((await post(ann, roomId, "after 100 ms")).status).toBe(201);
  });

  it("is asked about many at once, who keep their order; who was removed or banned meanwhile is refused", async () => {
    const admin = await ask(byWord);
    const { roomId, ann, bob, cid } = await mintThree();
    const socket = await openRoom(ann, roomId);
    const decide = backend.answer;
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    backend.answer = async (heard) => {
      await held;
      return decide(heard);
    };
    const first = post(bob, roomId, "from bob");
    await vi.waitFor(() => expect(backend.heard).toHaveLength(1));
    const rest = [
      post(bob, roomId, "bob again"),
      post(cid, roomId, "from cid"),
      post(ann, roomId, "one"),
      post(ann, roomId, "two"),
    ];
    await call(`/rooms/${roomId}/members/${bob.id}`, { method: "DELETE", token: ann.token });
    await call(`/admin/users/${cid.id}/ban`, { method: "POST", token: admin.token, body: { reason: "spam" } });
    release();
    expect((await first).status).toBe(403);
    expect((await Promise.all(rest)).map(({ status }) => status)).toEqual([403, 403, 201, 201]);
    expect(backend.heard.length).toBeLessThan(5);
    const frames = await socket.collect("new_message", 2);
    expect(frames.map(({ data }) => data.content)).toEqual(["one", "two"]);
  });

  it("who answers several with one word is asked about each alone", async () => {
    await ask(byWord);
    const { roomId, ann, bob } = await mintThree();
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    backend.answer = async ({ events }) => {
      await held;
      return Response.json(byWord((events as Asked[])[0]?.data.content));
    };
    const sent = ["good", "bad", "fine"].map((content, n) => post(n === 1 ? bob : ann, roomId, content));
    await vi.waitFor(() => expect(backend.heard).toHaveLength(1));
    release();
    expect((await Promise.all(sent)).map(({ status }) => status).sort()).toEqual([201, 201, 403]);
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
