import { abortAllDurableObjects } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { GatewayProbe } from "./support/gateways.ts";
import { RawClient, welcomeIn } from "./support/raw-client.ts";

describe.each([
  ["shards", new RawClient("/socket.io/")],
  ["an object per session", new RawClient("/single/")],
])("eviction between any two packets, on %s", (_density, client) => {
  const gatewayOf = (sid: string) => new GatewayProbe(client.path, sid);

  it("a WebSocket session goes on: join, events, acks, state, namespaces, leave", async () => {
    const { socket, sid } = await client.join("admin");
    const gateway = gatewayOf(sid);
    await gateway.evict();
    socket.send('40/admin,{"token":"user:admin"}');
    await socket.text("the second welcome");
    await gateway.evict();
    socket.send('421["count"]');
    expect(await socket.text("the first count")).toBe("431[1]");
    await gateway.evict();
    socket.send('422["count"]');
    expect(await socket.text("the second count")).toBe("432[2]");
    socket.send('42/admin,3["count"]');
    expect(await socket.text("the other namespace's count")).toBe("43/admin,3[1]");
    await gateway.evict();
    socket.send("41/admin,");
    socket.send('425["echo"]');
    await socket.text("an ack, after the leave");
    await gateway.evict();
    socket.send('424["count"]');
    expect(await socket.text("the third count")).toBe("434[3]");
  });

  it("a polling session goes on, with the packets that wait for it", async () => {
    const { sid } = await client.joinPolling("ada");
    const gateway = gatewayOf(sid);
    await gateway.evict();
    await client.post(sid, '42["echo","waits"]\x1e451-["echo",{"_placeholder":true,"num":0}]\x1ebAQID');
    await gateway.evict();
    const { text } = await client.poll(sid);
    expect(text.split("\x1e")).toEqual([
      expect.stringMatching(/^42\["echo","waits"/),
      expect.stringMatching(/^451-\["echo",\{"_placeholder":true,"num":0\}/),
      "bAQID",
    ]);
    await gateway.evict();
    await client.post(sid, '421["count"]');
    expect((await client.poll(sid)).text).toBe("431[1]");
  });

  it("a GET that waits is still answered", async () => {
    const { sid } = await client.joinPolling("ada");
    const pending = client.poll(sid);
    await client.post(sid, '42["nothing"]');
    await gatewayOf(sid).evict();
    await client.post(sid, '421["echo","awake"]');
    expect(await pending).toEqual({ status: 200, text: '431["awake"]' });
  });

  it("an upgraded session goes on", async () => {
    const { sid } = await client.joinPolling("ada");
    const gateway = gatewayOf(sid);
    await gateway.evict();
    const socket = await client.socket({ sid });
    socket.send("2probe");
    expect(await socket.text("the probe's answer")).toBe("3probe");
    socket.send("5");
    socket.send('421["count"]');
    expect(await socket.text("the count")).toBe("431[1]");
    await gateway.evict();
    socket.send('422["count"]');
    expect(await socket.text("the count")).toBe("432[2]");
    expect((await client.poll(sid)).status).toBe(400);
  });

  it("a ping and its pong do", async () => {
    const { socket, sid } = await client.join("ada");
    const gateway = gatewayOf(sid);
    await gateway.runAlarm();
    expect(await socket.text("the ping")).toBe("2");
    await gateway.evict();
    socket.send("3");
    socket.send('421["echo"]');
    await socket.text("an ack, after the pong");
    await gateway.evict();
    await gateway.runAlarm();
    expect(await socket.text("the next ping")).toBe("2");
  });

  it("a lost connection is still recovered, with what came before and after", async () => {
    const { socket, sid, id, pid } = await client.join("ada");
    const gateway = gatewayOf(sid);
    socket.send('42["echo","one"]');
    const offset = JSON.parse((await socket.text("the first echo")).slice(2)).at(-1);
    socket.send('42["echo","two"]');
    await socket.text("the second echo, which the client loses");
    socket.close();
    await expect.poll(() => gateway.rowKeys()).toEqual(expect.arrayContaining([`lost:${pid}`]));
    await gateway.evict();
    await gateway.deliver([id], ['["said","three"]']);
    await gateway.evict();
    const back = await client.socket();
    await back.text("the handshake");
    back.send(`40${JSON.stringify({ pid, offset, token: "user:ada" })}`);
    expect(welcomeIn(await back.text("the welcome"))).toEqual({ id, pid });
    expect(await back.text("the second echo")).toMatch(/^42\["echo","two"/);
    expect(await back.text("what came while away")).toMatch(/^42\["said","three"/);
  });
});

describe("a crash", () => {
  const client = new RawClient("/socket.io/");

  it("leaves polling sessions as they were", async () => {
    const { sid } = await client.joinPolling("ada");
    await client.post(sid, '421["count"]\x1e42["echo","waits"]');
    await abortAllDurableObjects();
    expect((await client.poll(sid)).text.split("\x1e")).toEqual([
      "431[1]",
      expect.stringMatching(/^42\["echo","waits"/),
    ]);
    await client.post(sid, '422["count"]');
    expect((await client.poll(sid)).text).toBe("432[2]");
  });

  it("forgets a stranger, who was worth no row and no alarm", async () => {
    const fresh = new RawClient("/single/");
    const sid = await fresh.handshake();
    const gateway = new GatewayProbe(fresh.path, sid);
    expect([await gateway.rowKeys(), await gateway.alarm()]).toEqual([[], null]);
    await abortAllDurableObjects();
    expect((await fresh.poll(sid)).status).toBe(400);
  });

  it("answers a GET that waits, so that its client asks again", async () => {
    const { sid } = await client.joinPolling("ada");
    const pending = client.poll(sid);
    await client.post(sid, '42["nothing"]');
    await abortAllDurableObjects();
    expect(await pending).toEqual({ status: 200, text: "6" });
    await client.post(sid, '421["echo"]');
    expect((await client.poll(sid)).text).toBe("431[]");
  });
});
