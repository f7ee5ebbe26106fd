import { addressesFor } from "../../src/socketio/addresses.ts";
import type { Application, ClientSocket, ConnectRequest, ReceivedEvent } from "../../src/socketio/application.ts";
import type { EngineLayer } from "../../src/socketio/engine-layer.ts";
import { EngineGateway, SocketGateway } from "../../src/socketio/gateway.ts";
import { serveSockets } from "../../src/socketio/routes.ts";
import type { SocketSettings } from "../../src/socketio/settings.ts";

interface Env {
  ENGINE_ECHO: DurableObjectNamespace<EngineEcho>;
  SOCKET_ECHO: DurableObjectNamespace<SocketEcho>;
}

/** The numbers that the suites' tests count on. */
const settings: SocketSettings = {
  pingIntervalMs: 300,
  pingTimeoutMs: 200,
  maxPayload: 1_000_000,
  upgradeTimeoutMs: 10_000,
  connectTimeoutMs: 1000,
  recoveryMs: 0,
  maxSessions: 10_000,
  density: { kind: "per-session" },
};

const SECRET = "conformance";

function report(error: unknown, during: string): void {
  console.error(during, error);
}

const echo: EngineLayer = {
  received: (session, data) => session.send(typeof data === "string" ? `4${data}` : data),
  opened: () => {},
  restored: () => {},
  closed: () => {},
  record: () => null,
  tick: () => {},
  wakesAt: () => null,
};

export class EngineEcho extends EngineGateway<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, { settings, layer: echo, report });
  }
}

class EchoApplication implements Application {
  hasNamespace(namespace: string): boolean {
    return namespace === "/" || namespace === "/custom";
  }

  authenticate({ auth }: ConnectRequest) {
    return { principal: "anyone", state: JSON.stringify(auth) };
  }

  connected(socket: ClientSocket): void {
    socket.emit("auth", JSON.parse(String(socket.state)));
  }

  received(socket: ClientSocket, { name, args, ack }: ReceivedEvent): void {
    if (name === "message") socket.emit("message-back", ...args);
    if (name === "message-with-ack") ack?.(...args);
  }
}

export class SocketEcho extends SocketGateway<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    const addresses = addressesFor(env.SOCKET_ECHO, settings.density, SECRET);
    super(ctx, env, { settings, application: new EchoApplication(), addresses, report });
  }
}

export default {
  fetch(request, env) {
    const shared = { settings, allowsOrigin: () => true };
    const { pathname } = new URL(request.url);
    if (pathname === "/engine.io/") {
      return serveSockets(request, { ...shared, addresses: addressesFor(env.ENGINE_ECHO, settings.density, SECRET) });
    }
    if (pathname === "/socket.io/") {
      return serveSockets(request, { ...shared, addresses: addressesFor(env.SOCKET_ECHO, settings.density, SECRET) });
    }
    return new Response("not found", { status: 404 });
  },
} satisfies ExportedHandler<Env>;
