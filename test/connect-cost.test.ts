/** A connect, a close and a frame cost the same in a room of any size. Counted, never timed. */
import { afterEach, expect, it, vi } from "vitest";
import { Connection } from "../src/realtime/connection.ts";
import { SocketTransport } from "../src/realtime/transport.ts";
import { mintUser } from "./support/api.ts";
import { mintStream } from "./support/media.ts";
import { openSocket } from "./support/socket.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

it("of the connections that are there already, a connect looks at none, and later at a hundred at most", async () => {
  const [ann, bob] = [await mintUser(), await mintUser()];
  const stream = await mintStream(ann);
  const open = async (user: { token: string }) => {
    const socket = await openSocket(`/streams/${stream.id}/ws?token=${user.token}&heartbeat=client`);
    await socket.next("connected");
    return socket;
  };
  for (let n = 0; n < 90; n += 1) await open(ann);
  for (let n = 0; n < 90; n += 1) await open(bob);
  const askedRuntime = vi.spyOn(SocketTransport.prototype, "lastBeatAt");
  const looked = vi.spyOn(Connection.prototype, "isStale");
  const saved = vi.spyOn(SocketTransport.prototype, "save");
  const socket = await open(ann);
  expect(askedRuntime).not.toHaveBeenCalled();
  expect(saved.mock.calls.length).toBeLessThanOrEqual(2);
  expect((await socket.ask("chat_message", { message: "hello" })).type).toBe("ack");
  socket.close();
  await socket.nextClose();
  await open(bob);
  expect(askedRuntime).not.toHaveBeenCalled();
  expect(looked).not.toHaveBeenCalled();
  // After a while somebody may have vanished: each event looks at a part of them.
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 76_000 });
  await open(bob);
  expect(looked.mock.calls.length).toBe(100);
  await open(ann);
  expect(looked.mock.calls.length).toBe(181);
});
