/** A member over a native WebSocket. */
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { ACK_MS, BACK_MS, type Command, type Member, Reconnecting, type Speech } from "./members.ts";
import type { User } from "./rest.ts";
import type { Witness } from "./witness.ts";

export type Frame = {
  type: string;
  id?: string;
  seq?: number;
  epoch?: string;
  data?: Record<string, unknown>;
  error?: object;
  topic?: string;
  topicSeq?: number;
  topicEpoch?: string;
};

export class NativeMember extends Reconnecting implements Member {
  readonly user: User;
  readonly witness: Witness;
  readonly #address: string;
  readonly #isArray: boolean;
  readonly #speech: Speech;
  readonly #waiting = new Map<string, (frame: Frame | null) => void>();
  #socket: WebSocket | undefined;
  #sent = 0;
  #lastError = "no error";
  readonly #backMs: () => number;
  isOpen = false;

  constructor(
    address: string,
    user: User,
    witness: Witness,
    speech: Speech,
    { isArray, backMs = () => BACK_MS }: { isArray: boolean; backMs?: () => number },
  ) {
    super();
    this.#backMs = backMs;
    this.user = user;
    this.witness = witness;
    this.#address = address;
    this.#isArray = isArray;
    this.#speech = speech;
    this.#connect();
  }

  #connect(): void {
    if (this.isStopped) return;
    const { position, epoch } = this.witness;
    const query = new URLSearchParams({ token: this.user.token, ...(this.#isArray ? { batch: "1" } : {}) });
    if (position !== null && !this.#speech.enter) {
      query.set("since", String(position));
      if (epoch) query.set("epoch", epoch);
    }
    const socket = new WebSocket(`${this.#address}?${query}`, { handshakeTimeout: ACK_MS });
    this.#socket = socket;
    socket.on("message", (message) => {
      if (socket !== this.#socket) return;
      const parsed: Frame | Frame[] = JSON.parse(String(message));
      for (const frame of Array.isArray(parsed) ? parsed : [parsed]) this.#receive(frame, socket);
    });
    socket.on("error", () => {});
    socket.on("close", (code, reason) => {
      if (code !== 1006) this.#lastError = `closed with ${code} ${reason}`;
      if (socket === this.#socket) void this.#closed();
    });
  }

  async #closed(): Promise<void> {
    this.isOpen = false;
    this.lost();
    for (const [id, answer] of this.#waiting) {
      this.#waiting.delete(id);
      answer(null);
    }
    await sleep(this.#backMs());
    this.#connect();
  }

  #receive(frame: Frame, socket: WebSocket): void {
    const { type, id, data, error } = frame;
    if (type === "ping") return socket.send(JSON.stringify({ type: "pong" }));
    if (type === "connected") return this.#greeted(frame, socket);
    if (type === "topic:resync") return void this.#enter(socket);
    if (type === "resync") {
      this.witness.epoch = String(data?.epoch);
      return this.witness.told(Number(data?.seq));
    }
    if ((type === "ack" || type === "error") && id !== undefined) {
      if (type === "error") this.#lastError = JSON.stringify(error);
      this.#waiting.get(id)?.(type === "ack" ? { type, data: data ?? {} } : null);
      this.#waiting.delete(id);
      return;
    }
    const { topic } = this.#speech;
    const seq = topic === undefined ? frame.seq : frame.topicSeq;
    const text = this.textOf(frame);
    if (frame.topicEpoch && topic !== undefined) this.witness.epoch = frame.topicEpoch;
    if (seq !== undefined) this.witness.saw(seq, text);
    else if (text !== undefined) this.#speech.heard?.(text);
  }

  /** What a frame tells, if it is one of those that are counted. */
  protected textOf({ type, data }: Frame): string | undefined {
    const { event, textField } = this.#speech;
    return type === event ? String(data?.[textField]) : undefined;
  }

  #greeted({ seq, epoch }: Frame, socket: WebSocket): void {
    if (this.#speech.enter) return void this.#enter(socket);
    this.witness.epoch = epoch;
    this.witness.position ??= seq ?? 0;
    this.isOpen = true;
    this.back();
  }

  /** Who is not let in breaks off, and comes back. */
  async #enter(socket: WebSocket): Promise<void> {
    const command = this.#speech.enter?.({ position: this.witness.position, epoch: this.witness.epoch });
    const answer = command && (await this.#ask(socket, command));
    if (socket !== this.#socket) return;
    if (!answer) return socket.terminate();
    const { topicSeq, topicEpoch, resync } = answer.data ?? {};
    if (topicEpoch) this.witness.epoch = String(topicEpoch);
    if (resync) this.witness.told(Number(topicSeq));
    this.witness.position ??= Number(topicSeq ?? 0);
    this.isOpen = true;
    this.back();
  }

  protected override why(): string {
    return `${this.witness.name}, ${this.isOpen ? "connected" : "not connected"}; ${this.#lastError}`;
  }

  protected override async attempt(text: string): Promise<number | null> {
    const acknowledged = await this.#askOpen(this.#speech.say(text));
    return acknowledged === null ? null : Number(acknowledged.data?.seq);
  }

  async order(command: Command): Promise<boolean> {
    return (await this.#askOpen(command)) !== null;
  }

  async #askOpen(command: Command): Promise<Frame | null> {
    return this.isOpen && this.#socket ? this.#ask(this.#socket, command) : null;
  }

  /** Null: it was refused, or not answered. */
  #ask(socket: WebSocket, command: Command): Promise<Frame | null> {
    this.#sent += 1;
    const id = `c${this.#sent}`;
    const answer = new Promise<Frame | null>((resolve) => {
      this.#waiting.set(id, resolve);
      setTimeout(() => resolve(null), ACK_MS).unref();
    });
    socket.send(JSON.stringify({ id, ...command }));
    return answer;
  }

  breakOff(): void {
    this.#socket?.terminate();
  }

  stop(): void {
    this.isStopped = true;
    this.#socket?.terminate();
  }
}
