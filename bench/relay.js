/** The yardstick: objects that do nothing but pass messages on. No log, no check, no ack. */
import { DurableObject } from "cloudflare:workers";

class Relay extends DurableObject {
  sockets = new Set();

  fetch() {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    this.sockets.add(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  webSocketClose(socket) {
    this.sockets.delete(socket);
  }
}

/** Sends message by message. */
export class PlainRelay extends Relay {
  webSocketMessage(_socket, message) {
    for (const socket of this.sockets) socket.send(message);
  }
}

/** Gathers for a millisecond, and sends one array to each socket. */
export class ArrayRelay extends Relay {
  gathered = [];

  webSocketMessage(_socket, message) {
    if (this.gathered.push(message) === 1) setTimeout(() => this.flush(), 1);
  }

  flush() {
    const array = `[${this.gathered.join(",")}]`;
    this.gathered = [];
    for (const socket of this.sockets) socket.send(array);
  }
}

export default {
  fetch(request, env) {
    const [, kind, name] = new URL(request.url).pathname.split("/");
    const relays = kind === "array" ? env.ARRAY : env.PLAIN;
    return relays.getByName(name).fetch(request);
  },
};
