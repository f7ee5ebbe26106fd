/** A WebSocket class for the client under test: it opens through the Worker's own fetch, and can be broken. */
import { worker } from "./api.ts";

export class WorkerSocket extends EventTarget {
  /** All that were made, oldest first. */
  static readonly opened: WorkerSocket[] = [];
  static of(token: string): WorkerSocket[] {
    return WorkerSocket.opened.filter(({ url }) => url.includes(`token=${token}`));
  }

  readonly url: string;
  readonly sent: string[] = [];
  readonly received: string[] = [];
  readyState: number = WebSocket.READY_STATE_CONNECTING;
  binaryType = "blob";
  #inner: WebSocket | undefined;
  #isSwallowing = false;
  #isDeaf = false;

  constructor(url: string) {
    super();
    this.url = url;
    WorkerSocket.opened.push(this);
    void this.#open();
  }

  async #open(): Promise<void> {
    const response = await worker.fetch(this.url.replace(/^ws/, "http"), { headers: { Upgrade: "websocket" } });
    const inner = response.webSocket;
    if (!inner) {
      await response.body?.cancel();
      return this.#ended(1006, "");
    }
    if (this.readyState !== WebSocket.READY_STATE_CONNECTING) return;
    this.#inner = inner;
    inner.addEventListener("message", ({ data }) => this.#isDeaf || this.deliver(String(data)));
    inner.addEventListener("close", ({ code, reason }) => this.#isDeaf || this.#ended(code, reason));
    this.readyState = WebSocket.READY_STATE_OPEN;
    this.dispatchEvent(new Event("open"));
    inner.accept();
  }

  /** As if the server had sent this. */
  deliver(text: string): void {
    if (this.readyState !== WebSocket.READY_STATE_OPEN) return;
    this.received.push(text);
    this.dispatchEvent(new MessageEvent("message", { data: text }));
  }

  /** As if the server sent the last message of this type once more. */
  repeatLast(type: string): void {
    const text = this.received.findLast((message) => message.includes(`"type":"${type}"`));
    if (text === undefined) throw new Error(`No ${type} has come.`);
    this.deliver(text);
  }

  send(text: string): void {
    this.sent.push(text);
    if (!this.#isSwallowing) this.#inner?.send(text);
  }

  /** What the client sends from now on gets lost on the way. */
  swallow(): void {
    this.#isSwallowing = true;
  }

  /** What the server sends from now on gets lost on the way. */
  deafen(): void {
    this.#isDeaf = true;
  }

  /** The network drops. */
  breakOff(): void {
    this.#inner?.close(1000);
    this.#ended(1006, "");
  }

  close(code?: number, reason?: string): void {
    this.#inner?.close(code, reason);
    this.#ended(code ?? 1005, reason ?? "");
  }

  #ended(code: number, reason: string): void {
    if (this.readyState === WebSocket.READY_STATE_CLOSED) return;
    this.readyState = WebSocket.READY_STATE_CLOSED;
    this.dispatchEvent(new CloseEvent("close", { code, reason }));
  }
}
