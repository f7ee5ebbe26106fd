/** What one client can make an object hold is bounded, whatever its options; who reads is never cut off. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { mintUser, type TestUser } from "./support/api.ts";
import { openHub, type TestSocket } from "./support/socket.ts";

const hubOf = (user: TestUser) => env.USER_HUB.getByName(String(user.id));
const MB = 1024 * 1024;

/** Shows a megabyte to everybody who is connected. */
const push = (user: TestUser, n: number) => hubOf(user).push({ type: "test:event", data: { n, text: "x".repeat(MB) } });

const answerPings = (socket: TestSocket, answer: (timestamp: string) => object) => {
  socket.onFrame = ({ type, timestamp }) => {
    if (type === "ping") socket.send({ type: "pong", ...answer(timestamp) });
  };
};

describe.each(["server", "client"])("with heartbeat=%s", (heartbeat) => {
  it("who does not answer is closed with 4009 after 16 MB, and gone from presence at once", async () => {
    const user = await mintUser();
    const socket = await openHub(user, `&heartbeat=${heartbeat}`);
    for (let n = 1; n <= 17; n += 1) await push(user, n);
    expect((await socket.nextClose()).code).toBe(4009);
    expect(await hubOf(user).isOnline()).toBe(false);
    expect(socket.frames.filter(({ type }) => type === "test:event").length).toBeLessThan(18);
  });

  it.each([
    ["with the ping's timestamp", (timestamp: string) => ({ timestamp })],
    ["without one", () => ({})],
  ])("who answers %s is sent as much as there is", async (_how, answer) => {
    const user = await mintUser();
    const socket = await openHub(user, `&heartbeat=${heartbeat}`);
    answerPings(socket, answer);
    for (let n = 1; n <= 40; n += 1) {
      await push(user, n);
      await socket.collect("test:event", n);
    }
    expect(socket.closed).toBeUndefined();
  });

  it("who answers no ping, but writes as it reads, is sent as much as there is", async () => {
    const user = await mintUser();
    const socket = await openHub(user, `&heartbeat=${heartbeat}`);
    for (let n = 1; n <= 40; n += 1) {
      await push(user, n);
      expect((await socket.ask("notification:mark_seen", {})).type).toBe("ack");
    }
    expect(socket.closed).toBeUndefined();
  });

  it("pongs that nothing asked for are no answers", async () => {
    const user = await mintUser();
    const socket = await openHub(user, `&heartbeat=${heartbeat}`);
    socket.send({ type: "pong" });
    expect((await socket.ask("notification:mark_seen", {})).type).toBe("ack");
    for (let n = 1; n <= 17; n += 1) {
      await push(user, n);
      // With the last of them the close may be here already.
      if (!socket.closed) socket.send({ type: "pong" });
    }
    expect((await socket.nextClose()).code).toBe(4009);
  });
});
