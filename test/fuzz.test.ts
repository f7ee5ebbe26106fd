/**
 * Some 2000 inputs over every route and every frame, natively and over Socket.IO: valid ones of which something was replaced,
 * and junk. Always the same ones. Whatever comes of them is the client's mistake, is said, and is said in time.
 */
import { beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { SOCKETS } from "../src/contract.ts";
import { mintAdmin } from "./support/admin.ts";
import { call, mintUser, ORIGIN, type TestUser, worker } from "./support/api.ts";
import { type Declared, openFresh, ROUTES } from "./support/contract.ts";
import { hostileInput, hostileText, hostileValue } from "./support/hostile.ts";
import { type Pick, picker } from "./support/inputs.ts";
import { at } from "./support/items.ts";
import { mintStream } from "./support/media.ts";
import { answerForOutside } from "./support/outside.ts";
import { upgrade } from "./support/socket.ts";
import { connectSocketIo } from "./support/socketio.ts";

const TIMES_A_ROUTE = 8;
/** Below the budget of messages, which would answer all else. */
const FRAMES_A_SOCKET = 80;
const SOCKETIO_CLIENTS = 5;
const PATIENCE_MS = 10_000;

beforeAll(answerForOutside);

/** Answers in time, or says what did not. */
const inTime = <T>(what: string, answer: Promise<T>): Promise<T> =>
  Promise.race([
    answer,
    scheduler.wait(PATIENCE_MS).then(() => {
      throw new Error(`No answer to ${what}`);
    }),
  ]);

const JUNK_BODIES = ["{", "[", "null", '"text"', "7", "\u0000", '{"a":1,"a":2}', `{"a":${"[".repeat(5000)}`, "[]"];
const TYPES = ["application/json", "text/plain", "multipart/form-data", "multipart/form-data; boundary=x", "", "json"];

/** What a path's parameters may be: things that are there, or hostile text. */
async function namesOf(admin: TestUser): Promise<string[]> {
  const make = (path: string, body: object) => call(path, { method: "POST", token: admin.token, body });
  const [room, session, stream] = [
    await make("/rooms", { name: "fuzzed", isGroup: true }),
    await make("/webrtc/sessions", {}),
    await mintStream(admin),
  ];
  return [admin.id, room.body.id, session.body.id, stream.id, admin.username, "general", "text"].map(String);
}

function requestOf({ path, method, query, body }: Declared, names: string[], pick: Pick) {
  const parameter = () => encode(pick(3) === 0 ? hostileText(pick) : at(names, pick(names.length)));
  const where = path.replace(/\{\w+\}/g, parameter);
  const asked = query ? Object.entries(Object(hostileInput(query, pick))) : [[hostileText(pick), hostileText(pick)]];
  const search = asked.slice(0, 20).map(([key, value]) => `${encode(String(key))}=${encode(text(value))}`);
  const isJunk = pick(6) === 0;
  const type = isJunk ? at(TYPES, pick(TYPES.length)) : "application/json";
  const json = isJunk || !body ? at(JUNK_BODIES, pick(JUNK_BODIES.length)) : JSON.stringify(hostileInput(body, pick));
  return {
    url: `${where}?${search.join("&")}`,
    init: { method, ...(method === "GET" ? {} : { body: json ?? "", headers: { "Content-Type": type } }) },
  };
}

/** As an address has it; half of a pair of surrogates has no UTF-8. */
const encode = (part: string): string => encodeURIComponent(part.toWellFormed().slice(0, 1500));
const text = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));

describe("hostile input", () => {
  it("at every route is answered in time, and is never a failure of ours", async () => {
    const failures: string[] = [];
    const work = [...ROUTES.entries()];
    const names = await namesOf(await mintAdmin("owner"));
    const walk = async (): Promise<void> => {
      for (let next = work.pop(); next; next = work.pop()) {
        const [index, route] = next;
        const pick = picker(1000 + index);
        const admin = await mintAdmin("fuzz");
        for (let n = 0; n < TIMES_A_ROUTE; n += 1) {
          const { url, init } = requestOf(route, names, pick);
          const { headers = {}, ...rest } = init;
          const from = { "CF-Connecting-IP": admin.address };
          const asked = call(url, { ...rest, token: admin.token, headers: { ...headers, ...from } });
          const { status, body } = await inTime(`${init.method} ${url}`, asked);
          if (status >= 500)
            failures.push(`${status} ${JSON.stringify(body)}: ${JSON.stringify({ url, init }).slice(0, 500)}`);
        }
      }
    };
    await Promise.all(Array.from({ length: 4 }, walk));
    expect(failures).toEqual([]);
  }, 120_000);

  it.each(Object.entries(SOCKETS))("in every frame on %s is answered, and the socket lives", async (path, contract) => {
    const pick = picker(path.length);
    const socket = await openFresh(path);
    // But for what ends the connection, as it should.
    const commands = Object.entries<z.ZodType>(contract.commands).filter(([type]) => !/leave/.test(type));
    for (let id = 1; id <= FRAMES_A_SOCKET; id += 1) {
      const [type, schema] = at(commands, pick(commands.length));
      const data = hostileInput(schema, pick);
      const frame = pick(10) === 0 ? { type: hostileValue(pick), id, data } : { type, id, data };
      socket.send(pick(20) === 0 ? at(JUNK_BODIES, pick(JUNK_BODIES.length)) : frame);
    }
    await socket.ask("no-such-command");
    const codes = socket.frames.flatMap(({ error }) => error?.code ?? []);
    expect(codes).not.toContain("INTERNAL_ERROR");
    expect(codes.filter((code) => code === "INVALID_MESSAGE").length).toBeGreaterThan(FRAMES_A_SOCKET / 4);
    expect(socket.closed).toBeUndefined();
  });

  it("in every event of Socket.IO is answered, and the connection lives", async () => {
    const pick = picker(77);
    const commands = Object.values(SOCKETS).flatMap((socket) => Object.entries<z.ZodType>(socket.commands));
    for (let n = 0; n < SOCKETIO_CLIENTS; n += 1) {
      const user = await mintUser("fuzz");
      const client = await connectSocketIo(user);
      const answers = Array.from({ length: FRAMES_A_SOCKET }, () => {
        const [type, schema] = at(commands, pick(commands.length));
        const name = pick(10) === 0 ? hostileText(pick) : type;
        const data = hostileInput(schema, pick);
        return inTime(`${name} ${text(data).slice(0, 300)}`, client.ask(name, data)).then((answer) => ({
          name,
          data,
          answer,
        }));
      });
      const failed = (await Promise.all(answers)).filter(({ answer }) => answer?.error?.code === "INTERNAL_ERROR");
      expect(failed).toEqual([]);
      expect(client.ended).toBeNull();
    }
  }, 120_000);

  it("that is no packet of Socket.IO ends its own connection at most", async () => {
    const { token } = await mintUser("fuzz");
    const packets = [
      "",
      "9",
      "4",
      "42",
      "42[",
      "42{}",
      '42["',
      "42[]",
      "421[",
      "42[7]",
      '42[{"a":1}]',
      '42["connect"]',
    ];
    packets.push('45-1["x"]', '451-["x",{"_placeholder":true,"num":9}]', '459999999999-["x"]', "43", "437", "430[]");
    packets.push("40", "40/other", "40{", "41/other", "44{}", '42/other,["x"]', `42["x",${"[".repeat(20_000)}`, "b!!!");
    for (const packet of packets) {
      const { webSocket } = await upgrade("//socket.io/?EIO=4&transport=websocket");
      if (!webSocket) throw new Error("No socket was opened.");
      const over = new Promise<void>((resolve) => {
        webSocket.addEventListener("close", () => resolve());
        webSocket.addEventListener("message", ({ data }) => String(data).startsWith("439") && resolve());
      });
      webSocket.accept();
      webSocket.send(`40${JSON.stringify({ token })}`);
      webSocket.send(packet);
      webSocket.send('429["no-such-command"]');
      await inTime(packet, over);
      webSocket.close();
    }
    await connectSocketIo({ token });
  });

  it("that is no payload of Engine.IO is refused", async () => {
    const address = `${ORIGIN}/socket.io/?EIO=4&transport=polling`;
    const pick = picker(9);
    for (let n = 0; n < 60; n += 1) {
      const { sid } = JSON.parse((await (await worker.fetch(address)).text()).slice(1));
      const body = text(hostileValue(pick));
      const { status } = await inTime(body, worker.fetch(`${address}&sid=${sid}`, { method: "POST", body }));
      expect([body.slice(0, 80), status < 500]).toEqual([body.slice(0, 80), true]);
    }
  });
});
