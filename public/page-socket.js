/**
 * A socket as these pages use it: @roomcast/client, opened by tickets of whoever is signed in, with words for why it is over.
 * A command is for the connection that there is: what was asked while the line is down is refused at once, not sent later.
 */
import { call, Refusal } from "/api.js";
import { RoomcastError, RoomcastSocket } from "/client/socket.js";

const WORDS = { 4001: "You are signed out.", 4003: "You may not take part here.", 4004: "There is no such room." };

/** As the browser's, and tells all that goes over it. */
const heard = (onWire) =>
  class extends WebSocket {
    constructor(...address) {
      super(...address);
      this.addEventListener("message", ({ data }) => data !== "pong" && onWire("in", data));
    }

    send(text) {
      if (text !== "ping") onWire("out", text);
      super.send(text);
    }
  };

export class PageSocket {
  #socket;
  #words;

  /**
   * `path`, `params`: as the contract writes them · `on`: listeners by frame type · `onOpen()`, each time · `onBreak()`: the line
   * is down, it will come back · `onOver(reason)`: it will not · `onResync()`: too much was missed, read it anew ·
   * `onWire(direction, text)`: all that goes `in` or `out`. `words`: of one's own for 4001, 4003 and 4004. `token`: of somebody
   * else than who is signed in.
   */
  constructor(path, { params, on, onOpen, onBreak, onOver, onResync, onWire, words, token }) {
    this.#words = { ...WORDS, ...words };
    let refusal = "";
    this.#socket = new RoomcastSocket({
      url: location.origin,
      socket: path,
      params,
      ticket: () => ticketFor(token),
      onResync,
      onStatus: (status, why) => {
        if (status === "open") onOpen();
        else if (status === "waiting") onBreak();
        else if (status === "closed" && why.code !== 1000) onOver(this.#words[why.code] ?? refusal);
      },
      onError: (error) => {
        refusal = error.message;
      },
      ...(onWire && { WebSocket: heard(onWire) }),
    });
    for (const [type, listener] of Object.entries(on)) this.#socket.on(type, listener);
  }

  /** Sends a command; resolves with its answer. Throws a Refusal. */
  async ask(type, data = {}) {
    if (this.#socket.status !== "open") throw new Refusal("OFFLINE", "The connection is gone.");
    try {
      return await this.#socket.send(type, data);
    } catch (error) {
      const isLost = ["CONNECTION_LOST", "TIMEOUT", "CLOSED"].includes(error.code);
      throw new Refusal(isLost ? "OFFLINE" : error.code, error.message);
    }
  }

  close() {
    this.#socket.close();
  }
}

/** A ticket is good for one socket, so that no token stands in a URL. */
async function ticketFor(token) {
  try {
    return (await call("POST", "/auth/ws-ticket", undefined, { token })).ticket;
  } catch (error) {
    // Only the service's own refusal ends the socket.
    if (error.code === "OFFLINE") throw error;
    throw new RoomcastError(error.code, error.message, { retryAfterSeconds: error.retryAfterSeconds });
  }
}
