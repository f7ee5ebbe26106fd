/**
 * Asks outside before a message is accepted, if that is set up; who is asked registers here (src/wiring.ts). Messages that
 * come meanwhile wait, and go together in the next question, in the order in which they came.
 */
import type { Ctx } from "../context.ts";
import { knownHook, readHook } from "../db/message-hook.ts";
import { AppError } from "../errors.ts";
import { logEvent, logFailure } from "../platform/log.ts";
import type { MaybePromise } from "../platform/promise.ts";
import type { Person } from "../realtime/connection-state.ts";
import type { RoomInfo } from "./info.ts";

export type Question = {
  person: Person;
  /** An edit names the message. */
  messageId?: string;
  content: string;
  type?: string | undefined;
  fileUrl?: string | null | undefined;
  replyTo?: string | null | undefined;
};

/** The text to accept. */
export type Verdict = { content: string } | { refused: string };

/** Answers in the order of the questions. Never throws: what cannot be asked is decided by the product's own policy. */
export type Asker = (ctx: Ctx, room: { roomId: string; info: RoomInfo }, questions: Question[]) => Promise<Verdict[]>;

let asker: Asker | undefined;

/** Called once, by src/wiring.ts. */
export function askBeforeBy(ask: Asker): void {
  asker = ask;
}

/** Messages of one question. */
const TOGETHER = 50;
const MOST_WAITING = 500;
/** What an object remembers of it for a time when the database is not there. */
const KEY = "asksBefore";

type Waiting = { question: Question; settle: (verdict: Verdict) => void; fail: (error: unknown) => void };
type Host = {
  storage: DurableObjectStorage;
  roomId: string;
  context: () => Ctx;
  info: () => RoomInfo;
};

export class Gate {
  readonly #host: Host;
  #waiting: Waiting[] = [];
  #isAsking = false;
  #wasSet: boolean | undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Whether a message has to be asked about; at once, where that was heard lately. */
  isSet(): MaybePromise<boolean> {
    const hook = knownHook();
    return hook === undefined ? this.#find() : this.#remember(hook !== null);
  }

  /** Without the database it is as it was when it was last known: a room talks on where nobody is to be asked. */
  async #find(): Promise<boolean> {
    try {
      return this.#remember((await readHook(this.#host.context())) !== null);
    } catch (error) {
      if (this.#kept() !== true) {
        logEvent("hook.unknown", { level: "warn", room: this.#host.roomId });
        return false;
      }
      throw error;
    }
  }

  #kept(): boolean {
    this.#wasSet ??= this.#host.storage.kv.get(KEY) === true;
    return this.#wasSet;
  }

  /** One row written, when it changes. */
  #remember(isSet: boolean): boolean {
    if (isSet !== this.#kept()) {
      this.#host.storage.kv.put(KEY, isSet);
      this.#wasSet = isSet;
    }
    return isSet;
  }

  /**
   * @returns the text to accept
   * @throws AppError FORBIDDEN it was refused · RATE_LIMIT too many wait
   */
  async ask(question: Question): Promise<string> {
    if (this.#waiting.length >= MOST_WAITING) {
      throw new AppError("RATE_LIMIT", "Too many messages wait to be looked at.", { retryAfterSeconds: 1 });
    }
    const { promise, resolve: settle, reject: fail } = Promise.withResolvers<Verdict>();
    this.#waiting.push({ question, settle, fail });
    void this.#askAll();
    const verdict = await promise;
    if ("refused" in verdict) throw new AppError("FORBIDDEN", verdict.refused);
    return verdict.content;
  }

  /** One question after the other, so that nobody's messages overtake each other. */
  async #askAll(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      while (this.#waiting.length > 0) await this.#askSome(this.#waiting.splice(0, TOGETHER));
    } finally {
      this.#isAsking = false;
    }
  }

  async #askSome(group: Waiting[]): Promise<void> {
    const { roomId, context, info } = this.#host;
    try {
      const questions = group.map(({ question }) => question);
      const verdicts = (await asker?.(context(), { roomId, info: info() }, questions)) ?? [];
      for (const [at, { question, settle }] of group.entries()) settle(verdicts[at] ?? { content: question.content });
    } catch (error) {
      logFailure({ requestId: "" }, "hook.ask", error, { room: roomId });
      for (const { fail } of group) fail(error);
    }
  }
}
