/** What one Socket.IO client can make the service do is bounded before anything is done, and nothing of it is a failure of ours. */
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { Reader } from "../src/realtime/reader.ts";
import { SlowSessions } from "../src/socketio/engine/slow-sessions.ts";
import { mintUser, ORIGIN, type TestUser, worker } from "./support/api.ts";
import { nested } from "./support/hostile.ts";
import { upgrade } from "./support/socket.ts";
import { connectSocketIo, SocketIoClient, startSocketIo } from "./support/socketio.ts";

const POLLING = `${ORIGIN}/socket.io/?EIO=4&transport=polling`;
const SEPARATOR = "\x1e";

/** A session that polls; with a user, one that was let in. */
async function openPolling(
  user?: TestUser,
): Promise<{ post(body: string): Promise<number>; poll(): Promise<Response> }> {
  const { sid } = JSON.parse((await (await worker.fetch(POLLING)).text()).slice(1));
  const address = `${POLLING}&sid=${sid}`;
  const poll = () => worker.fetch(address);
  const post = async (body: string) => {
    const response = await worker.fetch(address, { method: "POST", body });
    await response.text();
    return response.status;
  };
  if (user) {
    expect(await post(`40${JSON.stringify({ token: user.token })}`)).toBe(200);
    expect(await (await poll()).text()).toContain("40{");
  }
  return { poll, post };
}

describe("packets", () => {
  it("in one POST are 2000 at most, counted before any is looked at; the session goes on", async () => {
    const { post } = await openPolling(await mintUser());
    const pongs = (count: number) => Array.from({ length: count }, () => "3").join(SEPARATOR);
    expect(await post(pongs(2001))).toBe(413);
    expect(await post(pongs(2000))).toBe(200);
  });

  it("of a stranger are 50, over as many POSTs as they like; then the session is over", async () => {
    const { post, poll } = await openPolling();
    const statuses: number[] = [];
    for (let n = 0; n < 51; n += 1) statuses.push(await post("3"));
    expect(statuses).toEqual([...Array.from({ length: 50 }, () => 200), 429]);
    expect((await poll()).status).toBe(400);
  });

  it("over 64 KiB close a WebSocket with 1009, and are refused in a POST", async () => {
    const { token } = await mintUser();
    const big = `42${JSON.stringify(["send_message", { roomId: "r", content: "x".repeat(65_536) }])}`;
    const { webSocket } = await upgrade("//socket.io/?EIO=4&transport=websocket");
    if (!webSocket) throw new Error("No socket was opened.");
    const code = new Promise<number>((resolve) => webSocket.addEventListener("close", (event) => resolve(event.code)));
    webSocket.accept();
    webSocket.send(`40${JSON.stringify({ token })}`);
    webSocket.send(big);
    expect(await code).toBe(1009);
    const { post } = await openPolling(await mintUser());
    expect(await post(big)).toBeGreaterThanOrEqual(400);
  });
});

describe("a token", () => {
  it("may stand in auth or in the Authorization header, bare or as Bearer; a bad one is UNAUTHORIZED in each", async () => {
    const { token } = await mintUser();
    const open = async (authorization: string) => {
      const { webSocket } = await upgrade("//socket.io/?EIO=4&transport=websocket", { Authorization: authorization });
      if (!webSocket) throw new Error("No socket was opened.");
      return new SocketIoClient(webSocket, {});
    };
    await (await startSocketIo({ token: `Bearer ${token}` })).connected();
    await (await startSocketIo({ token: `bearer  ${token}` })).connected();
    await (await open(`Bearer ${token}`)).connected();
    await (await open(`bearer ${token}`)).connected();
    for (const bad of [
      await startSocketIo({ token: "Bearer " }),
      await open("Bearer x.y.z"),
      await open(`Basic ${token}`),
    ])
      expect((await bad.refused()).message).toBe("UNAUTHORIZED");
  });
});

describe("what never reaches a room", () => {
  /** Ways to make the gateway work, each with what it says when there was too much of them. */
  const ways: Record<string, (client: SocketIoClient, user: TestUser) => Promise<unknown>> = {
    "data that is no object": (client) => client.ask("send_message", 1),
    "a room that was not joined": (client) =>
      client.ask("edit_message", { roomId: "no", messageId: "no", content: "x" }),
    "leaving what was never joined": (client) => client.ask("leave_room", { roomId: "no" }),
    "joining what does not exist": (client) => client.ask("join_stream", { streamId: 987_654 }),
    "a token that is none": (client) => client.ask("auth:refresh", { token: "x" }),
    "a token that is good": (client, { token }) => client.ask("auth:refresh", { token }),
    "an answer to nothing": async (client) => {
      const errors = client.named("error").length;
      client.packet("437[]");
      return { error: (await client.collect("error", errors + 1)).at(-1) };
    },
    "leaving the namespace and coming back": async (client, { token }) => {
      client.packet("41");
      client.packet(`40${JSON.stringify({ token })}`);
      return { error: { code: (await client.refused()).message } };
    },
  };

  it.each(Object.entries(ways))("counts at the door: %s", async (_what, act) => {
    const user = await mintUser();
    const client = await connectSocketIo(user);
    for (let n = 0; n < 99; n += 1) client.emit("typing", n);
    expect(await client.ask("typing", 0)).toMatchObject({ success: false, error: { code: "RATE_LIMIT" } });
    expect(await act(client, user)).toMatchObject({ error: { code: "RATE_LIMIT" } });
  });

  it("lets in whoever connects anew though they may not write yet, as often in a minute as they may write", async () => {
    // All in one gateway: they are chosen at random.
    vi.spyOn(Math, "random").mockReturnValue(0);
    const user = await mintUser();
    const first = await connectSocketIo(user);
    for (let n = 0; n < 100; n += 1) first.emit("typing", n);
    const second = await connectSocketIo(user);
    expect(await second.ask("typing", 0)).toMatchObject({ success: false, error: { code: "RATE_LIMIT" } });
    second.lose();
    for (let n = 2; n < 100; n += 1) (await connectSocketIo(user)).lose();
    const last = await startSocketIo({ token: user.token });
    expect(await last.refused()).toMatchObject({ message: "RATE_LIMIT" });
    vi.restoreAllMocks();
  });
});

it("data nested without end is INVALID_MESSAGE, whatever the event, and the connection lives", async () => {
  const client = await connectSocketIo(await mintUser());
  for (const name of ["send_message", "no-such-event", "auth:refresh", "webrtc:offer", "chat:join_room"])
    expect(await client.ask(name, { roomId: "r", content: nested(2000) })).toMatchObject({
      success: false,
      error: { code: "INVALID_MESSAGE" },
    });
  expect(client.ended).toBeNull();
});

describe("who does not read", () => {
  const MB = 1024 * 1024;
  /** Shows a megabyte, or so much, to everybody who is connected as this user; resolves when it was sent. */
  const push = (user: TestUser, n: number, bytes = MB) =>
    env.USER_HUB.getByName(String(user.id)).push({ type: "test:event", data: { n, text: "x".repeat(bytes) } });

  it("is closed after 16 MB; who answers the pings in between is sent as much as there is", async () => {
    const user = await mintUser();
    const [silent, reader] = [await connectSocketIo(user), await connectSocketIo(user)];
    silent.answersPings = false;
    for (let n = 1; n <= 24; n += 1) {
      await push(user, n);
      await reader.collect("test:event", n);
    }
    expect(await silent.end()).toBe("transport close");
    expect(silent.named("test:event").length).toBeLessThan(18);
    expect(reader.ended).toBeNull();
  });

  it("does not seem to read by pongs that nothing asked for", async () => {
    const user = await mintUser();
    const client = await connectSocketIo(user);
    client.answersPings = false;
    for (let n = 1; n <= 17 && !client.ended; n += 1) {
      client.packet("3");
      client.packet("3");
      await push(user, n);
    }
    expect(await client.end()).toBe("transport close");
  });

  it("is closed while it polls as well, whether it fetches what waits or not", async () => {
    const [fetching, away] = [await mintUser(), await mintUser()];
    const [busy, idle] = [await openPolling(fetching), await openPolling(away)];
    const statuses: number[] = [];
    for (let n = 1; n <= 21 && !statuses.includes(400); n += 1) {
      await push(fetching, n, 900_000);
      const answer = await busy.poll();
      await answer.text();
      statuses.push(answer.status);
    }
    expect(statuses.length).toBeGreaterThan(16);
    expect(statuses.at(-1)).toBe(400);
    await push(away, 1);
    await push(away, 2);
    expect((await idle.poll()).status).toBe(400);
  });

  it("is closed sooner when all of a gateway hold 64 MB, closed sockets among them; the largest first", () => {
    const sessions = Array.from({ length: 7 }, () => ({ reader: new Reader() }));
    const slow = new SlowSessions(new Map(sessions.map((session, n) => [String(n), session])));
    const [first, ...others] = sessions;
    if (!first) throw new Error("There is a first.");
    for (const [n, { reader }] of sessions.entries()) {
      reader.send((10 + n) * MB);
      reader.ping("", 0);
    }
    expect(slow.after(first, 4999)).toEqual([]);
    // 91 MB: the last two hold 31.
    expect(slow.after(first, 6000)).toEqual([others[5], others[4]]);
    for (const { reader } of others) reader.pong(undefined);
    expect(slow.after(first, 8000)).toEqual([]);
    const { 0: socket, 1: other } = new WebSocketPair();
    slow.closed(socket, 60 * MB);
    expect(slow.mayOpen).toBe(true);
    expect(slow.after(first, 10_000)).toEqual([first]);
    slow.closed(other, 10 * MB);
    expect(slow.mayOpen).toBe(false);
    slow.ended(socket);
    expect(slow.mayOpen).toBe(true);
    expect(slow.after(first, 12_000)).toEqual([]);
  });
});
