/**
 * The traps that were seen in the capture of nginx-rtmp (MEDIA.md 1.4), one by one, each with the requests as nginx sent them:
 * its fields in its order, with what a publisher wrote behind the `?`.
 */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, mintUser } from "./support/api.ts";
import { passTime } from "./support/clock.ts";
import {
  ACCEPTED,
  eventsOf,
  FORM,
  HOOK,
  hook,
  mint,
  mintStream,
  nginx,
  REFUSED,
  statusOf,
  WEBHOOK_SECRET,
} from "./support/media.ts";

/** What the publisher of the capture wrote behind its key. */
const ARGUMENTS = "&token=abc%20d&user=7";
const PLAY = "&start=4294965296&duration=0&reset=0";
const UPDATE = "&time=10&timestamp=10000";

const publish = (key: string, client: number, args = ARGUMENTS) => nginx("publish", key, client, `&type=live${args}`);
const beat = (key: string, client: number) => nginx("update_publish", key, client, UPDATE);

it("the publish of the capture, byte for byte, goes live; its end ends it", async () => {
  const stream = await mint();
  const captured = `app=live&flashver=FMLE/3.0%20(compatible%3B%20Lavf59.27&swfurl=&tcurl=rtmp://127.0.0.1:19350/live&pageurl=&addr=127.0.0.1&clientid=5&call=publish&name=${stream.streamKey}&type=live&token=abc%20d&user=7`;
  const headers = { "Content-Type": FORM, Connection: "Close" };
  const answer = await call(HOOK, { method: "POST", body: captured, headers });
  expect(answer).toMatchObject(ACCEPTED);
  expect(answer.headers.get("access-control-allow-origin")).toBeNull();
  const live = await statusOf(stream);
  expect(live).toMatchObject({ status: "live", endTime: null });
  expect(Date.now() - Date.parse(live.startTime)).toBeLessThan(10_000);
  expect(await nginx("publish_done", stream.streamKey, 5, ARGUMENTS)).toMatchObject(ACCEPTED);
  const ended = await statusOf(stream);
  expect(ended).toMatchObject({ status: "ended", startTime: live.startTime });
  expect(ended.endTime >= ended.startTime).toBe(true);
});

describe("trap 1: a viewer who leaves sends `done` with the stream's key", () => {
  it("which takes a viewer away, and leaves the stream live", async () => {
    const stream = await mint();
    await publish(stream.streamKey, 5);
    await nginx("play", stream.streamKey, 8, PLAY);
    expect(await statusOf(stream)).toMatchObject({ viewerCount: 1 });
    expect(await nginx("play_done", stream.streamKey, 8)).toMatchObject(ACCEPTED);
    expect(await nginx("done", stream.streamKey, 8)).toMatchObject(ACCEPTED);
    expect(await statusOf(stream)).toMatchObject({ status: "live", viewerCount: 0 });
    const expected = ["publish: live", "play: counted", "play_done: counted", "done: ignored"];
    expect(await eventsOf(stream)).toEqual(expected);
  });
});

describe("trap 2: a second publisher on a busy key", () => {
  it("is refused, and what nginx sends of it afterwards leaves the first one's stream live", async () => {
    const stream = await mint();
    await publish(stream.streamKey, 5);
    const { startTime } = await statusOf(stream);
    expect(await publish(stream.streamKey, 6)).toMatchObject(REFUSED);
    await nginx("publish_done", stream.streamKey, 6, ARGUMENTS);
    await nginx("done", stream.streamKey, 6, ARGUMENTS);
    // The 0-byte recording.
    await nginx("record_done", stream.streamKey, 6, `&recorder=&path=/var/rec/x-1.flv${ARGUMENTS}`);
    await nginx("disconnect", "", 6);
    expect(await statusOf(stream)).toMatchObject({ status: "live", startTime, endTime: null });
    expect(await beat(stream.streamKey, 5)).toMatchObject(ACCEPTED);
  });

  it("of any number at once, one goes live", async () => {
    const stream = await mint();
    const answers = await Promise.all([1, 2, 3, 4, 5, 6].map((client) => publish(stream.streamKey, client)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(5);
  });
});

describe("trap 3: fields that a publisher appends, unescaped", () => {
  it("change nothing: of a repeated field the first value counts", async () => {
    const [stream, victim] = [await mint(), await mint()];
    await publish(victim.streamKey, 1);
    const injected = `&name=${victim.streamKey}&call=publish_done&clientid=1&secret=wrong&app=admin`;
    expect(await publish(stream.streamKey, 5, injected)).toMatchObject(ACCEPTED);
    expect(await statusOf(stream)).toMatchObject({ status: "live" });
    expect(await statusOf(victim)).toMatchObject({ status: "live" });
    expect(await nginx("publish_done", stream.streamKey, 5, injected)).toMatchObject(ACCEPTED);
    expect(await statusOf(stream)).toMatchObject({ status: "ended" });
    expect(await statusOf(victim)).toMatchObject({ status: "live" });
  });

  it("prove nothing: a secret in the body is not looked at", async () => {
    const { streamKey } = await mint();
    const body = `app=live&clientid=5&call=publish&name=${streamKey}&type=live&secret=${WEBHOOK_SECRET}`;
    expect((await hook(body, FORM, "/webhook/stream-event")).status).toBe(401);
  });
});

describe("trap 4: an nginx that is stopped sends nothing", () => {
  it("so its streams end when they have been silent for three heartbeats, as of when it was last heard", async () => {
    const stream = await mint();
    await publish(stream.streamKey, 5);
    passTime(10);
    expect(await beat(stream.streamKey, 5)).toMatchObject(ACCEPTED);
    const lastHeard = new Date().toISOString();
    passTime(29);
    expect(await statusOf(stream)).toMatchObject({ status: "live" });
    passTime(2);
    const ended = await statusOf(stream);
    expect(ended.status).toBe("ended");
    expect(Date.parse(lastHeard) - Date.parse(ended.endTime)).toBeLessThan(1000);
    expect(ended.endTime <= lastHeard).toBe(true);
  });

  it("unless it was the network: the next heartbeat brings the stream back", async () => {
    const stream = await mint();
    await publish(stream.streamKey, 5);
    const { startTime } = await statusOf(stream);
    await beat(stream.streamKey, 5);
    passTime(31);
    expect(await statusOf(stream)).toMatchObject({ status: "ended" });
    expect(await beat(stream.streamKey, 5)).toMatchObject(ACCEPTED);
    expect(await statusOf(stream)).toMatchObject({ status: "live", startTime, endTime: null });
  });

  it("and another publisher may take over at once; the old session can do nothing any more", async () => {
    const stream = await mint();
    await publish(stream.streamKey, 5);
    await beat(stream.streamKey, 5);
    passTime(31);
    expect(await publish(stream.streamKey, 1)).toMatchObject(ACCEPTED);
    expect(await statusOf(stream)).toMatchObject({ status: "live", endTime: null });
    expect(await beat(stream.streamKey, 5)).toMatchObject(REFUSED);
    await nginx("done", stream.streamKey, 5, ARGUMENTS);
    expect((await statusOf(stream)).status).toBe("live");
  });

  it("whose audience is its own: the viewers of the nginx that died are not counted again", async () => {
    const stream = await mint();
    await publish(stream.streamKey, 5);
    await nginx("play", stream.streamKey, 8, PLAY);
    await beat(stream.streamKey, 5);
    const lastHeard = Date.now();
    passTime(31);
    // Nobody has looked in between.
    await publish(stream.streamKey, 1);
    expect(await statusOf(stream)).toMatchObject({ status: "live", viewerCount: 0 });
    const first = await env.DB.prepare("SELECT end_reason, ended_at, plays FROM stream_sessions WHERE stream_id = ?")
      .bind(stream.id)
      .first();
    expect(first).toMatchObject({ end_reason: "lease", plays: 1 });
    expect(Math.abs(Number(first?.ended_at) - lastHeard)).toBeLessThan(1000);
  });
});

describe("trap 5: a publisher that falls silent", () => {
  it("stays live while nginx holds it, however long, and ends with the late `done`", async () => {
    const stream = await mint();
    await publish(stream.streamKey, 5);
    for (let update = 0; update < 6; update += 1) {
      passTime(10);
      expect(await beat(stream.streamKey, 5)).toMatchObject(ACCEPTED);
    }
    expect(await statusOf(stream)).toMatchObject({ status: "live" });
    await nginx("publish_done", stream.streamKey, 5, ARGUMENTS);
    await nginx("done", stream.streamKey, 5, ARGUMENTS);
    expect(await eventsOf(stream)).toEqual([
      "publish: live",
      ...Array(6).fill("update_publish: renewed"),
      "publish_done: ended",
      "done: ignored",
    ]);
  });
});

describe("trap 6: an end that comes before its beginning is answered", () => {
  it("keeps the stream from going live, and another publisher from nothing", async () => {
    const stream = await mint();
    await nginx("publish_done", stream.streamKey, 3, ARGUMENTS);
    await nginx("done", stream.streamKey, 3, ARGUMENTS);
    expect(await publish(stream.streamKey, 3)).toMatchObject(REFUSED);
    expect(await statusOf(stream)).toMatchObject({ status: "ended", startTime: null });
    expect(await publish(stream.streamKey, 4)).toMatchObject(ACCEPTED);
  });

  it("for no longer than a minute, since nginx numbers from 1 again", async () => {
    const stream = await mint();
    await nginx("publish_done", stream.streamKey, 3, ARGUMENTS);
    passTime(59);
    expect(await publish(stream.streamKey, 3)).toMatchObject(REFUSED);
    passTime(2);
    expect(await publish(stream.streamKey, 3)).toMatchObject(ACCEPTED);
  });
});

describe("trap 7: nginx numbers connections from 1 again when it restarts", () => {
  it("a number that comes back is a session of its own", async () => {
    const stream = await mint();
    await publish(stream.streamKey, 1);
    const first = await statusOf(stream);
    await nginx("publish_done", stream.streamKey, 1, ARGUMENTS);
    await nginx("done", stream.streamKey, 1, ARGUMENTS);
    passTime(5);
    expect(await publish(stream.streamKey, 1)).toMatchObject(ACCEPTED);
    const second = await statusOf(stream);
    expect(second).toMatchObject({ status: "live", endTime: null });
    expect(second.startTime > first.startTime).toBe(true);
  });

  it("a number that a viewer had may be the next publisher's", async () => {
    const stream = await mint();
    await publish(stream.streamKey, 5);
    await nginx("play", stream.streamKey, 8, PLAY);
    await nginx("done", stream.streamKey, 8);
    await nginx("publish_done", stream.streamKey, 5, ARGUMENTS);
    expect(await publish(stream.streamKey, 8)).toMatchObject(ACCEPTED);
  });

  it("numbers of two servers are told apart by the `server` of their hooks", async () => {
    const stream = await mint();
    const of = (server: string, name: string) =>
      hook(`app=live&clientid=1&call=${name}&name=${stream.streamKey}`, FORM, `${HOOK}&server=${server}`);
    expect(await of("east", "publish")).toMatchObject(ACCEPTED);
    expect(await of("west", "publish")).toMatchObject(REFUSED);
    await of("west", "publish_done");
    expect((await statusOf(stream)).status).toBe("live");
    await of("east", "publish_done");
    expect((await statusOf(stream)).status).toBe("ended");
  });
});

describe("trap 8: names of any bytes", () => {
  it.each(["sp%20ace%26name=victim%3B$(id)", "..%2F..%2Fetc", "x".repeat(255), "%00%FF%FE", "' OR 1=1 --", ""])(
    "are looked up as what they are: %s",
    async (name) => {
      expect(await publish(name, 1)).toMatchObject(REFUSED);
      expect(await nginx("record_done", name, 1, "&recorder=&path=/var/rec/a%252Fb.flv")).toMatchObject(ACCEPTED);
      expect(await nginx("done", name, 1)).toMatchObject(ACCEPTED);
    },
  );
});

describe("trap 9: recordings whose names collide", () => {
  it("are all kept, and one that is sent twice is kept once", async () => {
    const stream = await mint();
    const upload = (fill: number) => {
      const bytes = new Uint8Array(5000).fill(fill);
      bytes.set([0x46, 0x4c, 0x56, 0x01, 0x05, 0, 0, 0, 9, 0, 0, 0, 0]);
      const body = new FormData();
      body.set("streamKey", stream.streamKey);
      body.set("file", new File([bytes], "key-1795193809.flv"));
      return call(`/vod/upload?secret=${WEBHOOK_SECRET}`, { method: "POST", body });
    };
    const [first, again, second] = [await upload(1), await upload(1), await upload(2)];
    expect([first.status, again.status, second.status]).toEqual([201, 200, 201]);
    expect(again.body.id).toBe(first.body.id);
    expect(second.body.id).not.toBe(first.body.id);
  });
});

describe("trap 10: a player of a stream that nobody publishes hangs", () => {
  it("and is let be, uncounted: it plays as soon as there is something", async () => {
    const stream = await mint();
    expect(await nginx("play", stream.streamKey, 2, PLAY)).toMatchObject(ACCEPTED);
    expect(await statusOf(stream)).toMatchObject({ status: "ended", viewerCount: 0 });
    expect(await nginx("play", "sk_thisKeyWasNeverGivenToAnybody", 2, PLAY)).toMatchObject(ACCEPTED);
  });
});

describe("what else the capture shows (MEDIA.md 1.1, 1.2)", () => {
  const orders = [
    ["publish_done", "done", "record_done", "disconnect"],
    ["disconnect", "record_done", "done", "publish_done"],
    ["record_done", "publish_done", "disconnect", "done"],
  ];
  it.each(orders)("the events of a stop come in any order: %s, %s, %s, %s", async (...names) => {
    const stream = await mint();
    await publish(stream.streamKey, 5);
    for (const name of names) {
      const rest = name === "record_done" ? "&recorder=&path=/var/rec/x.flv" : "";
      expect(await nginx(name, name === "disconnect" ? "" : stream.streamKey, 5, rest)).toMatchObject(ACCEPTED);
    }
    expect((await statusOf(stream)).status).toBe("ended");
    expect((await eventsOf(stream)).filter((line) => line.endsWith(": ended"))).toHaveLength(1);
  });

  it("the relay's own `done`, under the key, ends nothing", async () => {
    const stream = await mint();
    await publish(stream.streamKey, 5);
    const relays = `app=&flashver=ngx-local-relay&swfurl=&tcurl=&pageurl=&addr=127.0.0.1:19350/pub/public8&clientid=7&call=done&name=${stream.streamKey}`;
    expect(await hook(relays)).toMatchObject(ACCEPTED);
    expect((await statusOf(stream)).status).toBe("live");
  });

  it("a bare TCP probe, an on_connect and a viewer's update are let pass", async () => {
    const probe = "app=&flashver=&swfurl=&tcurl=&pageurl=&addr=&clientid=9&call=disconnect";
    const connect = "app=live&flashver=&swfurl=&tcurl=&pageurl=&addr=127.0.0.1&epoch=1&call=connect&tok=1";
    expect(await hook(probe)).toMatchObject(ACCEPTED);
    expect(await hook(connect)).toMatchObject(ACCEPTED);
    expect(await nginx("update_play", (await mint()).streamKey, 8, UPDATE)).toMatchObject(ACCEPTED);
  });

  it("repeats change nothing", async () => {
    const stream = await mint();
    await publish(stream.streamKey, 5);
    const { startTime } = await statusOf(stream);
    expect(await publish(stream.streamKey, 5)).toMatchObject(ACCEPTED);
    await nginx("play", stream.streamKey, 8, PLAY);
    await nginx("play", stream.streamKey, 8, PLAY);
    expect(await statusOf(stream)).toMatchObject({ startTime, viewerCount: 1 });
    await nginx("publish_done", stream.streamKey, 5);
    const ended = await statusOf(stream);
    await nginx("done", stream.streamKey, 5);
    await nginx("publish_done", stream.streamKey, 5);
    expect(await statusOf(stream)).toEqual(ended);
    expect((await eventsOf(stream)).filter((line) => line.endsWith(": ended"))).toHaveLength(1);
  });

  it("a reconnect is a session of its own, with the first one's times kept", async () => {
    const stream = await mintStream(await mintUser("caster"));
    await publish(stream.streamKey, 5);
    await nginx("play", stream.streamKey, 8, PLAY);
    await nginx("publish_done", stream.streamKey, 5);
    await publish(stream.streamKey, 9);
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
