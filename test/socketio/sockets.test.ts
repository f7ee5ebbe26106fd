import { describe, expect, it } from "vitest";
import { GatewayProbe, room } from "./support/gateways.ts";
import { RawClient, sidIn } from "./support/raw-client.ts";

const client = new RawClient("/socket.io/");

describe("joining a namespace", () => {
  it("is refused with the application's message, and leaves the connection open", async () => {
    const socket = await client.socket();
    await socket.text("the handshake");
    socket.send('40{"token":"forged"}');
    expect(await socket.text("the refusal")).toBe('44{"message":"UNAUTHORIZED","data":{"code":"UNAUTHORIZED"}}');
    socket.send('40{"token":"user:ada"}');
    expect(await socket.text("the welcome")).toMatch(/^40\{"sid":"[\w-]{20}","pid":"[\w.-]+"\}$/);
  });

  it("says nothing of what went wrong inside", async () => {
    const socket = await client.socket();
    await socket.text("the handshake");
    socket.send('40{"token":"user:crash"}');
    expect(await socket.text("the refusal")).toBe('44{"message":"INTERNAL_ERROR"}');
  });

  it("goes by namespace, each with its own right and its own id", async () => {
    const { socket, id } = await client.join("admin");
    socket.send('40/admin,{"token":"user:ada"}');
    expect(await socket.text("the refusal")).toBe('44/admin,{"message":"FORBIDDEN"}');
    socket.send('40/admin,{"token":"user:admin"}');
    const welcome = await socket.text("the welcome");
    expect(welcome).toMatch(/^40\/admin,\{/);
    expect(welcome).not.toContain(id);
    socket.send("40/nowhere,");
    expect(await socket.text("the refusal")).toBe('44/nowhere,{"message":"Invalid namespace"}');
    socket.send('42/admin,1["echo","here"]');
    expect(await socket.text("the ack")).toBe('43/admin,1["here"]');
    socket.send("41/admin,");
    socket.send('421["echo","there"]');
    expect(await socket.text("the ack")).toBe('431["there"]');
  });

  it.each([
    ['42["echo",1]', "an event before the join"],
    ['40{"token":"user:ada"}', "a second join"],
    ['44{"message":"x"}', "a connect error from a client"],
    ['42/admin,["echo"]', "an event to a namespace not joined"],
  ])("%s closes the connection if it is %s", async (frame, what) => {
    const before = what === "an event before the join";
    const socket = before ? await client.socket() : (await client.join("ada")).socket;
    if (before) await socket.text("the handshake");
    socket.send(frame);
    await socket.closed("the end");
  });
});

it("a connection that is refused again and again is closed", async () => {
  const socket = await client.socket();
  await socket.text("the handshake");
  for (let n = 0; n < 10; n++) {
    socket.send('40{"token":"forged"}');
    expect(await socket.text("the refusal")).toMatch(/^44/);
  }
  await socket.closed("the end after ten refusals");
});

describe("events", () => {
  it("are acknowledged with text and binary arguments", async () => {
    const { socket } = await client.join("ada");
    socket.send('427["echo",1,"two",{"three":[true,null]}]');
    expect(await socket.text("the ack")).toBe('437[1,"two",{"three":[true,null]}]');
    socket.send('452-8["echo",{"_placeholder":true,"num":0},{"deep":{"_placeholder":true,"num":1}}]');
    socket.send(Uint8Array.of(1, 2).buffer);
    socket.send(Uint8Array.of(3).buffer);
    expect(await socket.text("the binary ack")).toMatch(/^462-8\[/);
    expect(await socket.next("the first attachment")).toEqual(Uint8Array.of(1, 2).buffer);
    expect(await socket.next("the second attachment")).toEqual(Uint8Array.of(3).buffer);
  });

  it("come back in binary over long-polling too", async () => {
    const { sid } = await client.joinPolling("ada");
    expect((await client.post(sid, '451-3["echo",{"_placeholder":true,"num":0}]\x1ebAQID')).text).toBe("ok");
    expect((await client.poll(sid)).text).toBe('461-3[{"_placeholder":true,"num":0}]\x1ebAQID');
  });

  it("of one socket are handled in their order, however long each takes; other sockets do not wait", async () => {
    const [slow, quick] = [(await client.join("ada")).socket, (await client.join("bob")).socket];
    slow.send('421["slow",60]');
    slow.send('422["slow",1]');
    slow.send('423["echo"]');
    quick.send('421["echo","at once"]');
    expect(await quick.text("the quick ack")).toBe('431["at once"]');
    expect(await slow.text("the first ack")).toBe("431[60]");
    expect(await slow.text("the second ack")).toBe("432[1]");
    expect(await slow.text("the third ack")).toBe("433[]");
  });

  it("whose handling fails end neither the socket nor the ones after", async () => {
    const { socket } = await client.join("ada");
    socket.send('421["crash"]');
    socket.send('422["echo","alive"]');
    expect(await socket.text("the next ack")).toBe('432["alive"]');
  });

  it("are counted, for rate limits", async () => {
    const { socket } = await client.join("ada");
    socket.send('42["echo"]');
    await socket.text("the echo");
    socket.send('421["traffic"]');
    const [events, chars] = JSON.parse((await socket.text("the counts")).slice(3));
    expect(events).toBe(3);
    expect(chars).toBeGreaterThan(30);
  });

  it("may not put more into a socket's state than fits with it into an attachment", async () => {
    const { socket } = await client.join("ada");
    socket.send('421["stuff",20000]');
    expect(await socket.text("the ack")).toBe('431["too large"]');
    socket.send('422["stuff",5000]');
    expect(await socket.text("the ack")).toBe('432["kept"]');
  });
});

describe("half a binary packet", () => {
  it("is waited for only so long", async () => {
    const { socket } = await client.join("ada");
    socket.send('451-["echo",{"_placeholder":true,"num":0}]');
    await socket.closed("the end of waiting");
  });

  it("with more attachments than the parser takes, or none, closes", async () => {
    for (const frame of ['4511-["echo"]', '450-["echo"]', '45["echo"]']) {
      const { socket } = await client.join("ada");
      socket.send(frame);
      await socket.closed(`the end after ${frame}`);
    }
  });
});

describe("the server's goodbye", () => {
  it("leaves the namespace, and on demand the connection", async () => {
    const { socket } = await client.join("ada");
    socket.send('42["kick"]');
    expect(await socket.text("the disconnect packet")).toBe("41");
    socket.send('40{"token":"user:ada"}');
    expect(await socket.text("the second welcome")).toMatch(/^40/);
    socket.send('42["kick",true]');
    expect(await socket.text("the disconnect packet")).toBe("41");
    await socket.closed("the end of the connection");
  });

  it("reaches a client that polls, before the session ends", async () => {
    const { sid } = await client.joinPolling("ada");
    await client.post(sid, '42["kick",true]');
    expect(await client.poll(sid)).toEqual({ status: 200, text: "41\x1e1" });
    expect((await client.poll(sid)).status).toBe(400);
  });

  it("can be said once per ping, when a token has run out meanwhile", async () => {
    const { socket, sid } = await client.join("ada");
    socket.send('421["join","expired"]');
    await socket.text("the join's ack");
    await new GatewayProbe(client.path, sid).runAlarm();
    expect(await socket.text("the ping")).toBe("2");
    expect(await socket.text("the disconnect packet")).toBe("41");
  });
});

describe("rooms", () => {
  it("send one encoding to all members, text and binary, on any transport", async () => {
    const name = crypto.randomUUID();
    const members = await Promise.all(["a", "b", "c"].map((user) => client.join(user)));
    for (const { socket } of members) {
      socket.send(`421["join","${name}"]`);
      await socket.text("the join's ack");
    }
    const { sid } = await client.joinPolling("poller");
    await client.post(sid, `421["join","${name}"]`);
    expect((await client.poll(sid)).text).toBe('431["joined"]');
    await room(name).say("hello");
    for (const { socket } of members)
      expect(await socket.text("the message")).toMatch(/^42\["said","hello","[\w.-]+"\]$/);
    expect((await client.poll(sid)).text).toMatch(/^42\["said","hello"/);
    await room(name).show(Uint8Array.of(7, 8).buffer);
    for (const { socket } of members) {
      expect(await socket.text("the binary event")).toMatch(
        /^451-\["shown",\{"_placeholder":true,"num":0\},"[\w.-]+"\]$/,
      );
      expect(await socket.next("the attachment")).toEqual(Uint8Array.of(7, 8).buffer);
    }
    expect((await client.poll(sid)).text.split("\x1e").at(-1)).toBe("bBwg=");
  });

  it("forget members whom their gateway does not know", async () => {
    const name = crypto.randomUUID();
    const { socket, id } = await client.join("ada");
    socket.send(`421["join","${name}"]`);
    await socket.text("the join's ack");
    await room(name).join("long-gone", "weur-0");
    expect(await room(name).memberIds()).toEqual([id, "long-gone"].toSorted());
    await room(name).say("anyone?");
    expect(await room(name).memberIds()).toEqual([id]);
  });
});

it("tells the application's view of a handshake nothing that a client could forge as its address", async () => {
  const socket = await client.socket({ greet: "1" });
  expect(sidIn(await socket.text("the handshake"))).toMatch(/^weur-0\./);
  socket.send('40{"token":"user:ada"}');
  await socket.text("the welcome");
  expect(await socket.text("the greeting")).toMatch(/^42\["hello","ada"/);
});
