/** What one Socket.IO client can make the service do is bounded before anything is done, and nothing of it is a failure of ours. */
import { describe, expect, it } from "vitest";
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
