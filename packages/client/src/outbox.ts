/** Messages on their way: they wait for the network, survive a reload, and go out once and in the order they were written. */
import { RoomcastError } from "./error.ts";
import { KeptMessages, type OutboxStorage } from "./outbox-storage.ts";
import { watchPage } from "./page.ts";

/** `sending`: waits, or is on its way · `failed`: refused; it can be sent again or discarded. */
export type OutgoingState = "sending" | "sent" | "failed";

export type Outgoing<T> = {
  readonly clientMessageId: string;
  readonly data: T;
  /** Unix time in ms; no two of an outbox have the same. */
  readonly createdAt: number;
  readonly state: OutgoingState;
  /** What the last try met. */
  readonly error?: { code: string; message: string } | undefined;
};

export type OutboxOptions<T, Answer> = {
  /**
   * Sends a message, by a socket or over REST. It must pass on the `clientMessageId`, by which the service knows a message that
   * is sent again.
   */
  deliver: (data: T & { clientMessageId: string }) => Promise<Answer>;
  /** Keeps what is unsent over a reload, e.g. `localStorage`. Without it, messages last as long as the page. */
  storage?: OutboxStorage | undefined;
  /** Names this outbox in the storage: whose messages, and where to. */
  key?: string;
  /** The service has it. It leaves the outbox after this. */
  onSent?: (message: Outgoing<T>, answer: Answer) => void;
};

/**
 * Refusals that another try may not meet; by then, somebody may have signed in again. Any other error of the service is for the
 * author to look at.
 */
const PASSING = ["TIMEOUT", "CONNECTION_LOST", "RATE_LIMIT", "UNAVAILABLE", "INTERNAL_ERROR", "UNAUTHORIZED"];
/** A socket's `send` waits for a connection by itself. */
const AT_ONCE = ["TIMEOUT", "CONNECTION_LOST"];
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;

export class Outbox<T extends object, Answer> {
  readonly #options: OutboxOptions<T, Answer>;
  readonly #kept: KeptMessages<T>;
  readonly #listeners = new Set<() => void>();
  readonly #stopWatching: () => void;
  #messages: readonly Outgoing<T>[];
  #isSending = false;
  #isClosed = false;
  #endPause: (() => void) | undefined;
  /** The service said how long it wants to be left alone. */
  #isSentAway = false;

  /** Sends what an earlier page left at once. */
  constructor(options: OutboxOptions<T, Answer>) {
    this.#options = options;
    this.#kept = new KeptMessages(options.storage, options.key ?? "");
    this.#messages = this.#kept.read();
    this.#stopWatching = watchPage({ suspend: () => undefined, wake: () => this.wake() });
    void this.#sendAll();
  }

  /** What is not sent, oldest first. A new array after each change. */
  get messages(): readonly Outgoing<T>[] {
    return this.#messages;
  }

  /** @returns a function that stops listening */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Takes a message; it goes out after those before it. */
  add(data: T): Outgoing<T> {
    const createdAt = Math.max(Date.now(), (this.#messages.at(-1)?.createdAt ?? 0) + 1);
    const message: Outgoing<T> = { clientMessageId: randomId(), data, createdAt, state: "sending" };
    this.#kept.write(message);
    this.#become([...this.#messages, message]);
    void this.#sendAll();
    return message;
  }

  /** Sends a failed message again, under its old `clientMessageId`. */
  retry(clientMessageId: string): void {
    this.#change(clientMessageId, { state: "sending", error: undefined });
    void this.#sendAll();
  }

  /** Takes a message back. One that is on its way may arrive all the same. */
  discard(clientMessageId: string): void {
    this.#kept.remove(clientMessageId);
    this.#become(this.#messages.filter((message) => message.clientMessageId !== clientMessageId));
  }

  /** The network is back: does not wait any longer before the next try. */
  wake(): void {
    if (!this.#isSentAway) this.#endPause?.();
  }

  /** Stops. What is unsent stays in the storage. */
  close(): void {
    this.#isClosed = true;
    this.#stopWatching();
    this.#endPause?.();
  }

  async #sendAll(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    for (let next = this.#next(); next; next = this.#next()) await this.#send(next);
    this.#isSending = false;
  }

  #next(): Outgoing<T> | undefined {
    return this.#isClosed ? undefined : this.#messages.find(({ state }) => state === "sending");
  }

  async #send({ clientMessageId, data }: Outgoing<T>): Promise<void> {
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
      const message = this.#unsent(clientMessageId);
      if (!message) return;
      const failure = await this.#deliver({ ...data, clientMessageId }).then(
        (answer) => this.#sent(message, answer),
        failureOf,
      );
      if (!failure) return;
      if (failure.isEnd) return this.close();
      const { code, text, isPassing, askedMs } = failure;
      this.#change(clientMessageId, { state: isPassing ? "sending" : "failed", error: { code, message: text } });
      if (!isPassing) return;
      if (!AT_ONCE.includes(code)) await this.#pause(waitMs, askedMs);
    }
  }

  /** What the app's own function throws has failed as what it rejects has. */
  async #deliver(data: T & { clientMessageId: string }): Promise<Answer> {
    return this.#options.deliver(data);
  }

  #sent(message: Outgoing<T>, answer: Answer): void {
    // The message is sent, whatever the app makes of it.
    apart(() => this.#options.onSent?.({ ...message, state: "sent" }, answer));
    this.discard(message.clientMessageId);
  }

  /** The message, if it is still to be sent: nobody discarded it, here or in another tab. */
  #unsent(clientMessageId: string): Outgoing<T> | undefined {
    if (this.#isClosed) return undefined;
    if (this.#kept.isTaken(clientMessageId)) this.discard(clientMessageId);
    return this.#messages.find((one) => one.clientMessageId === clientMessageId && one.state === "sending");
  }

  #pause(waitMs: number, askedMs: number): Promise<void> {
    this.#isSentAway = askedMs > 0;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(waitMs, askedMs));
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #change(clientMessageId: string, change: Partial<Outgoing<T>>): void {
    const changed = this.#messages.map((message) =>
      message.clientMessageId === clientMessageId ? { ...message, ...change } : message,
    );
    for (const message of changed) if (message.clientMessageId === clientMessageId) this.#kept.write(message);
    this.#become(changed);
  }

  #become(messages: readonly Outgoing<T>[]): void {
    this.#messages = messages;
    for (const listener of [...this.#listeners]) apart(listener);
  }
}

/** Calls the app's own function, whose error is the app's, and ends nothing here. */
function apart(work: () => void): void {
  try {
    work();
  } catch (error) {
    queueMicrotask(() => Promise.reject(error));
  }
}

/** `isEnd`: the app closed the socket, and no message was refused · `isPassing`: another try makes sense. */
function failureOf(error: unknown) {
  // What is no error of the service's is the network's: `fetch` throws a TypeError.
  if (!(error instanceof RoomcastError)) {
    return { isEnd: false, isPassing: true, code: "OFFLINE", text: String(error), askedMs: 0 };
  }
  const { code, message: text, closeCode, retryAfterSeconds = 0 } = error;
  const isEnd = code === "CLOSED" && closeCode === 1000;
  const isPassing = PASSING.includes(code) || closeCode === 4001;
  return { isEnd, isPassing, code, text, askedMs: retryAfterSeconds * 1000 };
}

/** Also where `crypto.randomUUID` is not: on a page that came over plain http. */
const randomId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
