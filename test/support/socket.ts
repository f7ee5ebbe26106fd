/** A WebSocket client for tests: waits for frames by name, never by time. */
import { expect } from "vitest";
import { ORIGIN, worker } from "./api.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into frames freely; expectations are their types.
export type Frame = { type: string; data?: any; seq?: number; [key: string]: any };
export type Closed = { code: number; reason: string };

const PATIENCE_MS = 8000;

export class TestSocket {
  /** Every frame so far, oldest first. */
  readonly frames: Frame[] = [];
  /** Messages as they came: an array frame is one. */
  readonly messages: string[] = [];
  closed: Closed | undefined;
  /** Called with each frame as it comes. */
  onFrame: (frame: Frame) => void = () => {};
  readonly #socket: WebSocket;
  #next = 0;
  #waiting: (() => void)[] = [];

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", (event) => {
      const text = String(event.data);
      this.messages.push(text);
      if (text !== "pong") {
        const parsed: Frame | Frame[] = JSON.parse(text);
        const frames = Array.isArray(parsed) ? parsed : [parsed];
        this.frames.push(...frames);
        for (const frame of frames) this.onFrame(frame);
      }
      this.#wake();
    });
    socket.addEventListener("close", (event) => {
      this.closed = { code: event.code, reason: event.reason };
      this.#wake();
    });
    socket.accept();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  async #until<T>(what: string, find: () => T | undefined): Promise<T> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      const left = deadline - Date.now();
      if (left <= 0)
        throw new Error(`Waited in vain for ${what}; the last were ${JSON.stringify(this.frames.slice(-5))}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** The next frame of this type that was not taken yet; those before it are passed over. */
  next(type: string): Promise<Frame> {
    return this.#until(`a frame ${type}`, () => {
      const at = this.frames.findIndex((frame, index) => index >= this.#next && frame.type === type);
      if (at < 0) {
        if (this.closed)
          throw new Error(`Closed (${this.closed.code} ${this.closed.reason}) while waiting for ${type}`);
        return undefined;
      }
      this.#next = at + 1;
      return this.frames[at];
    });
  }

  /** The next frame, whatever it is. */
  nextFrame(): Promise<Frame> {
    return this.#until("any frame", () => {
      const frame = this.frames[this.#next];
      if (frame) this.#next += 1;
      return frame;
    });
  }

  nextClose(): Promise<Closed> {
    return this.#until("the close", () => this.closed);
  }

  /** Resolves when `count` frames of this type have come, taken or not. */
  collect(type: string, count: number): Promise<Frame[]> {
    return this.#until(`${count} frames ${type}`, () => {
      const found = this.frames.filter((frame) => frame.type === type);
      return found.length >= count ? found : undefined;
    });
  }

  /** Waits for a raw message, such as the text `pong`. */
  message(text: string): Promise<string> {
    return this.#until(`the message ${text}`, () => this.messages.find((message) => message === text));
  }

  send(frame: unknown): void {
    this.#socket.send(typeof frame === "string" || frame instanceof ArrayBuffer ? frame : JSON.stringify(frame));
  }

  #asked = 0;

  /** Sends a command and waits for its ack or error, which is answered in order after all that came before. */
  async ask(type: string, data?: unknown): Promise<Frame> {
    this.#asked += 1;
    const id = `ask-${this.#asked}`;
    this.send({ type, data, id });
    return this.#until(`the answer to ${type}`, () => this.frames.find((frame) => frame.id === id));
  }

  /**
   * Asserts that no further frame of these types has come. Asks something first: its answer comes after whatever was sent
   * before, so nothing is still on its way.
   */
  async expectNothing(...types: string[]): Promise<void> {
    await this.ask("no-such-command");
    const isAnswer = (frame: Frame) => frame.id !== undefined;
    const rest = this.frames.slice(this.#next).filter((frame) => types.includes(frame.type) && !isAnswer(frame));
    expect(rest).toEqual([]);
  }

  close(code = 1000): void {
    this.#socket.close(code);
  }
}

/** Opens `/api/v1<path>`; the answer must be 101. */
export async function openSocket(path: string, headers: Record<string, string> = {}): Promise<TestSocket> {
  const response = await upgrade(path, headers);
  if (!response.webSocket) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return new TestSocket(response.webSocket);
}

export function upgrade(path: string, headers: Record<string, string> = {}): Promise<Response> {
  const url = path.startsWith("//") ? `${ORIGIN}${path.slice(1)}` : `${ORIGIN}/api/v1${path}`;
  return worker.fetch(url, { headers: { Upgrade: "websocket", ...headers } });
}

/** A user's event socket, past its first frame. */
export async function openHub(user: { token: string }, query = ""): Promise<TestSocket> {
  const socket = await openSocket(`/ws?token=${user.token}${query}`);
  await socket.next("connected");
  return socket;
}
