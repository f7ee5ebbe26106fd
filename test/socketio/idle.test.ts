import { listDurableObjectIds } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { GatewayProbe } from "./support/gateways.ts";
import { RawClient, sidIn } from "./support/raw-client.ts";

const shards = new RawClient("/socket.io/");
const singles = new RawClient("/single/");

/** Timers that were set and have neither fired nor been cleared: each would keep its object in memory. */
const running = new Set<unknown>();

beforeEach(() => {
  running.clear();
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  vi.stubGlobal("setTimeout", (work: () => void, delay?: number) => {
    const timer = set(() => {
      running.delete(timer);
      work();
    }, delay);
    running.add(timer);
    return timer;
  });
  vi.stubGlobal("clearTimeout", (timer: number | null) => {
    running.delete(timer);
    clear(timer);
  });
});
afterEach(() => vi.unstubAllGlobals());

describe("an idle connection", () => {
  it("holds no timer and has no row on WebSocket; one alarm serves all", async () => {
    const first = await shards.join("ada");
    const gateway = new GatewayProbe(shards.path, first.sid);
    const alarm = await gateway.alarm();
    const second = await shards.join("bob");
    first.socket.send('451-1["echo",{"_placeholder":true,"num":0}]');
    first.socket.send(Uint8Array.of(1).buffer);
    await first.socket.text("the binary ack");
    await first.socket.next("its attachment");
    second.socket.send('421["slow",1]');
    await second.socket.text("the late ack");
    expect([...running]).toEqual([]);
    expect(await gateway.rowKeys()).toEqual([]);
    expect(await gateway.alarm()).toBe(alarm);
  });

  it("holds no timer while it polls, and none after an upgrade, which takes its row away", async () => {
    const { sid } = await shards.joinPolling("ada");
    const gateway = new GatewayProbe(shards.path, sid);
    const socket = await shards.socket({ sid });
    expect(await gateway.rowKeys()).toContain(`session:${sid}`);
    socket.send("2probe");
    await socket.text("the probe's answer");
    socket.send("5");
    socket.send('421["echo"]');
    await socket.text("the ack");
    expect([...running]).toEqual([]);
    expect(await gateway.rowKeys()).not.toContain(`session:${sid}`);
  });
});

describe("the heartbeat", () => {
  it("closes who did not answer the last ping, on either transport, and no one else", async () => {
    const [answering, silent] = [await singles.join("ada"), await singles.join("bob")];
    const probes = [answering, silent].map(({ sid }) => new GatewayProbe(singles.path, sid));
    for (const probe of probes) await probe.runAlarm();
    expect(await answering.socket.text("the ping")).toBe("2");
    expect(await silent.socket.text("the ping")).toBe("2");
    answering.socket.send("3");
    answering.socket.send('421["slow",320]');
    await answering.socket.text("the end of the ping timeout");
    for (const probe of probes) await probe.runAlarm();
    expect(await answering.socket.text("the next ping")).toBe("2");
    await silent.socket.closed("the ping timeout");
  });

  it("counts a polling session as gone when its time is over, even before the alarm", async () => {
    const { sid } = await singles.joinPolling("ada");
    const probe = new GatewayProbe(singles.path, sid);
    const pending = singles.poll(sid);
    await singles.post(sid, '42["nothing"]');
    await probe.runAlarm();
    expect((await pending).text).toBe("2");
    const other = await singles.join("bob");
    other.socket.send('421["slow",320]');
    await other.socket.text("the end of the ping timeout");
    expect((await singles.poll(sid)).status).toBe(400);
  });
});

describe("what strangers can cost", () => {
  it("junk and forged requests make no object", async () => {
    const before = (await listDurableObjectIds(env.SHARDS)).length + (await listDurableObjectIds(env.SINGLES)).length;
    const sids = Array.from({ length: 50 }, (_, n) => `weur-${n}.AAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAA`);
    for (const client of [shards, singles]) {
      for (const sid of sids) {
        expect((await client.poll(sid)).status).toBe(400);
        expect((await client.post(sid, "4x")).status).toBe(400);
      }
      expect((await client.get({ EIO: "4", transport: "polling", flood: "1" })).status).toBe(429);
    }
    const after = (await listDurableObjectIds(env.SHARDS)).length + (await listDurableObjectIds(env.SINGLES)).length;
    expect(after).toBe(before);
  });

  it("an object of one session is left empty, without an alarm", async () => {
    const socket = await singles.socket();
    const probe = new GatewayProbe(singles.path, sidIn(await socket.text("the handshake")));
    socket.send("41");
    await socket.closed("the end of a stranger");
    await expect.poll(() => probe.alarm()).toBe(null);
    expect(await probe.rowKeys()).toEqual([]);
    const { sid } = await singles.joinPolling("ada");
    const polling = new GatewayProbe(singles.path, sid);
    await singles.post(sid, "41");
    await singles.post(sid, "1");
    await expect.poll(() => polling.alarm()).toBe(null);
    expect(await polling.rowKeys()).toEqual([]);
  });
});
