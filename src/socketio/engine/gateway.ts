import { DurableObject } from "cloudflare:workers";
import type { Packet } from "engine.io-parser";
import { CLOSE as CODES } from "../../errors.ts";
import { Version } from "../../platform/version.ts";
import { decodeFrame, decodePolling, type EncodedPacket, messageIn, openPacket } from "../packets.ts";
import { HANDSHAKE_HEADER, Handshake, VERSION_HEADER } from "./handshake.ts";
import { payloadResponse } from "./polling.ts";
import { type ProtocolError, refuse } from "./refusals.ts";
import type { Session } from "./session.ts";
import { type EngineOptions, Sessions } from "./sessions.ts";

/** Packets of a client that has not been let in: to ask for it takes one, and it may be refused ten times. */
const STRANGER_PACKETS = 50;

/** The Durable Object that holds Engine.IO 4 sessions. Only our own Worker reaches it, through `serveSockets`. */
export abstract class EngineGateway<Env = Cloudflare.Env> extends DurableObject<Env> {
  protected readonly sessions: Sessions;

  constructor(ctx: DurableObjectState, env: Env, options: EngineOptions) {
    super(ctx, env);
    this.sessions = new Sessions(ctx, options);
    void ctx.blockConcurrencyWhile(() => this.sessions.restore());
  }

  // ── What the Worker asks for ──────────────────────────────────────────────────────────────────────────────────────

  /** RPC: a long-polling handshake. @returns the payload of its answer */
  openPolling(sid: string, handshake: Handshake, version?: Version): string | { error: ProtocolError } {
    if (this.sessions.isFull || !this.admits(version)) return { error: "UNAVAILABLE" };
    const session = this.sessions.open(sid, handshake, null);
    session.send(this.#openingOf(sid, ["websocket"]));
    // The answer takes the first packet along, so that no row has to hold it.
    return session.takeOutbox();
  }

  /** What needs a WebSocket: `/open`, `/upgrade`, and `/poll`, a client's GET. */
  override fetch(request: Request): Response {
    const { pathname, searchParams } = new URL(request.url);
    const sid = searchParams.get("sid") ?? "";
    if (pathname === "/poll") return this.#poll(sid);
    if (pathname === "/upgrade") return this.#upgrade(sid);
    if (pathname !== "/open") return refuse("BAD_REQUEST");
    const read = (header: string): unknown => JSON.parse(decodeURIComponent(request.headers.get(header) ?? "null"));
    if (!this.admits(Version.nullable().parse(read(VERSION_HEADER)) ?? undefined)) return refuse("UNAVAILABLE");
    return this.#openSocket(sid, Handshake.parse(read(HANDSHAKE_HEADER)));
  }

  /** A client arrives from a Worker of this version. False: the object is beginning anew, and takes nobody in. */
  protected admits(_version?: Version): boolean {
    return true;
  }

  #openSocket(sid: string, handshake: Handshake): Response {
    if (this.sessions.isFull) return refuse("UNAVAILABLE");
    const { server, response } = this.sessions.sockets.accept();
    const session = this.sessions.open(sid, handshake, server);
    session.send(this.#openingOf(sid, []));
    session.touched();
    return response;
  }

  #openingOf(sid: string, upgrades: string[]): string {
    const { pingIntervalMs: pingInterval, pingTimeoutMs: pingTimeout, maxPayload } = this.sessions.settings;
    return openPacket({ sid, upgrades, pingInterval, pingTimeout, maxPayload });
  }

  /** A client's GET: answered at once if something waits for it. */
  #poll(sid: string): Response {
    const session = this.sessions.polling(sid);
    if (!session) return refuse("UNKNOWN_SID");
    if (session.state !== "open") {
      this.sessions.forget(session);
      return payloadResponse(session.takeOutbox());
    }
    if (session.poll) {
      session.close("transport error");
      return refuse("BAD_REQUEST");
    }
    if (session.outbox.length === 0) return this.sessions.polls.park(session);
    const payload = session.takeOutbox();
    session.touched();
    return payloadResponse(payload);
  }

  /** A second transport for a session. */
  #upgrade(sid: string): Response {
    const session = this.sessions.get(sid);
    return session?.state === "open" ? this.sessions.upgrades.start(session) : refuse("UNKNOWN_SID");
  }

  /** RPC: a client's POST, which the Worker has measured. */
  push(sid: string, body: string): "ok" | { error: ProtocolError } {
    const session = this.sessions.polling(sid);
    if (session?.state !== "open") return { error: "UNKNOWN_SID" };
    for (const packet of decodePolling(body)) {
      const data = messageIn(packet);
      if (!this.#admits(session, typeof data === "string" ? data.length : data.byteLength)) {
        return { error: "TOO_MANY_REQUESTS" };
      }
      const goesOn = this.#take(session, packet);
      if (!goesOn) return packet.type === "close" ? "ok" : { error: "BAD_REQUEST" };
    }
    return "ok";
  }

  // ── What sockets bring ────────────────────────────────────────────────────────────────────────────────────────────

  override webSocketMessage(socket: WebSocket, frame: EncodedPacket): void {
    const role = this.sessions.sockets.roleOf(socket);
    if (role?.kind === "probe") this.sessions.upgrades.take(role.session, socket, frame);
    if (role?.kind !== "transport") return;
    role.session.hasSpoken = true;
    const size = typeof frame === "string" ? frame.length : frame.byteLength;
    if (this.#admits(role.session, size)) this.#take(role.session, decodeFrame(frame));
  }

  override webSocketClose(socket: WebSocket): void {
    const role = this.sessions.sockets.roleOf(socket);
    if (role?.kind === "probe") this.sessions.upgrades.end(role.session, socket);
    else if (role) role.session.close("transport close");
    else this.sessions.sockets.dismiss(socket);
    this.sessions.socketEnded(socket);
  }

  override webSocketError(socket: WebSocket): void {
    this.webSocketClose(socket);
  }

  /** Counts a packet, before it is looked at. One too large, or too many, ends the session. */
  #admits(session: Session, size: number): boolean {
    const { maxPacket, maxPacketsPerMinute } = this.sessions.settings;
    session.traffic.count(size);
    const most = session.isKept ? maxPacketsPerMinute : STRANGER_PACKETS;
    if (size > maxPacket) session.close("transport error", CODES.tooBig);
    else if (session.traffic.packets > most) session.close("transport error", CODES.rateLimit);
    return session.state === "open";
  }

  /** False if the session ended with this packet. */
  #take(session: Session, packet: Packet): boolean {
    switch (packet.type) {
      case "message":
        this.sessions.follow(session.receiver?.received(messageIn(packet)), "a message");
        break;
      case "pong":
        session.heardPong(Date.now());
        break;
      case "close":
        this.sessions.leave(session);
        break;
      case "upgrade":
      case "noop":
        break;
      default:
        // Pings come from the server in protocol 4, and an unreadable packet says that the two sides have lost each other.
        session.close(packet.type === "error" ? "parse error" : "transport error");
    }
    return session.state === "open";
  }

  override alarm(): Promise<void> {
    return this.sessions.ring(Date.now());
  }
}
