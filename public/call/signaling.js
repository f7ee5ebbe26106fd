/** The session's socket: commands with answers, events, and coming back after a break. */
import { call, Refusal } from "./api.js";

/** Close codes after which coming back makes no sense. */
const FINAL = {
  4001: "You are signed out.",
  4003: "You may not take part in this call.",
  4004: "There is no such call, or it has ended.",
};
const ANSWER_WITHIN_MS = 10_000;
/** Silence for this long is a dead line: the service pings every 30 s. */
const SILENCE_MS = 75_000;

export class Signaling {
  #socket;
  #asked = 0;
  #answers = new Map();
  #isClosed = false;
  #failures = 0;
  #silence;

  /**
   * `onFrame(type, data)`, in order · `onOpen()`, each time: join then · `onBreak()`: the line is down, it will come
   * back · `onOver(reason)`: it will not.
   */
  constructor(sessionId, { onFrame, onOpen, onBreak, onOver }) {
    Object.assign(this, { sessionId, onFrame, onOpen, onBreak, onOver });
    addEventListener("online", this.#hurry);
    this.#connect();
  }

  #hurry = () => {
    if (this.#socket?.readyState > WebSocket.OPEN) this.#connect();
  };

  async #connect() {
    clearTimeout(this.retry);
    try {
      // A ticket is good for one socket, so that no token stands in a URL.
      const { ticket } = await call("POST", "/auth/ws-ticket");
      if (this.#isClosed) return;
      const origin = location.origin.replace(/^http/, "ws");
      this.#listen(new WebSocket(`${origin}/api/v1/webrtc/sessions/${this.sessionId}/ws?ticket=${ticket}`));
    } catch (error) {
      if (error.code === "UNAUTHORIZED") this.#end(FINAL[4001]);
      else if (error.code === "FORBIDDEN") this.#end(error.message);
      else this.#comeBack();
    }
  }

  #listen(socket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = ({ code }) => {
      clearTimeout(this.#silence);
      for (const { reject } of this.#answers.values()) reject(new Refusal("OFFLINE", "The connection is gone."));
      this.#answers.clear();
      if (this.#isClosed || this.#socket !== socket) return;
      if (FINAL[code]) this.#end(FINAL[code]);
      else this.#comeBack();
    };
  }

  #receive(frame) {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#socket.close(), SILENCE_MS);
    if (frame.type === "ping") return this.#socket.send(JSON.stringify({ type: "pong", timestamp: frame.timestamp }));
    if (frame.type === "connected") {
      this.#failures = 0;
      return this.onOpen();
    }
    const waiting = this.#answers.get(frame.id);
    if (!waiting) return this.onFrame(frame.type, frame.data);
    this.#answers.delete(frame.id);
    if (frame.type === "ack") waiting.resolve(frame.data);
    else waiting.reject(new Refusal(frame.error.code, frame.error.message));
  }

  /** Sends a command; resolves with its answer. Throws a Refusal. */
  ask(type, data = {}) {
    if (this.#socket?.readyState !== WebSocket.OPEN) {
      return Promise.reject(new Refusal("OFFLINE", "The connection is gone."));
    }
    this.#asked += 1;
    const id = this.#asked;
    this.#socket.send(JSON.stringify({ type, id, data: { sessionId: this.sessionId, ...data } }));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#answers.delete(id);
        reject(new Refusal("OFFLINE", "No answer came."));
      }, ANSWER_WITHIN_MS);
      this.#answers.set(id, {
        resolve: (value) => resolve(value, clearTimeout(timer)),
        reject: (error) => reject(error, clearTimeout(timer)),
      });
    });
  }

  /** A random wait that grows: after a restart not everybody is back in the same moment. */
  #comeBack() {
    if (this.#isClosed) return;
    this.onBreak();
    const most = Math.min(500 * 2 ** this.#failures, 10_000);
    this.#failures += 1;
    this.retry = setTimeout(() => this.#connect(), most / 2 + (Math.random() * most) / 2);
  }

  #end(reason) {
    if (this.#isClosed) return;
    this.close();
    this.onOver(reason);
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.retry);
    clearTimeout(this.#silence);
    removeEventListener("online", this.#hurry);
    this.#socket?.close(1000);
  }
}
