import { beforeEach, describe, expect, it } from "vitest";
import { GatewayProbe, room } from "./support/gateways.ts";
import { RawClient, type RawSocket, sidIn, welcomeIn } from "./support/raw-client.ts";

describe.each([
  ["shards", new RawClient("/socket.io/")],
  ["an object per session, so that each recovery moves", new RawClient("/single/")],
])("connection state recovery on %s", (_density, client) => {
  let name = "";
  beforeEach(() => {
    name = crypto.randomUUID();
  });

  async function joinRoom(user: string) {
    const joined = await client.join(user);
    joined.socket.send(`421["join","${name}"]`);
    await joined.socket.text("the join's ack");
    return joined;
  }

  async function comeBack(user: string, pid: string, offset?: string) {
    const socket = await client.socket();
    const sid = sidIn(await socket.text("the handshake"));
    socket.send(`40${JSON.stringify({ pid, offset, token: `user:${user}` })}`);
    return { socket, sid, ...welcomeIn(await socket.text("the welcome")) };
  }

  /** Closes from the client's side, and waits until the gateway has noticed. */
  async function lose({ socket, sid, pid }: { socket: RawSocket; sid: string; pid: string }) {
    socket.close();
    const gateway = new GatewayProbe(client.path, sid);
    await expect.poll(() => gateway.rowKeys()).toEqual(expect.arrayContaining([`lost:${pid}`]));
    return gateway;
  }

  async function said(socket: RawSocket, what: string) {
    const [event, text, offset]: string[] = JSON.parse((await socket.text(what)).slice(2));
    expect(event).toBe("said");
    return { text, offset };
  }

  it("replays what was missed, in order and once, then goes on; three times in a row", async () => {
    let member = await joinRoom("ada");
    const { id, pid } = member;
    await room(name).say("0");
    let { offset } = await said(member.socket, "the first message");
    for (const round of ["1", "2", "3"]) {
      await lose(member);
      await room(name).say(`${round} missed`);
      await room(name).say(`${round} missed too`);
      member = await comeBack("ada", pid, offset);
      expect([member.id, member.pid]).toEqual([id, pid]);
      expect((await said(member.socket, "what was missed")).text).toBe(`${round} missed`);
      expect((await said(member.socket, "what was missed")).text).toBe(`${round} missed too`);
      await room(name).say(`${round} live`);
      const live = await said(member.socket, "a live message");
      expect(live.text).toBe(`${round} live`);
      offset = live.offset;
    }
    expect(await room(name).memberIds()).toEqual([id]);
  });

  it("works for who never got an event, and twice without one between", async () => {
    let member = await joinRoom("ada");
    for (const _round of [1, 2]) {
      await lose(member);
      const back = await comeBack("ada", member.pid);
      expect(back.id).toBe(member.id);
      member = back;
    }
    await room(name).say("hello");
    expect((await said(member.socket, "a live message")).text).toBe("hello");
  });

  it("takes over from a connection that the server still believes in", async () => {
    const member = await joinRoom("ada");
    await room(name).say("0");
    const { offset } = await said(member.socket, "the first message");
    const back = await comeBack("ada", member.pid, offset);
    expect(back.id).toBe(member.id);
    await member.socket.closed("the end of the old connection");
    await room(name).say("1");
    expect((await said(back.socket, "a live message")).text).toBe("1");
  });

  it("waits for what the client did before it was lost", async () => {
    const member = await joinRoom("ada");
    member.socket.send('42["slow",60]');
    member.socket.send('42["count"]');
    const back = await comeBack("ada", member.pid);
    expect(back.id).toBe(member.id);
    back.socket.send('421["count"]');
    expect(await back.socket.text("the second count")).toBe("431[2]");
  });

  it("is for the same user alone", async () => {
    const member = await joinRoom("ada");
    await lose(member);
    await room(name).say("for ada");
    const thief = await comeBack("eve", member.pid);
    expect(thief.id).not.toBe(member.id);
    thief.socket.send('421["echo","nothing came"]');
    expect(await thief.socket.text("the ack, and nothing before it")).toBe('431["nothing came"]');
    expect((await comeBack("ada", member.pid)).id).toBe(member.id);
  });

  it("is refused, by a fresh start, for an unknown offset, or a made-up pid", async () => {
    const member = await joinRoom("ada");
    await lose(member);
    expect((await comeBack("ada", member.pid, "never-issued.1")).id).not.toBe(member.id);
    for (const pid of ["", "x", `${member.pid}x`, "weur-9.AAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAA"]) {
      expect((await comeBack("ada", pid)).id).not.toBe(member.id);
    }
  });

  it("ends in one connection, if a client comes back twice at once", async () => {
    const member = await joinRoom("ada");
    await lose(member);
    const both = await Promise.all([comeBack("ada", member.pid), comeBack("ada", member.pid)]);
    const resumed = both.filter(({ id }) => id === member.id);
    expect(resumed.length).toBeGreaterThan(0);
    await room(name).say("hello");
    await expect.poll(() => resumed.filter(({ socket }) => !socket.isClosed).length).toBe(1);
    expect(await room(name).memberIds()).toEqual([member.id]);
  });

  it("is not for who left, or was sent away", async () => {
    for (const goodbye of ["41", '42["kick",true]']) {
      const member = await joinRoom("ada");
      member.socket.send(goodbye);
      if (goodbye !== "41") await member.socket.text("the disconnect packet");
      member.socket.close();
      const back = await comeBack("ada", member.pid);
      expect(back.id).not.toBe(member.id);
    }
    expect(await room(name).memberIds()).toEqual([]);
  });

  it("gives up, and tells the application, once more was missed than is kept", async () => {
    const member = await joinRoom("ada");
    await room(name).say("0");
    const { offset } = await said(member.socket, "the first message");
    const gateway = await lose(member);
    const events = Array.from({ length: 201 }, (_, n) => JSON.stringify(["said", `${n}`]));
    await gateway.deliver([member.id], events);
    expect(await gateway.deliver([member.id], ['["said","late"]'])).toEqual([member.id]);
    expect((await comeBack("ada", member.pid, offset)).id).not.toBe(member.id);
    expect(await room(name).memberIds()).toEqual([]);
  });
});
