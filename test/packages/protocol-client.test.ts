/** examples/protocol-client, which was written from docs/protocol.md alone: the page is enough, and true. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { answerOf } from "@roomcast/client";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { root } from "../../scripts/tools.ts";
import { Network } from "./network.ts";
import { apiOf, makeRoom, PASSWORD, type Person, register, until, url } from "./support.ts";

const isPythonHere = spawnSync("python3", ["--version"]).status === 0;
if (!isPythonHere) console.info("skipped: there is no python3 here");

const folder = mkdtempSync(join(tmpdir(), "roomcast-protocol-"));
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** The program, with what it has printed. */
class Chat {
  readonly #program: ChildProcessWithoutNullStreams;
  readonly printed: string[] = [];
  readonly ended: Promise<unknown>;

  constructor(network: Network, { username }: Person, roomId: string, ...more: string[]) {
    const program = join(root, "examples/protocol-client/chat.py");
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
    this.#program = spawn("python3", [program, network.url, username, PASSWORD, roomId, ...more], { env });
    this.ended = once(this.#program, "exit");
    for (const stream of [this.#program.stdout, this.#program.stderr])
      createInterface(stream).on("line", (line) => this.printed.push(line));
    closing.push(() => this.#program.kill());
  }

  type(line: string): void {
    this.#program.stdin.write(`${line}\n`);
  }

  /** As at the end of a file: what is unsent goes out before it ends. */
  async end(): Promise<void> {
    this.#program.stdin.end();
    await this.ended;
  }

  /** What was said in the room, as it was printed. */
  get talk(): string[] {
    return this.printed.filter((line) => /^\d+ /.test(line));
  }

  said(line: string): Promise<unknown> {
    return until(() => this.printed.some((one) => one.endsWith(line)));
  }
}

describe.skipIf(!isPythonHere)("a client in Python, by docs/protocol.md", () => {
  let [ann, bob]: Person[] = [];
  beforeAll(async () => {
    [ann, bob] = [await register(), await register()];
    return () => rmSync(folder, { recursive: true, force: true });
  });

  async function start(...more: string[]) {
    if (!ann || !bob) throw new Error("Nobody has come.");
    const [me, other] = [ann, bob];
    const { id } = await makeRoom(me, other);
    const param = { id };
    const { messages } = apiOf(other).rooms[":id"];
    const network = await Network.inFrontOf(url);
    closing.push(() => network.close());
    const open = () => new Chat(network, me, id, ...more);
    const say = (content: string) => answerOf(messages.$post({ param, json: { content } }));
    const contents = async () => {
      const page = await answerOf(messages.$get({ param, query: {} }));
      return page.messages.map(({ seq, username, content }) => `${seq} ${username}: ${content}`).reverse();
    };
    const write = (content: string) => answerOf(apiOf(other).messages.$post({ json: { receiverId: me.id, content } }));
    const close = () => answerOf(apiOf(me).rooms[":id"].$delete({ param }));
    return { me, other, id, network, open, say, contents, write, close };
  }

  it("signs in, reads what was said, hears and sends; a refusal is told, and a room that goes ends it", async () => {
    const { network, open, say, contents, close } = await start();
    await say("before");
    const chat = open();
    await chat.said(": before");
    chat.type("hello & 1 < 2");
    await until(() => chat.talk.length === 2);
    await say("after");
    await chat.said(": after");
    expect(chat.talk).toEqual(await contents());
    chat.type("x".repeat(5001));
    chat.type("still there");
    await chat.said(": still there");
    expect(chat.printed.filter((line) => line.startsWith("! "))).toEqual([expect.stringMatching(/INVALID_MESSAGE/)]);
    await close();
    await chat.said("ws 4004 NOT_FOUND");
    await chat.ended;
    network.close();
  });

  it("after a break it has what was missed, once and in order; what got no answer is there once", async () => {
    const { network, open, say, contents, write } = await start();
    const chat = open();
    await chat.said("connected");
    await say("one");
    await chat.said(": one");
    network.deafen();
    chat.type("no answer");
    await expect.poll(contents, { timeout: 10_000 }).toHaveLength(2);
    network.cut();
    for (const content of ["missed 1", "missed 2"]) await say(content);
    await write("meanwhile");
    chat.type("written without a network");
    network.mend();
    await chat.said(": written without a network");
    await chat.said(": meanwhile");
    expect(await contents()).toHaveLength(5);
    expect(chat.talk).toEqual(await contents());
    expect(chat.printed.filter((line) => line.startsWith("> "))).toHaveLength(1);
  });

  it("goes on after a restart where it was; of a log that is another it reads all anew", async () => {
    const state = join(folder, "state.json");
    const { open, say, contents } = await start("--state", state);
    const first = open();
    await first.said("connected");
    await say("one");
    await first.said(": one");
    await first.end();
    await say("two");
    const second = open();
    await second.said(": two");
    expect(second.talk).toEqual((await contents()).slice(1));
    second.type("three");
    await second.end();
    const kept = JSON.parse(readFileSync(state, "utf8"));
    writeFileSync(state, JSON.stringify({ ...kept, room: { seq: 1, epoch: "another" } }));
    const third = open();
    await third.said("resync");
    await third.said(": three");
    expect(third.talk).toEqual(await contents());
  });

  it("finds out by its heartbeat that nothing comes any more, and comes back", async () => {
    const { network, open, say } = await start("--beat", "1");
    const chat = open();
    await chat.said("connected");
    network.deafen();
    await say("unheard");
    await chat.said("ws 1006");
    // What was asked meanwhile hangs.
    network.cut();
    network.mend();
    await chat.said(": unheard");
    expect(chat.talk).toHaveLength(1);
  });
});
