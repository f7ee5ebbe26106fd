import { describe, expect, it } from "vitest";
import { RawClient, sidIn } from "./support/raw-client.ts";

const POLLING = { EIO: "4", transport: "polling" };

describe.each([
  ["shards", new RawClient("/socket.io/")],
  ["an object per session", new RawClient("/single/")],
])("Engine.IO on %s", (_density, client) => {
  it("opens a polling session, and offers the upgrade", async () => {
    const { status, text } = await client.get(POLLING);
    expect(status).toBe(200);
    expect(JSON.parse(text.slice(1))).toEqual({
      sid: expect.any(String),
      upgrades: ["websocket"],
      pingInterval: 60_000,
      pingTimeout: 300,
      maxPayload: 100_000,
    });
  });

  it("opens a WebSocket session, with nothing left to upgrade to", async () => {
    const socket = await client.socket();
    expect(JSON.parse((await socket.text("the handshake")).slice(1))).toMatchObject({ upgrades: [] });
  });

  it.each([
    ["no EIO", { transport: "polling" }, 5],
    ["another EIO", { EIO: "3", transport: "polling" }, 5],
    ["no transport", { EIO: "4" }, 0],
    ["an unknown transport", { EIO: "4", transport: "webtransport" }, 0],
    ["a WebSocket transport without upgrade", { EIO: "4", transport: "websocket" }, 3],
    ["an empty sid", { ...POLLING, sid: "" }, 1],
    ["a made-up sid", { ...POLLING, sid: "weur-0.AAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAA" }, 1],
    ["a sid of 100 KB", { ...POLLING, sid: "x".repeat(100_000) }, 1],
    ["a sid with a NUL", { ...POLLING, sid: "\0/../\u00e9" }, 1],
  ])("answers 400 to %s", async (_what, query, code) => {
    const { status, text } = await client.get(query);
    expect([status, JSON.parse(text).code]).toEqual([400, code]);
  });

  it.each(["POST", "PUT", "DELETE"])("answers 400 to %s without a sid", async (method) => {
    const body = method === "DELETE" ? undefined : "4hello";
    const response = await client.fetch(POLLING, { method, body });
    expect([response.status, await response.json()]).toEqual([400, { code: 2, message: "Bad handshake method" }]);
  });

  it("refuses a sid with any character changed", async () => {
    const sid = await client.handshake();
    for (const at of [0, 5, Math.floor(sid.length / 2), sid.length - 2]) {
      const forged = sid.slice(0, at) + (sid[at] === "A" ? "B" : "A") + sid.slice(at + 1);
      expect((await client.poll(forged)).status).toBe(400);
    }
  });

  it("answers 413 to a body over maxPayload, announced or not, and keeps the session", async () => {
    const sid = await client.handshake();
    const large = `4${"x".repeat(100_000)}`;
    expect((await client.post(sid, large)).status).toBe(413);
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const sending = writer.write(new TextEncoder().encode(large)).then(() => writer.close());
    expect((await client.post(sid, readable)).status).toBe(413);
    await sending.catch(() => {});
    expect((await client.post(sid, '40{"token":"user:ada"}')).text).toBe("ok");
  });

  it("closes a WebSocket session on a frame over maxPayload", async () => {
    const { socket } = await client.join("ada");
    socket.send(`42["echo","${"x".repeat(100_000)}"]`);
    await socket.closed("the close after a large frame");
  });

  it.each(["abc", "", "2", "0{}", "9", "\x1e", "4", "4abc", "45", "b????", "42{}", "42abc[1]", "459999-[1]"])(
    "answers %j with 400 or an end, never a hang or a 500",
    async (body) => {
      const sid = await client.handshake();
      const answer = await client.post(sid, body);
      expect([200, 400]).toContain(answer.status);
      expect((await client.poll(sid)).status).toBe(400);
    },
  );

  it("ends a session that is polled twice at once", async () => {
    const { sid } = await client.joinPolling("ada");
    const first = client.poll(sid);
    const second = client.poll(sid);
    const answers = [await first, await second];
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 400]);
    expect(answers.find(({ status }) => status === 200)?.text).toBe("1");
    expect((await client.poll(sid)).status).toBe(400);
  });

  it("upgrades, carrying over what waits, and refuses both transports' stragglers", async () => {
    const { sid } = await client.joinPolling("ada");
    const socket = await client.socket({ sid });
    socket.send("2probe");
    expect(await socket.text("the probe's answer")).toBe("3probe");
    expect(await client.poll(sid)).toEqual({ status: 200, text: "6" });
    await client.post(sid, '42["echo","before"]');
    socket.send("5");
    expect(await socket.text("what waited")).toContain("before");
    socket.send('42["echo","after"]');
    expect(await socket.text("the echo")).toContain("after");
    expect((await client.poll(sid)).status).toBe(400);
    expect((await client.post(sid, '42["echo",1]')).status).toBe(400);
    await (await client.socket({ sid })).closed("the end of a second WebSocket");
  });

  it("keeps polling if a probe goes wrong", async () => {
    const { sid } = await client.joinPolling("ada");
    const socket = await client.socket({ sid });
    socket.send("5");
    await socket.closed("the end of a probe without 2probe");
    await client.post(sid, '42["echo","still here"]');
    expect((await client.poll(sid)).text).toContain("still here");
  });

  it("ends a session whose client says goodbye", async () => {
    const { sid } = await client.joinPolling("ada");
    const [pending, goodbye] = await Promise.all([client.poll(sid), client.post(sid, "1")]);
    expect([pending, goodbye.text]).toEqual([{ status: 200, text: "6" }, "ok"]);
    expect((await client.poll(sid)).status).toBe(400);
  });

  it("closes strangers who join no namespace", async () => {
    const socket = await client.socket();
    await socket.text("the handshake");
    await socket.closed("the connect timeout");
    const sid = await client.handshake();
    expect(await client.poll(sid)).toEqual({ status: 200, text: "1" });
    expect((await client.poll(sid)).status).toBe(400);
  });
});

describe("the Worker in front", () => {
  const client = new RawClient("/socket.io/");

  it("lets in allowed origins alone, and says so to browsers", async () => {
    const from = (origin: string, method = "GET") => client.fetch(POLLING, { method, headers: { Origin: origin } });
    const allowed = await from("https://app.example");
    expect([allowed.status, allowed.headers.get("Access-Control-Allow-Origin")]).toEqual([200, "https://app.example"]);
    expect((await from("https://app.example", "OPTIONS")).status).toBe(204);
    for (const origin of ["https://app.example.evil", "https://evil.example", "null"]) {
      const refused = await from(origin);
      expect([refused.status, refused.headers.get("Access-Control-Allow-Origin")]).toEqual([403, null]);
    }
  });

  it("asks the rate limit before it opens a session", async () => {
    const response = await client.fetch({ ...POLLING, flood: "1" });
    expect([response.status, response.headers.get("Retry-After")]).toEqual([429, "5"]);
  });

  it("takes a sid for the object it was made for, and for no other", async () => {
    const sid = sidIn((await new RawClient("/single/").get(POLLING)).text);
    expect((await client.poll(sid)).status).toBe(400);
  });
});
