import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, costOf, mintUser } from "./support/api.ts";
import { openHub } from "./support/socket.ts";

const send = (from: { token: string }, receiverId: number, content: string, more: object = {}) =>
  call("/messages", { method: "POST", token: from.token, body: { receiverId, content, ...more } });

describe("direct messages", () => {
  it("reach every device of the receiver and of the sender, once", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const [annPhone, bobPhone, bobLaptop] = [await openHub(ann), await openHub(bob), await openHub(bob)];
    const { status, body, ...answer } = await send(ann, bob.id, "I'm <3 & 1 < 2");
    expect(status).toBe(201);
    expect(body).toMatchObject({ senderId: ann.id, receiverId: bob.id, content: "I'm <3 & 1 < 2", seen: false });
    for (const socket of [annPhone, bobPhone, bobLaptop]) {
      const frame = await socket.next("message:new");
      expect(frame).toEqual({ type: "message:new", data: body, seq: 1 });
      await socket.expectNothing("message:new");
    }
    expect(costOf(answer)).toMatchObject({ d1_queries: 3, object_calls: 2 });
  });

  it("are there for a user who was offline, in order, each once", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const first = await openHub(bob);
    const hello = first.frames[0];
    first.close();
    for (const text of ["one", "two", "three"]) await send(ann, bob.id, text);
    await evictDurableObject(env.USER_HUB.getByName(String(bob.id)));
    const again = await openHub(bob, `&since=${hello?.seq}&epoch=${hello?.epoch}`);
    const missed = await again.collect("message:new", 3);
    expect(missed.map((frame) => [frame.seq, frame.data.content])).toEqual([
      [1, "one"],
      [2, "two"],
      [3, "three"],
    ]);
  });
});
