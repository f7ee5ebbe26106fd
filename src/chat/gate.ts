/**
 * Asks outside before a message is accepted, if that is set up; who is asked registers here (src/wiring.ts). Messages that
 * come meanwhile wait, and go together in the next question, in the order in which they came.
 */
import type { Ctx } from "../context.ts";
import { knownHook, type MessageHook, readHook } from "../db/message-hook.ts";
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

/**
 * Answers in the order of the questions. What cannot be asked is decided by the product's own policy.
 * @throws AppError the database did not answer, and messages that cannot be asked about are to be refused
 */
export type Asker = (ctx: Ctx, room: { roomId: string; info: RoomInfo }, questions: Question[]) => Promise<Verdict[]>;

let asker: Asker | undefined;

/** Called once, by src/wiring.ts. */
export function askBeforeBy(ask: Asker): void {
  asker = ask;
}

/** Messages of one question. */
const TOGETHER = 50;
const MOST_WAITING = 500;
/** What an object remembers of it for a time when the database is not there: the policy, or that nobody is asked. */
const KEY = "asksBefore";
type Policy = MessageHook["onFailure"];

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
  #lastPolicy: Policy | null | undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Whether a message has to be asked about; at once, where that was heard lately. */
  isSet(): MaybePromise<boolean> {
    const hook = knownHook();
    return hook === undefined ? this.#find() : this.#remember(hook);
  }

  /**
   * Without the database it is as it was when it was last known: a room talks on where nobody is to be asked, and where
   * messages are let through that cannot be asked about.
   */
  async #find(): Promise<boolean> {
    try {
      return this.#remember(await readHook(this.#host.context()));
    } catch (error) {
      if (this.#kept() === "refuse") throw error;
      logEvent("hook.unknown", { level: "warn", room: this.#host.roomId });
      return false;
    }
  }

  #kept(): Policy | null {
    if (this.#lastPolicy === undefined) {
      const kept = this.#host.storage.kv.get(KEY);
      // Objects once noted no more than that somebody is asked.
      this.#lastPolicy = kept === "refuse" || kept === true ? "refuse" : kept === "allow" ? "allow" : null;
    }
    return this.#lastPolicy;
  }

  /** One row written, when it changes. @returns whether somebody is asked */
  #remember(hook: MessageHook | null): boolean {
    const policy = hook?.onFailure ?? null;
    if (policy !== this.#kept()) {
      this.#host.storage.kv.put(KEY, policy ?? false);
      this.#lastPolicy = policy;
    }
    return hook !== null;
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
