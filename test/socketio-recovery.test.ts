/** A recovered Socket.IO session has missed nothing, or its client is told by a new one (SPEC 9). */
import { afterEach, describe, expect, it, vi } from "vitest";
import { interceptDeliveries } from "./support/gateway-calls.ts";
import { Gate } from "./support/held.ts";
import { mintGroup, openRoom } from "./support/rooms.ts";
import { connectSocketIo } from "./support/socketio.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** Two members of a room: one natively, one over Socket.IO, who has lost the connection after the message "one". */
async function mintLost() {
  const { roomId, people } = await mintGroup("ann", "bob");
  const [ann, bob] = people;
  if (!ann || !bob) throw new Error("A group of two without two");
  const native = await openRoom(ann, roomId);
  const client = await connectSocketIo(bob);
  expect(await client.ask("join_room", { roomId })).toMatchObject({ success: true });
  await native.ask("send_message", { content: "one" });
  await client.next("new_message");
  const { sid, pid } = await client.connected();
  client.lose();
  await native.next("user_left");
  const comeBack = () => connectSocketIo(bob, { pid, offset: client.offset });
  return { native, sid, comeBack };
}

describe("a message that was logged, and never reached the gateway", () => {
  it("ends the session: its client is a new one, and knows that something may be missing", async () => {
    const { native, sid, comeBack } = await mintLost();
    const gate = new Gate();
    // As if the process had died between the room's commit and the call.
    interceptDeliveries("two", async () => {
      gate.arrivals += 1;
      return [];
    });
    await native.ask("send_message", { content: "two" });
    await gate.reached();
    const back = await comeBack();
    expect(back.welcome?.sid).not.toBe(sid);
  });
});

describe("a message that is on its way while its receiver comes back", () => {
  it("arrives once, and before the next", async () => {
    const { native, sid, comeBack } = await mintLost();
    const gate = new Gate();
    interceptDeliveries("two", async (deliver) => {
      await gate.pass();
      return deliver();
    });
    await native.ask("send_message", { content: "two" });
    await gate.reached();
    const coming = comeBack();
    await native.next("user_joined");
    gate.open();
    const back = await coming;
    expect(back.welcome?.sid).toBe(sid);
    await native.ask("send_message", { content: "three" });
    const heard = await back.collect("new_message", 2);
    expect(heard.map(({ content }) => content)).toEqual(["two", "three"]);
  });
});

it("a session that missed nothing goes on as it was", async () => {
  const { native, sid, comeBack } = await mintLost();
  const back = await comeBack();
  expect(back.welcome?.sid).toBe(sid);
  await native.ask("send_message", { content: "two" });
  expect(await back.next("new_message")).toMatchObject({ content: "two" });
  expect(back.named("new_message")).toHaveLength(1);
});
