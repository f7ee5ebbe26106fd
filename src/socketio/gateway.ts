import { DurableObject } from "cloudflare:workers";
import type { Addresses } from "./addresses.ts";
import type { Application, ClientSocket } from "./application.ts";
import { Engine } from "./engine.ts";
import type { EngineLayer, Report } from "./engine-layer.ts";
import type { EncodedEvent } from "./events.ts";
import { Handshake } from "./handshake.ts";
import type { EnginePacket } from "./packets.ts";
import { Peers } from "./peers.ts";
import { type ProtocolError, refuse } from "./protocol-errors.ts";
import type { Claim, Located, RecoveryPeer } from "./recovery.ts";
import type { KeptEvent } from "./replay.ts";
import type { EngineSettings, SocketSettings } from "./settings.ts";
import { SocketLayer } from "./socket-layer.ts";
import type { Work } from "./work.ts";

/** The Durable Object that holds Engine.IO sessions. Only our own Worker reaches it, through `serveSockets`. */
export abstract class EngineGateway<Env = Cloudflare.Env> extends DurableObject<Env> {
  private readonly engine: Engine;

  constructor(
    ctx: DurableObjectState,
    env: Env,
    { settings, layer, report }: { settings: EngineSettings; layer: EngineLayer; report: Report },
    beforeRestore: () => Promise<void> = async () => {},
  ) {
    super(ctx, env);
    this.engine = new Engine(ctx, settings, layer, report);
    ctx.blockConcurrencyWhile(async () => {
      await beforeRestore();
      await this.engine.restore();
    });
  }

  /** A long-polling handshake: the payload of its answer. */
  openPolling(sid: string, handshake: Handshake): string | { error: ProtocolError } {
    return this.engine.openPolling(sid, handshake);
  }

  /** A client's POST. */
  push(sid: string, body: string): "ok" | { error: ProtocolError } {
    return this.engine.push(sid, body);
  }

  /** What needs a WebSocket: `/open`, `/upgrade`, and `/poll`, a client's GET. */
  override fetch(request: Request): Response {
    const { pathname, searchParams } = new URL(request.url);
    const sid = searchParams.get("sid") ?? "";
    switch (pathname) {
      case "/open":
        return this.engine.openSocket(sid, Handshake.parse(JSON.parse(searchParams.get("handshake") ?? "null")));
      case "/upgrade":
        return this.engine.upgrade(sid);
      case "/poll":
        return this.engine.poll(sid);
      default:
        return refuse("BAD_REQUEST");
    }
  }

  override webSocketMessage(socket: WebSocket, frame: EnginePacket): void {
    this.engine.message(socket, frame);
  }

  override webSocketClose(socket: WebSocket): void {
    this.engine.disconnected(socket);
  }

  override webSocketError(socket: WebSocket): void {
    this.engine.disconnected(socket);
  }

  override alarm(): void {
    this.engine.tick();
  }
}

export interface SocketGatewayOptions {
  settings: SocketSettings;
  application: Application;
  /** Of this class's own namespace, with the same secret as in the Worker. */
  addresses: Addresses<SocketGateway>;
  report: Report;
}

/**
 * The Durable Object that holds Socket.IO clients. Rooms reach their members through `deliver` and `disconnect`, at
 * `addresses.stub(socket.gateway)`.
 */
export abstract class SocketGateway<Env = Cloudflare.Env> extends EngineGateway<Env> implements RecoveryPeer {
  private readonly layer: SocketLayer;

  constructor(ctx: DurableObjectState, env: Env, { settings, application, addresses, report }: SocketGatewayOptions) {
    const here = addresses.addressOf(ctx.id);
    const peers: Peers = new Peers(here, addresses, (at) => (at === here ? this : addresses.stub(at)));
    const layer = new SocketLayer(application, settings, peers, ctx.storage, report);
    super(ctx, env, { settings, layer, report }, () => layer.restoreLost());
    this.layer = layer;
  }

  /**
   * Sends events, encoded once with `encodeEvent`, to sockets of this gateway.
   *
   * @param options.volatile not kept for recovery, and dropped for who is not reachable now (typing, cursors)
   * @returns the ids that are not here: their clients are gone, and the room can forget them
   */
  deliver(socketIds: string[], events: EncodedEvent[], options: { volatile?: boolean } = {}): Promise<string[]> {
    return this.layer.deliver(socketIds, events, options.volatile ?? false);
  }

  /**
   * Puts sockets out of their namespaces with a disconnect packet: their clients do not come back by themselves.
   *
   * @param options.close ends the whole connection too
   * @returns the ids that are not here
   */
  disconnect(socketIds: string[], options: { close?: boolean } = {}): string[] {
    return this.layer.disconnect(socketIds, options.close ?? false);
  }

  /** Breaks connections off: their clients come back by themselves, as new ones, and have missed what was not delivered. */
  reset(socketIds: string[]): void {
    this.layer.reset(socketIds);
  }

  /** For a subclass: does something for a socket of this gateway, between two of its events. */
  protected inTurn(socketId: string, during: string, task: (socket: ClientSocket) => Work): void {
    this.layer.inTurn(socketId, during, task);
  }

  // --- Between gateways; see `RecoveryPeer` ---

  async locate(claim: Claim): Promise<Located | null> {
    return this.layer.locate(claim);
  }

  async surrender(pid: string, offset: string | null): Promise<KeptEvent[] | null> {
    return this.layer.surrender(pid, offset);
  }

  async moved(pid: string, to: string | null): Promise<void> {
    this.layer.recovery.point(pid, to);
  }
}
