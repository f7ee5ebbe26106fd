/** What ends and is forgotten by itself: the clock is the Worker's, moved by the test; the cron is the platform's call. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { runCron } from "../src/cron.ts";
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
  nginxBody,
  REFUSED,
  statusOf,
  type TestStream,
} from "./support/media.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;

async function cron() {
  const context = createExecutionContext();
  await runCron(env, context);
  await waitOnExecutionContext(context);
}

/** What the database says, which no look through the API has ended. */
const rowOf = (stream: TestStream) =>
  env.DB.prepare("SELECT status, end_reason, ended_at FROM streams WHERE id = ?").bind(stream.id).first();

/** As nginx calls a hook whose address promises a heartbeat. */
const beating = (name: string, { streamKey }: TestStream, client: number, seconds = 10) =>
  hook(nginxBody(name, streamKey, client), FORM, `${HOOK}&heartbeat=${seconds}`);

describe("the cron", () => {
  it("ends a stream that nobody looks at, three heartbeats after the last one, as of that one", async () => {
    const stream = await mint();
    await nginx("publish", stream.streamKey, 5);
    passTime(10);
    await nginx("update_publish", stream.streamKey, 5);
    const heard = Date.now();
    passTime(29);
    await cron();
    expect(await rowOf(stream)).toMatchObject({ status: "live" });
    passTime(2);
    await cron();
    const row = await rowOf(stream);
    expect(row).toMatchObject({ status: "ended", end_reason: "lease" });
    expect(Math.abs(Number(row?.ended_at) - heard)).toBeLessThan(1000);
  });

  it("lets a stream be whose media server has never sent a heartbeat", async () => {
    const stream = await mint();
    await nginx("publish", stream.streamKey, 5);
    passTime(23 * HOUR);
    await cron();
    expect(await rowOf(stream)).toMatchObject({ status: "live" });
  });

  it("ends what is longer than any broadcast, as of now; the publisher is cut off, and may start anew", async () => {
    const [quiet, beats] = [await mint(), await mint()];
    await nginx("publish", quiet.streamKey, 5);
    await nginx("publish", beats.streamKey, 6);
    passTime(DAY - 5);
    expect(await nginx("update_publish", beats.streamKey, 6)).toMatchObject(ACCEPTED);
    passTime(10);
    await cron();
    for (const stream of [quiet, beats]) {
      const row = await rowOf(stream);
      expect(row).toMatchObject({ status: "ended", end_reason: "too_long" });
      expect(Math.abs(Number(row?.ended_at) - Date.now())).toBeLessThan(1000);
    }
    expect(await nginx("update_publish", beats.streamKey, 6)).toMatchObject(REFUSED);
    expect(await rowOf(beats)).toMatchObject({ status: "ended" });
    expect(await nginx("publish", beats.streamKey, 7)).toMatchObject(ACCEPTED);
  });

  it("forgets ends without a beginning after a minute", async () => {
    const stream = await mint();
    await nginx("publish_done", stream.streamKey, 3);
    const marks = () =>
      env.DB.prepare("SELECT count(*) AS n FROM stream_early_ends WHERE stream_id = ?").bind(stream.id).first("n");
    passTime(59);
    await cron();
    expect(await marks()).toBe(1);
    passTime(2);
    await cron();
    expect(await marks()).toBe(0);
  });
});

describe("a hook whose address promises a heartbeat", () => {
  it("holds the media server to it from the start: one that dies before its first update leaves nothing live", async () => {
    const stream = await mint();
    expect(await beating("publish", stream, 5)).toMatchObject(ACCEPTED);
    passTime(29);
    expect((await statusOf(stream)).status).toBe("live");
    // The publisher reconnects to the restarted server, and is not told that it is live already.
    passTime(2);
    expect(await beating("publish", stream, 1)).toMatchObject(ACCEPTED);
    expect((await statusOf(stream)).status).toBe("live");
    passTime(31);
    await cron();
    expect(await rowOf(stream)).toMatchObject({ status: "ended", end_reason: "lease" });
  });

  it("may promise another one than everybody's", async () => {
    const stream = await mint();
    await beating("publish", stream, 5, 60);
    passTime(100);
    expect((await statusOf(stream)).status).toBe("live");
    expect(await beating("update_publish", stream, 5, 60)).toMatchObject(ACCEPTED);
    passTime(179);
    expect((await statusOf(stream)).status).toBe("live");
    passTime(2);
    expect((await statusOf(stream)).status).toBe("ended");
    for (const bad of ["0", "x", "3601"]) {
      expect((await hook("call=publish", FORM, `${HOOK}&heartbeat=${bad}`)).status).toBe(400);
    }
  });
});

describe("a lapsed stream", () => {
  it("is in no list, and in no answer that was kept", async () => {
    const owner = await mintUser("caster");
    const stream = await mintStream(owner);
    await beating("publish", stream, 5);
    const live = async () =>
      (await call("/streams?status=live&limit=100")).body.streams.map(({ id }: TestStream) => id);
    expect(await live()).toContain(stream.id);
    expect((await statusOf(stream)).status).toBe("live");
    passTime(27);
    // Kept now, for longer than the lease runs.
    expect(await live()).toContain(stream.id);
    expect((await statusOf(stream)).status).toBe("live");
    passTime(4);
    expect(await live()).not.toContain(stream.id);
    expect((await statusOf(stream)).status).toBe("ended");
  });
});

describe("kept answers", () => {
  it("hold for their time to live: viewers show in lists when it is over, in details at once", async () => {
    const stream = await mint();
    await nginx("publish", stream.streamKey, 5);
    const listed = async () => {
      const { body } = await call("/streams?status=live&limit=100");
      return body.streams.find(({ id }: TestStream) => id === stream.id).viewerCount;
    };
    expect(await listed()).toBe(0);
    await nginx("play", stream.streamKey, 8);
    expect(await listed()).toBe(0);
    expect(await statusOf(stream)).toMatchObject({ viewerCount: 1 });
    passTime(4.5);
    expect(await listed()).toBe(0);
    passTime(1);
    expect(await listed()).toBe(1);
  });
});

describe("the log of events", () => {
  it("is kept for its days, and no longer", async () => {
    const stream = await mint();
    await nginx("publish", stream.streamKey, 5);
    passTime(29 * DAY);
    await nginx("publish_done", stream.streamKey, 5);
    await cron();
    expect(await eventsOf(stream)).toHaveLength(2);
    passTime(DAY + 60);
    await cron();
    expect(await eventsOf(stream)).toEqual(["publish_done: ended"]);
  });

  it("is cleared by bounded statements, however much has gathered", async () => {
    const stream = await mint();
    await env.DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12500)
       INSERT INTO stream_events (stream_id, source, event, session, outcome, request_id, created_at)
       SELECT ?, 's', 'e', 'x', 'ignored', 'r', ? FROM n`,
    )
      .bind(stream.id, Date.now())
      .run();
    await nginx("done", stream.streamKey, 5);
    const left = () =>
      env.DB.prepare("SELECT count(*) AS n FROM stream_events WHERE stream_id = ?").bind(stream.id).first("n");
    passTime(31 * DAY);
    await cron();
    // Ten thousand to a minute.
    const rest = await left();
    expect(rest).toBeGreaterThan(2000);
    expect(rest).toBeLessThan(3000);
    await cron();
    expect(await left()).toBe(0);
  });
});
