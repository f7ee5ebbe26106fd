/** Members of a log over one kind of connection each: they come back whatever happens, and send until they are answered. */
import { setTimeout as sleep } from "node:timers/promises";
import { io, type Socket } from "socket.io-client";
import { WebSocket } from "ws";
import type { User } from "./rest.ts";
import type { Witness } from "./witness.ts";

const BACK_MS = 30;
const ACK_MS = 4000;
const GIVE_UP_MS = 60_000;

/** How a kind of room speaks. */
export type Speech = {
  /** The command that says `text`, sent again under the same id. */
  say(text: string): { type: string; data: Record<string, unknown> };
  /** The event that it arrives as, and where its text stands. */
  event: string;
  textField: string;
  /** Over Socket.IO: the event that enters, with its data. */
  join?: { type: string; data: Record<string, unknown> };
};

export interface Member {
  readonly user: User;
  readonly witness: Witness;
  readonly isOpen: boolean;
  /** Resolves with the message's seq once it is acknowledged, however often it has to be sent. */
  say(text: string): Promise<number>;
  /** The network drops. */
  breakOff(): void;
  stop(): void;
}

/** How long clients were away, ms: from the loss of a connection to the next one that works. */
export const absences: number[] = [];

abstract class Reconnecting {
  protected lostAt: number | null = null;

  protected lost(): void {
    this.lostAt ??= performance.now();
  }
  protected back(): void {
    if (this.lostAt !== null) absences.push(performance.now() - this.lostAt);
    this.lostAt = null;
  }

  protected abstract attempt(text: string): Promise<number | null>;
  protected isStopped = false;

  /** @throws Error not acknowledged within a minute, though it was sent again and again */
  async say(text: string): Promise<number> {
    for (const giveUpAt = Date.now() + GIVE_UP_MS; Date.now() < giveUpAt; await sleep(BACK_MS)) {
      const seq = await this.attempt(text);
      if (seq !== null) return seq;
    }
    throw new Error(`"${text}" was not acknowledged within ${GIVE_UP_MS} ms: ${this.why()}`);
  }

  /** For the report: what the last failure was. */
  protected abstract why(): string;
}

type Frame = {
  type: string;
  id?: string;
  seq?: number;
  epoch?: string;
  data?: Record<string, unknown>;
  error?: object;
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
    if (position !== null && epoch) {
      query.set("since", String(position));
      query.set("epoch", epoch);
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

  #receive({ type, id, seq, epoch, data, error }: Frame, socket: WebSocket): void {
    if (type === "ping") return socket.send(JSON.stringify({ type: "pong" }));
    if (type === "connected") {
      this.witness.epoch = epoch;
      this.witness.position ??= seq ?? 0;
      this.isOpen = true;
      return this.back();
    }
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
    const text = type === this.#speech.event ? String(data?.[this.#speech.textField]) : undefined;
    if (seq !== undefined) this.witness.saw(seq, text);
  }

  protected override why(): string {
    return `${this.witness.name}, ${this.isOpen ? "connected" : "not connected"}; ${this.#lastError}`;
  }

  protected override async attempt(text: string): Promise<number | null> {
    const socket = this.#socket;
    if (!this.isOpen || !socket) return null;
    this.#sent += 1;
    const id = `c${this.#sent}`;
    const answer = new Promise<Frame | null>((resolve) => {
      this.#waiting.set(id, resolve);
      setTimeout(() => resolve(null), ACK_MS).unref();
    });
    socket.send(JSON.stringify({ id, ...this.#speech.say(text) }));
    const acknowledged = await answer;
    return acknowledged === null ? null : Number(acknowledged.data?.seq);
  }

  breakOff(): void {
    this.#socket?.terminate();
  }

  stop(): void {
    this.isStopped = true;
    this.#socket?.terminate();
  }
}

type Outcome = { success: boolean; data?: { seq?: number } };

/** The stock client. A new session means that it may have missed something: it joins again, and counts from there. */
export class SocketIoMember extends Reconnecting implements Member {
  readonly user: User;
  readonly witness: Witness;
  readonly #speech: Speech;
  readonly #socket: Socket;
  isOpen = false;
  recovered = 0;
  #lastAnswer = "no answer yet";
  /** The next message says where this session begins. */
  #isNew = true;

  constructor(origin: string, user: User, witness: Witness, speech: Speech, transports: string[]) {
    super();
    this.user = user;
    this.witness = witness;
    this.#speech = speech;
    this.#socket = io(origin, {
      auth: { token: user.token },
      transports,
      forceNew: true,
      reconnectionDelay: BACK_MS,
      reconnectionDelayMax: BACK_MS * 4,
      timeout: ACK_MS,
    });
    this.#socket.on("connect", () => void this.#connected());
    this.#socket.on("disconnect", (reason) => {
      this.isOpen = false;
      this.lost();
      if (reason === "io server disconnect") this.#socket.connect();
    });
    this.#socket.on(speech.event, (data: Record<string, unknown>) => this.#hear(data));
  }

  async #connected(): Promise<void> {
    if (this.#socket.recovered) {
      this.recovered += 1;
      this.isOpen = true;
      return this.back();
    }
    this.#isNew = true;
    const { join } = this.#speech;
    if (join) {
      const joined = await this.#ask(join.type, join.data);
      if (!joined?.success) {
        // Not in: a connection that cannot join is made anew.
        this.#socket.io.engine?.close();
        return;
      }
    }
    this.isOpen = true;
    this.back();
  }

  #hear(data: Record<string, unknown>): void {
    const seq = Number(data.seq);
    if (this.#isNew) {
      this.#isNew = false;
      if (this.witness.position === null) this.witness.position = seq - 1;
      else if (seq > this.witness.position + 1) this.witness.told(seq - 1);
      this.witness.excused = Math.max(this.witness.excused, seq - 1);
    }
    this.witness.saw(seq, String(data[this.#speech.textField]));
  }

  #ask(type: string, data: unknown): Promise<Outcome | null> {
    return this.#socket
      .timeout(ACK_MS)
      .emitWithAck(type, data)
      .then(
        (answer: Outcome) => {
          this.#lastAnswer = JSON.stringify(answer);
          return answer;
        },
        () => {
          this.#lastAnswer = `no answer to ${type}`;
          return null;
        },
      );
  }

  protected override why(): string {
    return `${this.witness.name}, ${this.isOpen ? "connected" : "not connected"}; ${this.#lastAnswer}`;
  }

  protected override async attempt(text: string): Promise<number | null> {
    if (!this.isOpen) return null;
    const { type, data } = this.#speech.say(text);
    const answer = await this.#ask(type, data);
    return answer?.success ? Number(answer.data?.seq) : null;
  }

  breakOff(): void {
    this.#socket.io.engine?.close();
  }

  stop(): void {
    this.isStopped = true;
    this.#socket.disconnect();
  }
}
