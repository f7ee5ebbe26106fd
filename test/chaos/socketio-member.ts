/** A member over Socket.IO. */
import { io, type Socket } from "socket.io-client";
import { ACK_MS, BACK_MS, type Command, type Member, Reconnecting, type Speech } from "./members.ts";
import type { User } from "./rest.ts";
import type { Witness } from "./witness.ts";

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
    const text = String(data[this.#speech.textField]);
    if (this.#speech.heard) return this.#speech.heard(text);
    const seq = Number(data.seq);
    if (this.#isNew) {
      this.#isNew = false;
      if (this.witness.position === null) this.witness.position = seq - 1;
      else if (seq > this.witness.position + 1) this.witness.told(seq - 1);
      this.witness.excused = Math.max(this.witness.excused, seq - 1);
    }
    this.witness.saw(seq, text);
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

  async order({ type, data }: Command): Promise<boolean> {
    return this.isOpen && (await this.#ask(type, data))?.success === true;
  }

  breakOff(): void {
    this.#socket.io.engine?.close();
  }

  stop(): void {
    this.isStopped = true;
    this.#socket.disconnect();
  }
}
