/** A room's socket: commands with answers, each event once, and coming back after a break as the close code says (SPEC 2). */
import { call, Refusal } from "/api.js";

const ANSWER_WITHIN_MS = 10_000;
/** The service answers these while the room sleeps, and takes a client for gone after 75 s. */
const BEAT_MS = 25_000;
/** A connection that lasted this long worked. */
const LASTING_MS = 5000;
const RESTART_SPREAD_MS = 5000;
const LONGEST_WAIT_MS = 10_000;
const WORDS = { 4001: "You are signed out.", 4003: "You may not take part here.", 4004: "There is no such room." };

/** Doubling, half of it random: those whom one break dropped do not all come back in the same moment. */
function backOff(failures, random) {
  if (failures === 0) return 0;
  const most = Math.min(500 * 2 ** (failures - 1), LONGEST_WAIT_MS);
  return (most + most * random) / 2;
}

/** Milliseconds until the next try; null: do not come back. `failures`: tries in a row, this one too, that did not last. */
export function waitAfter(code, reason, failures, random = Math.random()) {
  if (code === 4003 || code === 4004) return null;
  if (code === 4029) return (Number(/Retry-After: (\d+)/.exec(reason)?.[1]) || 30) * 1000;
  if (code === 1012) return random * RESTART_SPREAD_MS + backOff(failures, random);
  // 4001: whether there is a new token is for the next ticket to say.
  if ([4001, 4008, 4009].includes(code)) return backOff(failures, random);
  return backOff(failures + 1, random);
}

export class RoomSocket {
  #socket;
  #asked = 0;
  #answers = new Map();
  #isClosed = false;
  #isAsking = false;
  #failures = 0;
  #position;
  #beat;
  #deadline;

  /**
   * `onFrame(type, data)`, in order · `onOpen()`, each time · `onBreak()`: the line is down, it will come back ·
   * `onOver(reason)`: it will not · `onResync()`: too much was missed, read it anew. Only with `onResync` is it resumed where
   * it was · `onWire(direction, text)`: all that goes `in` or `out`. `words`: of one's own for 4001, 4003 and 4004. `token`: of
   * somebody else than who is signed in.
   */
  constructor(path, { words, ...options }) {
    Object.assign(this, { path, words: { ...WORDS, ...words }, ...options });
    addEventListener("online", this.#hurry);
    this.#connect();
  }

  #hurry = () => {
    if (this.#socket?.readyState > WebSocket.OPEN) this.#connect();
  };

  async #connect() {
    clearTimeout(this.retry);
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      // A ticket is good for one socket, so that no token stands in a URL.
      const { ticket } = await call("POST", "/auth/ws-ticket", undefined, { token: this.token });
      if (this.#isClosed) return;
      const url = new URL(`/api/v1${this.path}`, location.origin.replace(/^http/, "ws"));
      const resume = this.onResync && this.#position && { since: this.#position.seq, epoch: this.#position.epoch };
      url.search = new URLSearchParams({ ticket, heartbeat: "client", batch: "1", ...resume });
      this.#listen(new WebSocket(url));
    } catch (error) {
      if (error.code === "UNAUTHORIZED") this.#end(this.words[4001]);
      else if (error.code === "FORBIDDEN") this.#end(error.message);
      else this.#comeBack(error.retryAfterSeconds ? 4029 : 1006, `Retry-After: ${error.retryAfterSeconds}`);
    } finally {
      this.#isAsking = false;
    }
  }

  #listen(socket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      clearTimeout(this.#deadline);
      if (data === "pong") return;
      this.onWire?.("in", data);
      for (const frame of [JSON.parse(data)].flat()) this.#take(frame);
    };
    socket.onclose = ({ code, reason }) => this.#gone(socket, code, reason);
  }

  #gone(socket, code, reason) {
    clearInterval(this.#beat);
    clearTimeout(this.#deadline);
    for (const { reject } of this.#answers.values()) reject(new Refusal("OFFLINE", "The connection is gone."));
    this.#answers.clear();
    if (this.#socket === socket) this.#comeBack(code, reason);
  }

  #take(frame) {
    const { type, id, seq, data } = frame;
    if (type === "connected") return this.#connected(frame);
    if (type === "resync") {
      this.#position = data;
      return this.onResync?.();
    }
    const waiting = this.#answers.get(id);
    if (waiting) {
      this.#answers.delete(id);
      if (type === "ack") return waiting.resolve(data);
      return waiting.reject(new Refusal(frame.error.code, frame.error.message));
    }
    if (this.onResync && seq !== undefined) {
      if (seq <= this.#position.seq) return;
      this.#position.seq = seq;
    }
    this.onFrame(type, data);
  }

  #connected({ seq, epoch }) {
    const socket = this.#socket;
    // Later ones go on where the first has come to.
    this.#position ??= { seq, epoch };
    this.lastsFrom = Date.now() + LASTING_MS;
    this.#beat = setInterval(() => {
      socket.send("ping");
      this.#deadline = setTimeout(() => this.#lost(socket), ANSWER_WITHIN_MS);
    }, BEAT_MS);
    this.onOpen();
  }

  /** The line is dead. Its close event may take a minute, so it is not waited for. */
  #lost(socket) {
    socket.onclose = null;
    socket.onmessage = null;
    socket.close();
    this.#gone(socket, 4008, "");
  }

  /** Sends a command; resolves with its answer. Throws a Refusal. */
  ask(type, data = {}) {
    if (this.#socket?.readyState !== WebSocket.OPEN) {
      return Promise.reject(new Refusal("OFFLINE", "The connection is gone."));
    }
    this.#asked += 1;
    const id = this.#asked;
    const text = JSON.stringify({ type, id, data });
    this.#socket.send(text);
    this.onWire?.("out", text);
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

  #comeBack(code, reason) {
    if (this.#isClosed) return;
    this.#failures = Date.now() >= (this.lastsFrom ?? Number.POSITIVE_INFINITY) ? 0 : this.#failures + 1;
    this.lastsFrom = undefined;
    const wait = waitAfter(code, reason, this.#failures);
    if (wait === null) return this.#end(this.words[code]);
    this.onBreak();
    this.retry = setTimeout(() => this.#connect(), wait);
  }

  #end(reason) {
    if (this.#isClosed) return;
    this.close();
    this.onOver(reason);
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.retry);
    clearTimeout(this.#deadline);
    clearInterval(this.#beat);
    removeEventListener("online", this.#hurry);
    this.#socket?.close(1000);
  }
}
