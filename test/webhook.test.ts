import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, mintUser } from "./support/api.ts";
import { HOOK, hook, hookJson, mintStream, nginx, nginxBody, sign, statusOf, WEBHOOK_SECRET } from "./support/media.ts";

const ACCEPTED = { status: 200, body: { code: 0 } };
const REFUSED = { status: 403, body: { code: 1 } };
const FORM = "application/x-www-form-urlencoded";
const mint = async () => mintStream(await mintUser("caster"));

/** Moves the clock of a stream's lease, since tests do not wait. */
const age = (streamId: number, seconds: number) =>
  env.DB.prepare("UPDATE streams SET lease_until = lease_until - ?2, last_seen_at = last_seen_at - ?2 WHERE id = ?1")
    .bind(streamId, seconds * 1000)
    .run();

const eventsOf = async (streamId: number) => {
  const { results } = await env.DB.prepare("SELECT event, outcome FROM stream_events WHERE stream_id = ? ORDER BY id")
    .bind(streamId)
    .all<{ event: string; outcome: string }>();
  return results.map(({ event, outcome }) => `${event}: ${outcome}`);
};

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
    expect((await post(publish, await sign(publish, WEBHOOK_SECRET, now - 301))).status).toBe(401);
    expect((await post(publish, await sign(publish, WEBHOOK_SECRET, now + 301))).status).toBe(401);
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
  });
});

describe("the body", () => {
  it("may have 64 KB", async () => {
    const stream = await mint();
    const fits = nginxBody("publish", stream.streamKey, 1, `&x=${"a".repeat(60_000)}`);
    expect(await hook(fits)).toMatchObject(ACCEPTED);
    expect((await hook(`${fits}${"a".repeat(10_000)}`)).status).toBe(413);
  });

  it("is a form or JSON", async () => {
    expect((await hook("<xml/>", "text/xml")).status).toBe(415);
    expect((await hook("{", "application/json")).status).toBe(400);
    expect(await hookJson({ anything: true })).toMatchObject(ACCEPTED);
    expect(await hookJson({ action: "on_hls", stream: "x" })).toMatchObject(ACCEPTED);
    expect(await nginx("connect", "", 1)).toMatchObject(ACCEPTED);
    expect(await hook("call=some_future_event&name=x")).toMatchObject(ACCEPTED);
  });
});

describe("nginx-rtmp", () => {
  it("is understood as captured", async () => {
    const stream = await mint();
    const captured = `app=live&flashver=FMLE/3.0%20(compatible%3B%20Lavf59.27&swfurl=&tcurl=rtmp://127.0.0.1:19350/live&pageurl=&addr=127.0.0.1&clientid=5&call=publish&name=${stream.streamKey}&type=live&token=abc%20d&user=7`;
    const answer = await call(HOOK, {
      method: "POST",
      body: captured,
      headers: { "Content-Type": FORM, Connection: "Close" },
    });
    expect(answer).toMatchObject(ACCEPTED);
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    const { body } = await call(`/streams/${stream.id}`);
    expect(body).toMatchObject({ status: "live", endTime: null });
    expect(Date.now() - Date.parse(body.startTime)).toBeLessThan(10_000);
    expect(await nginx("publish_done", stream.streamKey, 5)).toMatchObject(ACCEPTED);
    const ended = await statusOf(stream);
    expect(ended.status).toBe("ended");
    expect(ended.startTime).toBe(body.startTime);
    expect(ended.endTime >= ended.startTime).toBe(true);
  });

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

describe("the traps that were seen in the capture (MEDIA.md 1.4)", () => {
  it("1: a viewer leaving does not end the stream", async () => {
    const stream = await mint();
    await nginx("publish", stream.streamKey, 5);
    await nginx("play", stream.streamKey, 8, "&start=4294965296&duration=0&reset=0");
    expect(await statusOf(stream)).toMatchObject({ viewerCount: 1 });
    await nginx("done", stream.streamKey, 8);
    expect(await statusOf(stream)).toMatchObject({ status: "live" });
    expect(await eventsOf(stream.id)).toEqual(["publish: live", "play: counted", "done: ignored"]);
  });

  it("2: a refused second publisher does not end the first one's stream", async () => {
    const stream = await mint();
    await nginx("publish", stream.streamKey, 5);
    const { startTime } = await statusOf(stream);
    expect(await nginx("publish", stream.streamKey, 6)).toMatchObject(REFUSED);
    await nginx("publish_done", stream.streamKey, 6);
    await nginx("done", stream.streamKey, 6);
    await nginx("record_done", stream.streamKey, 6, "&recorder=&path=/var/rec/x-1.flv");
    expect(await statusOf(stream)).toMatchObject({ status: "live", startTime, endTime: null });
  });

  it("3: fields that a publisher appends change nothing", async () => {
    const [stream, victim] = [await mint(), await mint()];
    await nginx("publish", victim.streamKey, 1);
    const injected = `&type=live&name=${victim.streamKey}&call=publish_done&clientid=1&secret=wrong&app=admin`;
    expect(await nginx("publish", stream.streamKey, 5, injected)).toMatchObject(ACCEPTED);
    expect(await statusOf(stream)).toMatchObject({ status: "live" });
    expect(await statusOf(victim)).toMatchObject({ status: "live" });
    expect(await nginx("publish_done", stream.streamKey, 5)).toMatchObject(ACCEPTED);
    expect(await statusOf(stream)).toMatchObject({ status: "ended" });
  });

  it("4: a media server that stops without a word ends its streams, as of when it was last heard", async () => {
    const stream = await mint();
    await nginx("publish", stream.streamKey, 5);
    expect(await nginx("update_publish", stream.streamKey, 5, "&time=10&timestamp=10000")).toMatchObject(ACCEPTED);
    await age(stream.id, 31);
    const ended = await statusOf(stream);
    expect(ended.status).toBe("ended");
    expect(Date.now() - Date.parse(ended.endTime)).toBeGreaterThan(30_000);
    // It was the network, not nginx: the publisher is still there, and its next heartbeat brings the stream back.
    expect(await nginx("update_publish", stream.streamKey, 5)).toMatchObject(ACCEPTED);
    expect(await statusOf(stream)).toMatchObject({ status: "live", endTime: null });
  });

  it("4: after a lapsed lease another publisher may take over at once", async () => {
    const stream = await mint();
    await nginx("publish", stream.streamKey, 5);
    await nginx("update_publish", stream.streamKey, 5);
    await age(stream.id, 31);
    expect(await nginx("publish", stream.streamKey, 1)).toMatchObject(ACCEPTED);
    expect(await statusOf(stream)).toMatchObject({ status: "live", endTime: null });
    expect(await nginx("update_publish", stream.streamKey, 5)).toMatchObject(REFUSED);
    await nginx("done", stream.streamKey, 5);
    expect((await statusOf(stream)).status).toBe("live");
  });

  it("6: an end that comes before its beginning keeps the stream from going live", async () => {
    const stream = await mint();
    await nginx("publish_done", stream.streamKey, 3);
    await nginx("done", stream.streamKey, 3);
    expect(await nginx("publish", stream.streamKey, 3)).toMatchObject(REFUSED);
    expect(await statusOf(stream)).toMatchObject({ status: "ended", startTime: null });
    expect(await nginx("publish", stream.streamKey, 4)).toMatchObject(ACCEPTED);
  });

  it("6, 7: but for no longer than a minute, since nginx numbers from 1 again", async () => {
    const stream = await mint();
    await nginx("publish_done", stream.streamKey, 3);
    await env.DB.prepare("UPDATE stream_early_ends SET at = at - 61000 WHERE stream_id = ?").bind(stream.id).run();
    expect(await nginx("publish", stream.streamKey, 3)).toMatchObject(ACCEPTED);
  });

  it("7: a session number that comes back is a new session", async () => {
    const stream = await mint();
    await nginx("publish", stream.streamKey, 1);
    await nginx("publish_done", stream.streamKey, 1);
    await nginx("done", stream.streamKey, 1);
    expect(await nginx("publish", stream.streamKey, 1)).toMatchObject(ACCEPTED);
    expect(await statusOf(stream)).toMatchObject({ status: "live", endTime: null });
  });

  it("8: names of any bytes are looked up as what they are", async () => {
    const names = ["sp%20ace%26name=victim%3B$(id)", "..%2F..%2Fetc", "x".repeat(255), "%00%FF%FE", "' OR 1=1 --"];
    for (const name of names) {
      expect(await nginx("publish", name, 1)).toMatchObject(REFUSED);
      expect(await nginx("record_done", name, 1, "&recorder=&path=/var/rec/a%252Fb.flv")).toMatchObject(ACCEPTED);
    }
  });

  it("10: a player of a stream that nobody publishes is let be", async () => {
    const stream = await mint();
    expect(await nginx("play", stream.streamKey, 2)).toMatchObject(ACCEPTED);
    expect(await statusOf(stream)).toMatchObject({ status: "ended", viewerCount: 0 });
  });

  it("repeats change nothing", async () => {
    const stream = await mint();
    await nginx("publish", stream.streamKey, 5);
    const { startTime } = await statusOf(stream);
    expect(await nginx("publish", stream.streamKey, 5)).toMatchObject(ACCEPTED);
    await nginx("play", stream.streamKey, 8);
    await nginx("play", stream.streamKey, 8);
    expect(await statusOf(stream)).toMatchObject({ startTime, viewerCount: 1 });
    await nginx("publish_done", stream.streamKey, 5);
    const ended = await statusOf(stream);
    await nginx("done", stream.streamKey, 5);
    await nginx("publish_done", stream.streamKey, 5);
    expect(await statusOf(stream)).toEqual(ended);
    expect((await eventsOf(stream.id)).filter((line) => line.endsWith(": ended"))).toHaveLength(1);
  });

  it("of any number of publishers at once, one goes live", async () => {
    const stream = await mint();
    const answers = await Promise.all([1, 2, 3, 4, 5, 6].map((client) => nginx("publish", stream.streamKey, client)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(5);
  });

  it("a reconnect is a session of its own, with the first one's times kept", async () => {
    const stream = await mint();
    await nginx("publish", stream.streamKey, 5);
    await nginx("play", stream.streamKey, 8);
    await nginx("publish_done", stream.streamKey, 5);
    await nginx("publish", stream.streamKey, 9);
    expect(await statusOf(stream)).toMatchObject({ status: "live", endTime: null });
    const { results } = await env.DB.prepare(
      "SELECT session, ended_at IS NULL AS open, end_reason, plays FROM stream_sessions WHERE stream_id = ? ORDER BY id",
    )
      .bind(stream.id)
      .all();
    expect(results).toEqual([
      { session: "nginx-rtmp/live/5", open: 0, end_reason: "done", plays: 1 },
      { session: "nginx-rtmp/live/9", open: 1, end_reason: null, plays: 0 },
    ]);
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

describe("other media servers", () => {
  it("SRS: goes live, ignores what is not the live session, ends", async () => {
    const stream = await mint();
    const srs = (action: string, client_id: string, more: object = {}) =>
      hookJson({
        server_id: "vid-0xk989d",
        action,
        client_id,
        ip: "192.168.1.10",
        vhost: "_",
        app: "live",
        tcUrl: "rtmp://x/live",
        stream: stream.streamKey,
        param: "?token=x",
        ...more,
      });
    expect(await srs("on_publish", "9308h583")).toMatchObject(ACCEPTED);
    expect(await srs("on_publish", "another1")).toMatchObject(REFUSED);
    expect(await srs("on_play", "viewer01", { pageUrl: "" })).toMatchObject(ACCEPTED);
    expect(await statusOf(stream)).toMatchObject({ status: "live", viewerCount: 1 });
    expect(await srs("on_stop", "viewer01")).toMatchObject(ACCEPTED);
    expect(await srs("on_dvr", "9308h583", { cwd: "/srs", file: "./x.flv" })).toMatchObject(ACCEPTED);
    expect((await statusOf(stream)).status).toBe("live");
    expect(await srs("on_unpublish", "9308h583")).toMatchObject(ACCEPTED);
    expect((await statusOf(stream)).status).toBe("ended");
  });

  describe("node-media-server, whose JSON says text/plain", () => {
    const nms = (key: string, action: string, id: string, more: object = {}) =>
      hookJson(
        { id, ip: "127.0.0.1:56230", app: "live", name: key, query: {}, protocol: "rtmp", endtime: 0, action, ...more },
        "text/plain;charset=UTF-8",
      );

    it("goes live and ends, at the time that it tells later", async () => {
      const { streamKey, ...stream } = await mint();
      expect(await nms(streamKey, "prePublish", "a")).toMatchObject(ACCEPTED);
      expect(await nms(streamKey, "postPublish", "a")).toMatchObject(ACCEPTED);
      const { body: live } = await call(`/streams/${stream.id}`);
      const endtime = Date.parse(live.startTime) + 1;
      expect(await nms(streamKey, "donePublish", "a", { endtime })).toMatchObject(ACCEPTED);
      const { body } = await call(`/streams/${stream.id}`);
      expect(body).toMatchObject({ status: "ended", endTime: new Date(endtime).toISOString() });
    });

    it("a reconnect takes over: the one donePublish, of the newer session, ends it", async () => {
      const stream = await mint();
      await nms(stream.streamKey, "prePublish", "a");
      const { startTime } = await statusOf(stream);
      expect(await nms(stream.streamKey, "prePublish", "b")).toMatchObject(ACCEPTED);
      expect(await nms(stream.streamKey, "postPublish", "b")).toMatchObject(ACCEPTED);
      await nms(stream.streamKey, "donePublish", "a");
      expect(await statusOf(stream)).toMatchObject({ status: "live", startTime });
      await nms(stream.streamKey, "donePublish", "b");
      expect((await statusOf(stream)).status).toBe("ended");
    });

    it("a second publisher that it turned away gives the stream back", async () => {
      const stream = await mint();
      await nms(stream.streamKey, "prePublish", "a");
      await nms(stream.streamKey, "prePublish", "b");
      await nms(stream.streamKey, "postPublish", "b");
      await nms(stream.streamKey, "donePlay", "b");
      expect((await statusOf(stream)).status).toBe("live");
      await nms(stream.streamKey, "donePublish", "a");
      expect((await statusOf(stream)).status).toBe("ended");
    });
  });

  it("MediaMTX: its gate, and a signed command at the end", async () => {
    const stream = await mint();
    const gate = { ip: "1.2.3.4", user: "", password: "", token: "", protocol: "rtmp", query: "", userAgent: "" };
    const path = `live/${stream.streamKey}`;
    expect(await hookJson({ ...gate, action: "publish", path, id: "uuid-1" })).toMatchObject(ACCEPTED);
    expect(await hookJson({ ...gate, action: "publish", path: "live/nobody", id: "uuid-2" })).toMatchObject(REFUSED);
    expect((await statusOf(stream)).status).toBe("live");
    const done = { event: "done", source: "mediamtx", app: "live", streamKey: stream.streamKey, sessionId: "uuid-1" };
    expect(await hookJson(done)).toMatchObject(ACCEPTED);
    expect((await statusOf(stream)).status).toBe("ended");
  });
});

describe("a database that fails", () => {
  it("lets no publisher in: 500, and nothing half done", async () => {
    const stream = await mint();
    await env.DB.exec("CREATE TRIGGER down BEFORE INSERT ON stream_events BEGIN SELECT RAISE(ABORT, 'down'); END");
    const refused = await nginx("publish", stream.streamKey, 5);
    await env.DB.exec("DROP TRIGGER down");
    expect(refused.status).toBe(500);
    expect(JSON.stringify(refused.body)).not.toContain("down");
    expect(await statusOf(stream)).toMatchObject({ status: "ended", startTime: null });
    expect(await nginx("publish", stream.streamKey, 5)).toMatchObject(ACCEPTED);
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
    expect((await call("/admin/stream-events?limit=0", { token: admin.token })).status).toBe(400);
    const { results } = await env.DB.prepare("SELECT * FROM stream_events").all();
    expect(JSON.stringify(results)).not.toContain(stream.streamKey);
  });
});
