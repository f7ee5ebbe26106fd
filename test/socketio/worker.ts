import { addressesFor } from "../../src/socketio/engine/addresses.ts";
import { serveSockets } from "../../src/socketio/engine/serve.ts";
import type { SocketGateway as Gateway } from "../../src/socketio/gateway.ts";
import { SocketGateway } from "../../src/socketio/gateway.ts";
import { type Density, defaultSettings, type SocketSettings } from "../../src/socketio/settings.ts";
import { LabApplication } from "./support/application.ts";
import { LabRoom } from "./support/room.ts";

export { LabRoom };

export interface LabEnv {
  SHARDS: DurableObjectNamespace<ShardGateway>;
  SINGLES: DurableObjectNamespace<SingleGateway>;
  LAB_ROOMS: DurableObjectNamespace<LabRoom>;
  PING_INTERVAL_MS: string;
  PING_TIMEOUT_MS: string;
  RECOVERY_MS: string;
  CONNECT_TIMEOUT_MS: string;
}

const SECRET = "lab secret";

function settingsOf(env: LabEnv, density: Density): SocketSettings {
  return {
    ...defaultSettings,
    pingIntervalMs: Number(env.PING_INTERVAL_MS),
    pingTimeoutMs: Number(env.PING_TIMEOUT_MS),
    maxPayload: 100_000,
    maxPacket: 100_000,
    upgradeTimeoutMs: 2000,
    connectTimeoutMs: Number(env.CONNECT_TIMEOUT_MS),
    recoveryMs: Number(env.RECOVERY_MS),
    maxSessions: 1000,
    density,
  };
}

function report(error: unknown, during: string): void {
  console.error(during, error);
}

const SHARDED: Density = { kind: "shards", perRegion: 1 };
const SINGLE: Density = { kind: "per-session" };

function optionsFor(env: LabEnv, density: Density, namespace: DurableObjectNamespace<Gateway>) {
  const settings = settingsOf(env, density);
  const addresses = addressesFor(namespace, density, SECRET);
  return { settings, addresses, report, application: new LabApplication(env.LAB_ROOMS) };
}

export class ShardGateway extends SocketGateway<LabEnv> {
  constructor(ctx: DurableObjectState, env: LabEnv) {
    super(ctx, env, optionsFor(env, SHARDED, env.SHARDS));
  }
}

export class SingleGateway extends SocketGateway<LabEnv> {
  constructor(ctx: DurableObjectState, env: LabEnv) {
    super(ctx, env, optionsFor(env, SINGLE, env.SINGLES));
  }
}

function serve(request: Request, env: LabEnv, density: Density, namespace: DurableObjectNamespace<Gateway>) {
  return serveSockets(request, {
    addresses: addressesFor(namespace, density, SECRET),
    settings: settingsOf(env, density),
    allowsOrigin: (origin) => origin === "https://app.example",
    allowsHandshake: (handshake) => !new URL(handshake.url).searchParams.has("flood"),
  });
}

export default {
  fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/socket.io/") return serve(request, env, SHARDED, env.SHARDS);
    if (pathname === "/single/") return serve(request, env, SINGLE, env.SINGLES);
    return new Response("not found", { status: 404 });
  },
} satisfies ExportedHandler<LabEnv>;
