/** A stream's chat as this page knows it: what was said, what is on its way, and whether the line is up. */
import { call } from "/api.js";
import { PageSocket } from "/page-socket.js";

const PAGE = 50;
/** In a busy chat what is far back goes; it can be read again. */
const KEPT = 400;
const WORDS = { 4001: "You are signed out.", 4003: "You may not take part in this chat.", 4004: "The stream is gone." };

const FRAMES = [
  "chat_message",
  "chat_message_deleted",
  "chat_slow_mode",
  "chat_muted",
  "stream:status",
  "stream:viewer_count",
];

export class Chat {
  /** By id, which sorts as the chat does. */
  messages = new Map();
  /** One's own that the service has not confirmed: `{clientMessageId, message, problem}`. */
  pending = [];
  /** Where older messages go on; null at the beginning of the chat. */
  older = null;
  /** `connecting`, `open`, `broken` or `over`; then `reason` says why. */
  line = "connecting";
  reason = "";
  problem = "";
  slowSeconds = 0;
  mutedUntil = null;
  /** Whether the newest part of the history is there. */
  isLoaded = false;
  #isLoading = false;
  #deleted = new Set();

  /** `onChange()`: draw again · `onStatus(data)` · `onCount(count)` · `onMissed()`: read the stream anew. */
  constructor({ streamId, account, ...listeners }) {
    Object.assign(this, { streamId, account }, listeners);
    this.socket = new PageSocket("/streams/{id}/ws", {
      params: { id: streamId },
      words: WORDS,
      onOpen: () => this.#opened(),
      on: Object.fromEntries(FRAMES.map((type) => [type, (data) => this.#receive(type, data)])),
      onBreak: () => this.#become("broken"),
      onOver: (reason) => this.#over(reason),
      onResync: () => this.#startAnew(),
    });
  }

  #become(line) {
    this.line = line;
    this.onChange();
  }

  #over(reason) {
    this.reason = reason;
    this.#become("over");
  }

  #opened() {
    // What still holds is said after this.
    this.slowSeconds = 0;
    this.mutedUntil = null;
    this.#become("open");
    if (!this.isLoaded && !this.#isLoading) this.#load();
    // What was not answered before the break goes again under its old name, and is stored once.
    for (const one of this.pending) if (!one.problem) this.#deliver(one);
  }

  /** Too much was missed for the service to repeat it. */
  #startAnew() {
    this.messages.clear();
    this.isLoaded = false;
    this.#load();
    this.onMissed();
  }

  /** After the position was learnt, so that between history and live frames nothing is missing. */
  async #load() {
    this.#isLoading = true;
    await this.#read("");
    this.#isLoading = false;
  }

  loadOlder() {
    return this.#read(`&before=${this.older}`);
  }

  async #read(before) {
    try {
      const { messages, nextCursor } = await call("GET", `/streams/${this.streamId}/chat?limit=${PAGE}${before}`);
      for (const message of messages) this.#add(message);
      this.older = nextCursor;
      this.isLoaded = true;
      this.problem = "";
    } catch (error) {
      this.problem = error.message;
    }
    this.onChange();
  }

  #add(message) {
    if (!this.#deleted.has(message.id)) this.messages.set(message.id, message);
  }

  /** In order, oldest first. */
  inOrder() {
    return [...this.messages.values()].sort((a, b) => a.seq - b.seq);
  }

  /** Lets go of what nobody looks at. */
  trim() {
    if (this.messages.size <= KEPT) return;
    const kept = this.inOrder().slice(-KEPT);
    this.messages = new Map(kept.map((message) => [message.id, message]));
    this.older = kept[0].seq;
  }

  #receive(type, data) {
    if (type === "chat_message") this.#add(data);
    else if (type === "chat_message_deleted") this.#forget(data.messageId);
    else if (type === "chat_slow_mode") this.slowSeconds = data.seconds;
    else if (type === "chat_muted" && data.userId === this.account.id) this.mutedUntil = data.until;
    else if (type === "stream:status") this.onStatus(data);
    else if (type === "stream:viewer_count") this.onCount(data.count);
    this.onChange();
  }

  #forget(messageId) {
    // Also one that history is about to bring.
    this.#deleted.add(messageId);
    this.messages.delete(messageId);
  }

  say(message) {
    const one = { clientMessageId: crypto.randomUUID(), message, problem: "" };
    this.pending.push(one);
    this.#deliver(one);
  }

  again(one) {
    one.problem = "";
    this.#deliver(one);
  }

  discard(one) {
    this.pending = this.pending.filter((other) => other !== one);
    this.onChange();
  }

  async #deliver(one) {
    this.onChange();
    // It waits for the line.
    if (this.line !== "open") return;
    try {
      const { clientMessageId, message } = one;
      this.#add(await this.socket.ask("chat_message", { clientMessageId, message }));
      this.discard(one);
    } catch (error) {
      if (this.line === "open" && this.pending.includes(one)) one.problem = error.message;
      this.onChange();
    }
  }

  /** A moderator's command. Throws a Refusal. */
  async moderate(type, data) {
    const done = await this.socket.ask(type, data);
    if (type === "chat_slow_mode") this.slowSeconds = done.seconds;
    this.onChange();
    return done;
  }

  close() {
    this.socket.close();
  }
}
