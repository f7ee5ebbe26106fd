import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { config } from "../src/config.ts";
import { signedHeaders } from "../src/features/webhooks/signing.ts";
import { refusalOf } from "../src/platform/outside-address.ts";
import { auditOf, mintAdmin, run } from "./support/admin.ts";
import { call, mintUser } from "./support/api.ts";

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
