import { z } from "zod";
import type { Application, ClientSocket, NamespaceRequest, ReceivedEvent } from "../../src/socketio/application.ts";
import { addressesFor } from "../../src/socketio/engine/addresses.ts";
import { EngineGateway } from "../../src/socketio/engine/gateway.ts";
import type { EngineLayer } from "../../src/socketio/engine/layer.ts";
import { serveSockets } from "../../src/socketio/engine/serve.ts";
import { SocketGateway } from "../../src/socketio/gateway.ts";
import { defaultSettings, type SocketSettings } from "../../src/socketio/settings.ts";

interface Env {
  ENGINE_ECHO: DurableObjectNamespace<EngineEcho>;
  SOCKET_ECHO: DurableObjectNamespace<SocketEcho>;
}

/** The numbers that the suites' tests count on. */
const settings: SocketSettings = {
  ...defaultSettings,
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
  receive: (session) => {
    session.keep();
    return {
      received: (data) => session.send(typeof data === "string" ? `4${data}` : data),
      closed: () => {},
      lasting: null,
      live: null,
    };
  },
};

export class EngineEcho extends EngineGateway<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, { settings, layer: echo, report });
  }
}

class EchoApplication implements Application<string> {
  readonly stateSchema = z.string();

  hasNamespace(namespace: string): boolean {
    return namespace === "/" || namespace === "/custom";
  }

  authenticate({ auth }: NamespaceRequest) {
    return { principal: "anyone", state: JSON.stringify(auth) };
  }

  connected(socket: ClientSocket<string>): void {
    socket.emit("auth", JSON.parse(socket.state));
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
