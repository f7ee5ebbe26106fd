import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, mintUser } from "./support/api.ts";
import {
  ACCEPTED,
  eventsOf,
  FORM,
  HOOK,
  hook,
  hookJson,
  mint,
  mintStream,
  nginx,
  nginxBody,
  REFUSED,
  sign,
  statusOf,
  WEBHOOK_SECRET,
} from "./support/media.ts";
import { fetchWith } from "./support/settings.ts";

describe("proof of origin", () => {
  const body = nginxBody("publish", "no-such-key-at-all", 1);

  it.each([
    ["no proof", "/webhook/stream-event", {}],
    ["a wrong secret", "/webhook/stream-event?secret=wrong", {}],
    ["an empty secret", "/webhook/stream-event?secret=", {}],
    ["a wrong header", "/webhook/stream-event", { "X-Webhook-Secret": "wrong" }],
    ["a secret in the body alone", "/webhook/stream-event", {}, `${body}&secret=${WEBHOOK_SECRET}`],
    ["nginx' `notify_method get` mangling", `/webhook/stream-event?secret=${WEBHOOK_SECRET}?app=live`, {}],
    ["a malformed signature", "/webhook/stream-event", { "X-Signature": "t=1,v1=abc" }],
  ])("refuses %s", async (_name, path, headers, text = body) => {
    const answer = await call(path, { method: "POST", body: text, headers: { "Content-Type": FORM, ...headers } });
    expect(answer.status).toBe(401);
    expect(answer.body.error.code).toBe("UNAUTHORIZED");
  });

  it.each([
    ["the secret in the address", HOOK, {}],
    ["the next secret, during a rotation", "/webhook/stream-event?secret=test-webhook-secret-next", {}],
    ["the secret in a header", "/webhook/stream-event", { "X-Webhook-Secret": WEBHOOK_SECRET }],
    ["the path without the prefix", `/${HOOK}`, {}],
    ["a `token` in the address, which is a publisher's and no JWT", `${HOOK}&token=abc`, {}],
  ])("takes %s", async (_name, path, headers) => {
    const stream = await mint();
    const event = nginxBody("publish", stream.streamKey, 1);
    const answer = await call(path, { method: "POST", body: event, headers: { "Content-Type": FORM, ...headers } });
    expect(answer).toMatchObject(ACCEPTED);
  });

  it("takes a signature over the raw body, once, for 300 seconds", async () => {
    const stream = await mint();
    const now = Math.floor(Date.now() / 1000);
    const event = (name: string) => JSON.stringify({ event: name, streamKey: stream.streamKey, sessionId: "s1" });
    const post = (text: string, signature: string) =>
      call("/webhook/stream-event", {
        method: "POST",
        body: text,
        headers: { "Content-Type": "application/json", "X-Signature": signature },
      });
    const publish = event("on_publish");
    expect((await post(publish, await sign(publish, WEBHOOK_SECRET, now - 310))).status).toBe(401);
    expect((await post(publish, await sign(publish, WEBHOOK_SECRET, now + 310))).status).toBe(401);
    expect((await post(publish, await sign(publish, "another secret"))).status).toBe(401);
    expect((await post(publish.replace("s1", "s2"), await sign(publish))).status).toBe(401);
    const captured = await sign(publish, "test-webhook-secret-next", now - 200);
    expect(await post(publish, captured)).toMatchObject(ACCEPTED);
    expect((await statusOf(stream)).status).toBe("live");
    const done = event("on_done");
    expect(await post(done, await sign(done))).toMatchObject(ACCEPTED);
    expect((await statusOf(stream)).status).toBe("ended");
    // The captured call, replayed: answered as it was, and without effect.
    expect(await post(publish, captured)).toMatchObject(ACCEPTED);
    expect((await statusOf(stream)).status).toBe("ended");
    expect(await eventsOf(stream)).toEqual(["on_publish: live", "on_done: ended", "on_publish: replayed"]);
  });
});

describe("a signed event that is sent several times at once", () => {
  it("is done once, and answered alike", async () => {
    const stream = await mint();
    const body = JSON.stringify({ event: "on_publish", streamKey: stream.streamKey, sessionId: "s1" });
    const headers = { "Content-Type": "application/json", "X-Signature": await sign(body) };
    const send = () => call("/webhook/stream-event", { method: "POST", body, headers });
    const answers = await Promise.all([send(), send(), send(), send()]);
    for (const answer of answers) expect(answer).toMatchObject(ACCEPTED);
    expect((await eventsOf(stream)).filter((line) => line !== "on_publish: replayed")).toEqual(["on_publish: live"]);
  });
});

describe("the door", () => {
  it.each([`${HOOK}`, `/${HOOK}`, HOOK.replace("?", "/?")])(
    "%s takes POST alone, and speaks to no web page",
    async (path) => {
      const page = { Origin: "http://localhost:5173", "Access-Control-Request-Method": "POST" };
      for (const method of ["GET", "PUT", "DELETE", "OPTIONS"]) {
        const answer = await call(path, { method, headers: page });
        expect(answer.status).toBe(404);
        expect(answer.headers.get("access-control-allow-origin")).toBeNull();
      }
      const posted = await call(path, {
        method: "POST",
        body: "call=connect",
        headers: { ...page, "Content-Type": FORM },
      });
      expect(posted).toMatchObject(ACCEPTED);
      expect(posted.headers.get("access-control-allow-origin")).toBeNull();
      expect(posted.headers.get("set-cookie")).toBeNull();
    },
  );
});

describe("the body", () => {
  it("is not looked at before the proof: neither its type nor its length nor its text", async () => {
    const headers = { "Content-Type": "text/xml" };
    const answer = await call("/webhook/stream-event", { method: "POST", body: "x".repeat(100_000), headers });
    expect(answer.status).toBe(401);
    expect((await hook("{", "application/json", "/webhook/stream-event?secret=wrong")).status).toBe(401);
  });

  it("may have 64 KB", async () => {
    const stream = await mint();
    const fits = nginxBody("publish", stream.streamKey, 1, `&x=${"a".repeat(60_000)}`);
    expect(await hook(fits)).toMatchObject(ACCEPTED);
    expect((await hook(`${fits}${"a".repeat(10_000)}`)).status).toBe(413);
  });

  it("is a form or JSON", async () => {
    for (const type of ["text/xml", "multipart/form-data; boundary=x", "application/octet-stream", "text/html"]) {
      expect((await hook("<xml/>", type)).status).toBe(415);
    }
    expect((await hook("{", "application/json")).status).toBe(400);
    expect(await hookJson({ anything: true })).toMatchObject(ACCEPTED);
    expect(await hookJson({ action: "on_hls", stream: "x" })).toMatchObject(ACCEPTED);
    expect(await nginx("connect", "", 1)).toMatchObject(ACCEPTED);
    expect(await hook("call=some_future_event&name=x")).toMatchObject(ACCEPTED);
  });
});

describe("nginx-rtmp", () => {
  it("may be imitated with the names of its directives", async () => {
    const stream = await mint();
    expect(await nginx("on_publish", stream.streamKey, 5)).toMatchObject(ACCEPTED);
    expect((await statusOf(stream)).status).toBe("live");
    expect(await nginx("on_done", stream.streamKey, 5)).toMatchObject(ACCEPTED);
    expect((await statusOf(stream)).status).toBe("ended");
  });

  it("is told 403 for an unknown key, and nothing about it afterwards", async () => {
    const unknown = "sk_thisKeyWasNeverGivenToAnybody";
    expect(await nginx("publish", unknown, 1)).toMatchObject(REFUSED);
    expect(await nginx("update_publish", unknown, 1)).toMatchObject(REFUSED);
    for (const name of ["publish_done", "done", "play", "play_done", "record_done", "update_play"]) {
      expect(await nginx(name, unknown, 1)).toMatchObject(ACCEPTED);
    }
  });

  it("relays an accepted publisher under the public id, if its hook asks for it", async () => {
    const stream = await mint();
    const path = `${HOOK}&relay=rtmp%3A%2F%2F127.0.0.1%3A1935%2Fpub`;
    const answer = await hook(nginxBody("publish", stream.streamKey, 1), FORM, path);
    expect(answer.status).toBe(302);
    expect(answer.headers.get("location")).toBe(`rtmp://127.0.0.1:1935/pub/${stream.id}`);
    const refused = await hook(nginxBody("publish", "sk_thisKeyWasNeverGivenToAnybody", 2), FORM, path);
    expect(refused).toMatchObject(REFUSED);
    const elsewhere = await hook(
      nginxBody("publish", stream.streamKey, 1),
      FORM,
      `${HOOK}&relay=rtmp://evil.example/x`,
    );
    expect(elsewhere.status).toBe(400);
    // What the relay itself says, and viewers of the public name.
    const pub = (name: string, client: number) => hook(nginxBody(name, String(stream.id), client));
    expect(await pub("publish", 7)).toMatchObject(REFUSED);
    expect(await pub("play", 9)).toMatchObject(ACCEPTED);
    expect(await pub("update_publish", 7)).toMatchObject(ACCEPTED);
    expect(await pub("done", 7)).toMatchObject(ACCEPTED);
    expect(await statusOf(stream)).toMatchObject({ status: "live", viewerCount: 1 });
  });
});

describe("who is cut off at the next update", () => {
  it("the publisher of a stream that its owner ended", async () => {
    const owner = await mintUser("caster");
    const stream = await mintStream(owner);
    await nginx("publish", stream.streamKey, 5);
    const { body } = await call(`/streams/${stream.id}`, {
      method: "PUT",
      token: owner.token,
      body: { status: "ended" },
    });
    expect(body.status).toBe("ended");
    expect(await nginx("update_publish", stream.streamKey, 5)).toMatchObject(REFUSED);
    expect((await statusOf(stream)).status).toBe("ended");
    // Nothing hinders the owner from starting again.
    expect(await nginx("publish", stream.streamKey, 6)).toMatchObject(ACCEPTED);
  });

  it.each([
    ["a banned user", "UPDATE users SET banned_at = 1 WHERE id = ?"],
    ["a deactivated user", "UPDATE users SET account_status = 'deleted' WHERE id = ?"],
    ["an erased user", "DELETE FROM users WHERE id = ?"],
  ])("%s, who cannot come back either", async (_name, change) => {
    const owner = await mintUser("caster");
    const stream = await mintStream(owner);
    await nginx("publish", stream.streamKey, 5);
    await env.DB.prepare(change).bind(owner.id).run();
    expect((await statusOf(stream)).status).not.toBe("live");
    expect(await nginx("update_publish", stream.streamKey, 5)).toMatchObject(REFUSED);
    expect(await nginx("publish", stream.streamKey, 6)).toMatchObject(REFUSED);
  });

  it("the publisher with a key that was replaced", async () => {
    const owner = await mintUser("caster");
    const stream = await mintStream(owner);
    await nginx("publish", stream.streamKey, 5);
    const { body } = await call(`/streams/${stream.id}/key`, { method: "POST", token: owner.token });
    expect(body.streamKey).toMatch(/^[A-Za-z0-9_-]{16,128}$/);
    expect((await statusOf(stream)).status).toBe("ended");
    expect(await nginx("update_publish", stream.streamKey, 5)).toMatchObject(REFUSED);
    expect(await nginx("publish", stream.streamKey, 6)).toMatchObject(REFUSED);
    expect(await nginx("publish", body.streamKey, 7)).toMatchObject(ACCEPTED);
  });
});

describe("a database that fails", () => {
  const whileDown = async <T>(work: () => Promise<T>): Promise<T> => {
    await env.DB.exec("CREATE TRIGGER down BEFORE INSERT ON stream_events BEGIN SELECT RAISE(ABORT, 'down'); END");
    return work().finally(() => env.DB.exec("DROP TRIGGER down"));
  };

  it("lets no publisher in: 500, and nothing half done", async () => {
    const stream = await mint();
    const refused = await whileDown(() => nginx("publish", stream.streamKey, 5));
    expect(refused.status).toBe(500);
    expect(JSON.stringify(refused.body)).not.toContain("down");
    const announced = { action: "prePublish", id: "x", app: "live", name: stream.streamKey };
    expect((await whileDown(() => hookJson(announced, "text/plain"))).status).toBe(500);
    expect(await statusOf(stream)).toMatchObject({ status: "ended", startTime: null });
    expect(await nginx("publish", stream.streamKey, 5)).toMatchObject(ACCEPTED);
  });

  it("cuts off nobody who was let in before: anything but a 200 would", async () => {
    const stream = await mint();
    await nginx("publish", stream.streamKey, 5);
    for (const name of ["update_publish", "update_play", "play", "play_done", "connect"]) {
      expect(await whileDown(() => nginx(name, stream.streamKey, 5))).toMatchObject(ACCEPTED);
    }
    expect((await whileDown(() => nginx("publish_done", stream.streamKey, 5))).status).toBe(500);
    expect(await statusOf(stream)).toMatchObject({ status: "live", viewerCount: 0 });
  });
});

describe("where media servers may call from (WEBHOOK_ADDRESSES)", () => {
  const post = async (
    allowed: string,
    address: string,
    headers: Record<string, string>,
    path: string,
    body: string,
  ) => {
    const from: Record<string, string> = address ? { "CF-Connecting-IP": address } : {};
    const init = { method: "POST", body, headers: { "Content-Type": FORM, ...from, ...headers } };
    return (await fetchWith({ WEBHOOK_ADDRESSES: allowed }, path, init)).status;
  };

  it.each([
    ["192.0.2.7", 200],
    ["2001:db8:1:2:ffff::1", 200],
    ["192.0.2.8", 401],
    ["2001:db8:1:3::1", 401],
    ["", 401],
  ])("%s: %i, whatever else is said of addresses", async (address, expected) => {
    const { streamKey } = await mint();
    const allowed = "192.0.2.7, 2001:db8:1:2::1";
    // The event's own address and the forwarded one are anybody's to choose.
    const forged = { "X-Forwarded-For": "192.0.2.7", "X-Real-IP": "192.0.2.7" };
    const body = `app=live&addr=192.0.2.7&clientid=1&call=publish&name=${streamKey}`;
    expect(await post(allowed, address, forged, HOOK, body)).toBe(expected);
    const signed = { ...forged, "X-Signature": await sign(body) };
    expect(await post(allowed, address, signed, "/webhook/stream-event", body)).toBe(expected);
  });
});

describe("guessing keys", () => {
  it("is stopped by publisher, and shuts out nobody else", async () => {
    const stream = await mint();
    const from = (addr: string, key: string) =>
      hook(`app=live&addr=${addr}&clientid=1&call=publish&name=${key}&type=live`);
    for (let guess = 0; guess < 20; guess += 1) {
      expect((await from("6.6.6.6", `sk_guess-number-${guess}-of-many`)).status).toBe(403);
    }
    const stopped = await from("6.6.6.6", stream.streamKey);
    expect(stopped.status).toBe(429);
    expect(Number(stopped.headers.get("retry-after"))).toBeGreaterThan(1);
    expect((await from("7.7.7.7", stream.streamKey)).status).toBe(200);
  });
});

describe("the log of events", () => {
  it("is for admins, newest first, and holds no key", async () => {
    const [admin, stream] = [await mintUser("admin"), await mint()];
    expect((await call("/admin/stream-events")).status).toBe(401);
    expect((await call("/admin/stream-events", { token: admin.token })).status).toBe(403);
    await env.DB.prepare("UPDATE users SET role = 'admin' WHERE id = ?").bind(admin.id).run();
    await nginx("publish", stream.streamKey, 5);
    await nginx("record_done", stream.streamKey, 5, `&recorder=&path=/var/rec/${stream.streamKey}.flv`);
    const { status, body } = await call(`/admin/stream-events?streamId=${stream.id}&limit=1`, { token: admin.token });
    expect(status).toBe(200);
    expect(body.pagination).toEqual({ page: 1, limit: 1, total: 2, pages: 2 });
    expect(body.events).toEqual([
      {
        id: expect.any(Number),
        streamId: stream.id,
        source: "nginx-rtmp",
        event: "record_done",
        session: "nginx-rtmp/live/5",
        outcome: "ignored",
        requestId: expect.any(String),
        createdAt: expect.any(String),
      },
    ]);
    const found = async (text: string) => {
      const query = `streamId=${stream.id}&search=${encodeURIComponent(text)}`;
      const { events, pagination } = (await call(`/admin/stream-events?${query}`, { token: admin.token })).body;
      return [events.map(({ event }: { event: string }) => event), pagination.total];
    };
    expect(await found("RECORD_")).toEqual([["record_done"], 1]);
    expect(await found("nginx-rtmp/LIVE/5")).toEqual([["record_done", "publish"], 2]);
    expect(await found(body.events[0].requestId)).toEqual([["record_done"], 1]);
    expect(await found("%")).toEqual([[], 0]);
    expect((await call("/admin/stream-events?limit=0", { token: admin.token })).status).toBe(400);
    const { results } = await env.DB.prepare("SELECT * FROM stream_events").all();
    expect(JSON.stringify(results)).not.toContain(stream.streamKey);
  });

  it("holds no key that a publisher wrote into another field either", async () => {
    const { streamKey } = await mint();
    const misplaced = {
      action: "on_publish",
      client_id: `c-${streamKey}`,
      app: `live/${streamKey}`,
      stream: "",
      ip: streamKey,
    };
    expect(await hookJson(misplaced)).toMatchObject(REFUSED);
    expect(await nginx(streamKey, streamKey, 1)).toMatchObject(ACCEPTED);
    const { results } = await env.DB.prepare("SELECT * FROM stream_events ORDER BY id DESC LIMIT 2").all();
    expect(JSON.stringify(results)).toContain("live/sk_…");
    expect(JSON.stringify(results)).not.toContain(streamKey);
  });
});
