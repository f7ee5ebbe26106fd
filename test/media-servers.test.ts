/** Media servers other than nginx-rtmp, with the bodies that they send (MEDIA.md 2). */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, mintUser } from "./support/api.ts";
import { passTime } from "./support/clock.ts";
import {
  ACCEPTED,
  eventsOf,
  HOOK,
  hookJson,
  mint,
  mintStream,
  REFUSED,
  sign,
  signAsOme,
  statusOf,
  type TestStream,
} from "./support/media.ts";

describe("SRS", () => {
  const srs = (stream: TestStream, action: string, client_id: string, more: object = {}) =>
    hookJson({
      server_id: "vid-0xk989d",
      service_id: "382a8b1",
      action,
      client_id,
      ip: "192.168.1.10",
      vhost: "_defaultVhost_",
      app: "live",
      tcUrl: "rtmp://127.0.0.1/live",
      stream: stream.streamKey,
      param: "?token=x",
      stream_url: `/live/${stream.streamKey}`,
      stream_id: "vid-124q9y3",
      ...more,
    });

  it("goes live, counts players, ends", async () => {
    const stream = await mint();
    expect(await srs(stream, "on_publish", "9308h583")).toMatchObject(ACCEPTED);
    expect(await srs(stream, "on_play", "viewer01", { pageUrl: "" })).toMatchObject(ACCEPTED);
    expect(await statusOf(stream)).toMatchObject({ status: "live", viewerCount: 1 });
    expect(await srs(stream, "on_stop", "viewer01")).toMatchObject(ACCEPTED);
    expect(await statusOf(stream)).toMatchObject({ status: "live", viewerCount: 0 });
    expect(await srs(stream, "on_dvr", "9308h583", { cwd: "/srs", file: "./x.flv" })).toMatchObject(ACCEPTED);
    expect(await srs(stream, "on_hls", "9308h583", { duration: 9.7, seq_no: 100 })).toMatchObject(ACCEPTED);
    expect((await statusOf(stream)).status).toBe("live");
    expect(await srs(stream, "on_unpublish", "9308h583")).toMatchObject(ACCEPTED);
    expect((await statusOf(stream)).status).toBe("ended");
  });

  it("a second publisher, which never unpublishes, is refused; whatever is said of it ends nothing", async () => {
    const stream = await mint();
    await srs(stream, "on_publish", "9308h583");
    const { startTime } = await statusOf(stream);
    expect(await srs(stream, "on_publish", "another1")).toMatchObject(REFUSED);
    expect(await srs(stream, "on_stop", "another1")).toMatchObject(ACCEPTED);
    expect(await statusOf(stream)).toMatchObject({ status: "live", startTime });
    // A `stop` is a player's, even if it had the publisher's number.
    expect(await srs(stream, "on_stop", "9308h583")).toMatchObject(ACCEPTED);
    expect((await statusOf(stream)).status).toBe("live");
    expect(await srs(stream, "on_unpublish", "another1")).toMatchObject(ACCEPTED);
    expect((await statusOf(stream)).status).toBe("live");
    await srs(stream, "on_unpublish", "9308h583");
    expect((await statusOf(stream)).status).toBe("ended");
  });

  it.each([
    ["a list", ["KEY", "victim"]],
    ["nothing", null],
    ["an object", { $ne: "" }],
  ])("a publish whose key is %s is refused, not let pass as unknown", async (_name, key) => {
    expect(await hookJson({ action: "on_publish", client_id: "x", app: "live", stream: key })).toMatchObject(REFUSED);
    expect(await hookJson({ event: "on_publish", sessionId: "x", streamKey: key })).toMatchObject(REFUSED);
    expect(await hookJson({ action: "prePublish", id: "x", app: "live", name: key })).toMatchObject(REFUSED);
  });
});

describe("node-media-server, whose JSON says text/plain", () => {
  const nms = ({ streamKey }: TestStream, action: string, id: string, more: object = {}) =>
    hookJson(
      {
        id,
        ip: "127.0.0.1:56230",
        app: "live",
        name: streamKey,
        query: { token: "abc", user: "7" },
        protocol: "rtmp",
        createtime: 1795193809301,
        endtime: 0,
        inbytes: 3465,
        outbytes: 0,
        filePath: "",
        action,
        ...more,
      },
      "text/plain;charset=UTF-8",
    );

  it("goes live at once, and ends 30 s late, as of the time that it tells", async () => {
    const stream = await mint();
    expect(await nms(stream, "prePublish", "mwp81kes2pjokdx1")).toMatchObject(ACCEPTED);
    expect(await nms(stream, "postPublish", "mwp81kes2pjokdx1")).toMatchObject(ACCEPTED);
    const live = await statusOf(stream);
    expect(live.status).toBe("live");
    const endtime = Date.parse(live.startTime) + 5000;
    passTime(35);
    expect(await nms(stream, "donePublish", "mwp81kes2pjokdx1", { endtime })).toMatchObject(ACCEPTED);
    expect(await statusOf(stream)).toMatchObject({ status: "ended", endTime: new Date(endtime).toISOString() });
    const outcomes = ["prePublish: live", "postPublish: repeated", "donePublish: ended"];
    expect(await eventsOf(stream)).toEqual(outcomes);
  });

  it("players and recordings, which have ids of their own, change nothing but the count", async () => {
    const stream = await mint();
    await nms(stream, "prePublish", "a");
    await nms(stream, "prePlay", "v");
    await nms(stream, "postPlay", "v");
    expect(await statusOf(stream)).toMatchObject({ viewerCount: 1 });
    await nms(stream, "donePlay", "v");
    expect(await nms(stream, "doneRecord", "r", { ip: "", filePath: "/r/x.flv" })).toMatchObject(ACCEPTED);
    expect(await statusOf(stream)).toMatchObject({ status: "live", viewerCount: 0 });
  });

  it("a reconnect takes over: the one donePublish, of the newer session, ends it", async () => {
    const stream = await mint();
    await nms(stream, "prePublish", "a");
    const { startTime } = await statusOf(stream);
    expect(await nms(stream, "prePublish", "b")).toMatchObject(ACCEPTED);
    expect(await nms(stream, "postPublish", "b")).toMatchObject(ACCEPTED);
    await nms(stream, "donePublish", "a");
    expect(await statusOf(stream)).toMatchObject({ status: "live", startTime });
    await nms(stream, "donePublish", "b");
    expect((await statusOf(stream)).status).toBe("ended");
  });

  describe("a second publisher, which it announces and then turns away with a donePlay,", () => {
    const turnAway = async (stream: TestStream, id: string, order = ["prePublish", "postPublish", "donePlay"]) => {
      for (const action of order) await nms(stream, action, id);
    };

    it.each([
      ["prePublish", "postPublish", "donePlay"],
      ["prePublish", "donePlay", "postPublish"],
      ["donePlay", "prePublish", "postPublish"],
    ])("leaves the first one live, in whichever order they arrive: %s, %s, %s", async (...order) => {
      const stream = await mint();
      await nms(stream, "prePublish", "a");
      await turnAway(stream, "b", order);
      expect((await statusOf(stream)).status).toBe("live");
      await nms(stream, "donePublish", "a");
      expect((await statusOf(stream)).status).toBe("ended");
    });

    it("leaves it live even if there are two of them", async () => {
      const stream = await mint();
      await nms(stream, "prePublish", "a");
      for (const id of ["b", "c"]) await nms(stream, "prePublish", id);
      await nms(stream, "donePlay", "c");
      await nms(stream, "donePlay", "b");
      await turnAway(stream, "d");
      await nms(stream, "donePublish", "b");
      expect((await statusOf(stream)).status).toBe("live");
      await nms(stream, "donePublish", "a");
      expect((await statusOf(stream)).status).toBe("ended");
    });

    it("brings no session of another day back", async () => {
      const owner = await mintUser("caster");
      const stream = await mintStream(owner);
      await nms(stream, "prePublish", "a");
      await nms(stream, "prePublish", "b");
      await nms(stream, "donePublish", "b");
      await nms(stream, "prePublish", "c");
      // node-media-server cannot be told, and still has the publisher.
      await call(`/streams/${stream.id}`, { method: "PUT", token: owner.token, body: { status: "ended" } });
      await turnAway(stream, "d");
      expect((await statusOf(stream)).status).toBe("ended");
    });
  });
});

describe("MediaMTX", () => {
  const gate = { ip: "1.2.3.4", user: "", password: "", token: "", protocol: "rtmp", query: "", userAgent: "" };

  it("asks its gate, and reports the end by a command that knows nothing but `$MTX_PATH`", async () => {
    const stream = await mint();
    const path = `live/${stream.streamKey}`;
    expect(await hookJson({ ...gate, action: "publish", path, id: "uuid-1" })).toMatchObject(ACCEPTED);
    expect(await hookJson({ ...gate, action: "publish", path: "live/nobody", id: "uuid-2" })).toMatchObject(REFUSED);
    expect(await hookJson({ ...gate, action: "read", path, id: "uuid-3" })).toMatchObject(ACCEPTED);
    expect(await statusOf(stream)).toMatchObject({ status: "live", viewerCount: 1 });
    const done = { event: "done", source: "mediamtx", streamKey: path, sessionId: "uuid-1" };
    expect(await hookJson({ ...done, sessionId: "uuid-9" })).toMatchObject(ACCEPTED);
    expect((await statusOf(stream)).status).toBe("live");
    const text = JSON.stringify(done);
    const headers = { "Content-Type": "application/json", "X-Signature": await sign(text) };
    expect(await call("/webhook/stream-event", { method: "POST", body: text, headers })).toMatchObject(ACCEPTED);
    expect((await statusOf(stream)).status).toBe("ended");
  });

  it("a publisher that throws the old one out takes over; the old one's end is ignored", async () => {
    const { streamKey, ...stream } = await mint();
    const path = `live/${streamKey}`;
    await hookJson({ ...gate, action: "publish", path, id: "uuid-1" });
    expect(await hookJson({ ...gate, action: "publish", path, id: "uuid-2" })).toMatchObject(ACCEPTED);
    const done = { event: "done", source: "mediamtx", streamKey: path };
    await hookJson({ ...done, sessionId: "uuid-1" });
    expect((await call(`/streams/${stream.id}`)).body.status).toBe("live");
    await hookJson({ ...done, sessionId: "uuid-2" });
    expect((await call(`/streams/${stream.id}`)).body.status).toBe("ended");
  });

  it("without its gate: a `ready` takes over, since the old publisher is out by then", async () => {
    const stream = await mint();
    const tell = (event: string, sessionId: string) =>
      hookJson({ event, source: "mediamtx", streamKey: `live/${stream.streamKey}`, sessionId });
    expect(await tell("ready", "uuid-1")).toMatchObject(ACCEPTED);
    const { startTime } = await statusOf(stream);
    expect(await tell("ready", "uuid-2")).toMatchObject(ACCEPTED);
    expect(await tell("not_ready", "uuid-1")).toMatchObject(ACCEPTED);
    expect(await statusOf(stream)).toMatchObject({ status: "live", startTime });
    expect(await tell("not_ready", "uuid-2")).toMatchObject(ACCEPTED);
    expect((await statusOf(stream)).status).toBe("ended");
  });

  it.each(["api", "metrics", "pprof"])("its own `%s` is opened to nobody", async (action) => {
    expect(await hookJson({ ...gate, action, path: "", protocol: "", id: "uuid-1" })).toMatchObject(REFUSED);
    const { streamKey } = await mint();
    expect(await hookJson({ ...gate, action, path: `live/${streamKey}`, id: "uuid-1" })).toMatchObject(REFUSED);
  });
});

describe("OvenMediaEngine's admission webhook", () => {
  const ALLOWED = { status: 200, body: { allowed: true } };
  const DENIED = { status: 200, body: { allowed: false, reason: expect.any(String) } };
  const NOTHING = { status: 200, body: {} };

  type Asks = { direction?: string; status?: string; port?: number; url: string; time?: string };
  const bodyOf = ({ direction = "incoming", status = "opening", port = 29291, url, time }: Asks) =>
    JSON.stringify({
      client: { address: "211.233.58.86", port, real_ip: "10.1.1.1", user_agent: "OBS" },
      request: { direction, protocol: "rtmp", status, url, time: time ?? new Date().toISOString() },
    });
  const post = (body: string, signature: string | undefined, path = "/webhook/stream-event") =>
    call(path, {
      method: "POST",
      body,
      headers: { "Content-Type": "application/json", ...(signature ? { "X-OME-Signature": signature } : {}) },
    });
  const ask = async (asks: Asks, secret?: string) => {
    const body = bodyOf(asks);
    return post(body, await signAsOme(body, secret));
  };
  const urlOf = ({ streamKey }: TestStream) => `rtmp://ome.example:1935/app/${streamKey}?token=abc`;

  it("is told what is allowed; a closing is answered with nothing", async () => {
    const stream = await mint();
    const url = urlOf(stream);
    const opened = await ask({ url });
    expect({ status: opened.status, body: opened.body }).toEqual(ALLOWED);
    expect((await statusOf(stream)).status).toBe("live");
    const closed = await ask({ url, status: "closing" });
    expect({ status: closed.status, body: closed.body }).toEqual(NOTHING);
    expect((await statusOf(stream)).status).toBe("ended");
    expect(await eventsOf(stream)).toEqual(["incoming opening: live", "incoming closing: ended"]);
  });

  it("refuses unknown keys", async () => {
    for (const bad of ["rtmp://ome.example/app/sk_thisKeyWasNeverGivenToAnybody", "rtmp://ome.example/app", "?", ""]) {
      const { status, body } = await ask({ url: bad });
      expect({ status, body }).toEqual(DENIED);
    }
  });

  it("lets an encoder that is back in before its old connection is told to be closed, which ends nothing then", async () => {
    const stream = await mint();
    const url = urlOf(stream);
    expect(await ask({ url })).toMatchObject(ALLOWED);
    const { startTime } = await statusOf(stream);
    expect(await ask({ url, port: 29292 })).toMatchObject(ALLOWED);
    await ask({ url, status: "closing" });
    expect(await statusOf(stream)).toMatchObject({ status: "live", startTime });
    await ask({ url, port: 29292, status: "closing" });
    expect((await statusOf(stream)).status).toBe("ended");
  });

  it("that keeps the old connection closes the new one at once: the old one goes on, until it is closed", async () => {
    const stream = await mint();
    const url = urlOf(stream);
    await ask({ url });
    expect(await ask({ url, port: 29292 })).toMatchObject(ALLOWED);
    await ask({ url, port: 29292, status: "closing" });
    expect((await statusOf(stream)).status).toBe("live");
    await ask({ url, status: "closing" });
    expect((await statusOf(stream)).status).toBe("ended");
  });

  it("closing after a while ends the stream, whoever was replaced before", async () => {
    const stream = await mint();
    const url = urlOf(stream);
    await ask({ url });
    await ask({ url, port: 29292 });
    await ask({ url, status: "closing" });
    passTime(120);
    await ask({ url, port: 29292, status: "closing" });
    expect((await statusOf(stream)).status).toBe("ended");
  });

  it("counts players, of a playlist too, and lets them in whatever they ask for", async () => {
    const stream = await mint();
    await ask({ url: urlOf(stream) });
    const player = {
      direction: "outgoing",
      url: `https://ome.example:3334/app/${stream.streamKey}/llhls.m3u8`,
      port: 5,
    };
    expect(await ask(player)).toMatchObject(ALLOWED);
    expect(await statusOf(stream)).toMatchObject({ viewerCount: 1 });
    expect(await ask({ ...player, status: "closing" })).toMatchObject(NOTHING);
    expect(await statusOf(stream)).toMatchObject({ status: "live", viewerCount: 0 });
    const unknown = { direction: "outgoing", url: "wss://ome.example/app/nothing" };
    expect(await ask(unknown)).toMatchObject(ALLOWED);
  });

  it("proves itself by a signature over the raw body, with either secret, within 300 seconds", async () => {
    const url = urlOf(await mint());
    expect(await ask({ url }, "test-webhook-secret-next")).toMatchObject(ALLOWED);
    expect((await ask({ url }, "another secret")).status).toBe(401);
    const body = bodyOf({ url });
    const signature = await signAsOme(body);
    expect((await post(body.replace("29291", "29299"), signature)).status).toBe(401);
    expect((await post(body, undefined)).status).toBe(401);
    for (const bad of ["", "abc", `${signature}x`, signature.slice(1), signature.replace(/^./, "+")]) {
      expect((await post(body, bad)).status).toBe(401);
    }
    const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
    for (const time of [at(-310), at(310), "yesterday", ""]) expect((await ask({ url, time })).status).toBe(401);
    expect((await ask({ url, status: "closing", time: at(-290).replace("Z", "+00:00") })).status).toBe(200);
    // Its signature is over a body with a time in it; without one, a captured call would be good for ever.
    const other = JSON.stringify({ event: "publish", streamKey: "x", sessionId: "y" });
    expect((await post(other, await signAsOme(other))).status).toBe(401);
  });

  it("may prove itself by a secret in its address, as the others do", async () => {
    expect(await post(bodyOf({ url: urlOf(await mint()) }), undefined, HOOK)).toMatchObject(ALLOWED);
  });

  it("a captured call, sent again, is answered as it was and does nothing", async () => {
    const stream = await mint();
    const opening = bodyOf({ url: urlOf(stream) });
    const signature = await signAsOme(opening);
    expect(await post(opening, signature)).toMatchObject(ALLOWED);
    await ask({ url: urlOf(stream), status: "closing" });
    expect(await post(opening, signature)).toMatchObject(ALLOWED);
    expect((await statusOf(stream)).status).toBe("ended");
  });

  it("leaves no key in the log, though its session is known by its address", async () => {
    const stream = await mint();
    await ask({ url: urlOf(stream) });
    const { results } = await env.DB.prepare("SELECT * FROM stream_events WHERE stream_id = ?").bind(stream.id).all();
    expect(results).toMatchObject([{ session: "ovenmediaengine/ome.example:1935/app/211.233.58.86:29291" }]);
    expect(JSON.stringify(results)).not.toContain(stream.streamKey);
  });
});
