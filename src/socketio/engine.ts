import type { Packet } from "engine.io-parser";
import { Alarm } from "./alarm.ts";
import type { CloseReason, EngineLayer, Report } from "./engine-layer.ts";
import { EngineSession, type SessionHost } from "./engine-session.ts";
import type { Handshake } from "./handshake.ts";
import { beat, heardPong, isOverdue } from "./heartbeat.ts";
import { CLOSE, decodeBody, decodeFrame, type EnginePacket, messageData, NOOP, openPacket } from "./packets.ts";
import { Polling, payloadResponse } from "./polling.ts";
import { type ProtocolError, refuse } from "./protocol-errors.ts";
import { SessionSockets } from "./session-sockets.ts";
import { type Attachment, attachmentOf, SessionStore } from "./session-store.ts";
import type { EngineSettings } from "./settings.ts";
import { Upgrades } from "./upgrades.ts";
import type { Work } from "./work.ts";

/** How long the end of a polling session waits for a GET that the client sent before it, in milliseconds. */
const LEAVING_MS = 50;

/** The Engine.IO 4 sessions of one object. */
export class Engine implements SessionHost {
  private readonly sessions = new Map<string, EngineSession>();
  private readonly unsaved = new Set<EngineSession>();
  private readonly sockets: SessionSockets;
  private readonly store: SessionStore;
  private readonly polling: Polling;
  private readonly upgrades: Upgrades;
  private readonly alarm: Alarm;

  constructor(
    private readonly ctx: DurableObjectState,
    private readonly settings: EngineSettings,
    private readonly layer: EngineLayer,
    private readonly report: Report,
  ) {
    this.sockets = new SessionSockets(ctx);
    this.store = new SessionStore(ctx.storage, report);
    this.alarm = new Alarm(ctx.storage, report);
    this.polling = new Polling(this.sockets);
    this.upgrades = new Upgrades(this.sockets, this.polling, settings.upgradeTimeoutMs, (session) => {
      this.store.removeRow(session);
      this.changed(session);
    });
  }

  /** Rebuilds everything after hibernation. */
  async restore(): Promise<void> {
    for (const row of await this.store.pollingRows()) {
      const session = this.add(row.sid, row.handshake);
      session.restore(row.heartbeat, row.outbox);
      session.state = row.state;
      if (row.state === "open") this.layer.restored(session, row.layer);
    }
    for (const socket of this.ctx.getWebSockets()) {
      const attachment = attachmentOf(socket);
      if (attachment?.role === "transport") this.restoreTransport(socket, attachment);
      else if (attachment) this.restoreCompanion(socket, attachment);
      else this.sockets.dismiss(socket);
    }
    await this.alarm.restore();
  }

  // --- What the Worker asks for ---

  /** A long-polling handshake: the payload of its answer. */
  openPolling(sid: string, handshake: Handshake): string | { error: ProtocolError } {
    if (this.isFull) return { error: "UNAVAILABLE" };
    const session = this.open(sid, handshake, null);
    session.send(this.openingOf(sid, ["websocket"]));
    // The answer takes the first packet along, so that no row has to hold it.
    return session.takeOutbox();
  }

  openSocket(sid: string, handshake: Handshake): Response {
    if (this.isFull) return refuse("UNAVAILABLE");
    const { server, response } = this.sockets.accept();
    this.open(sid, handshake, server).send(this.openingOf(sid, []));
    return response;
  }

  /** A client's GET: answered at once if something waits for it. */
  poll(sid: string): Response {
    const session = this.pollingSession(sid);
    if (!session) return refuse("UNKNOWN_SID");
    if (session.state !== "open") {
      this.forget(session);
      return payloadResponse(session.takeOutbox());
    }
    if (session.poll) {
      session.close("transport error");
      return refuse("BAD_REQUEST");
    }
    if (!session.hasOutbox) return this.polling.park(session);
    const payload = session.takeOutbox();
    this.changed(session);
    return payloadResponse(payload);
  }

  /** A client's POST. */
  push(sid: string, body: string): "ok" | { error: ProtocolError } {
    const session = this.pollingSession(sid);
    if (session?.state !== "open") return { error: "UNKNOWN_SID" };
    for (const packet of decodeBody(body)) {
      const goesOn = this.takePacket(session, packet);
      if (!goesOn) return packet.type === "close" ? "ok" : { error: "BAD_REQUEST" };
    }
    return "ok";
  }

  /** A second transport for a session. */
  upgrade(sid: string): Response {
    const session = this.sessions.get(sid);
    return session?.state === "open" ? this.upgrades.start(session) : refuse("UNKNOWN_SID");
  }

  // --- What sockets bring ---

  message(socket: WebSocket, frame: EnginePacket): void {
    const role = this.sockets.roleOf(socket);
    this.alarm.ensure(this.settings.pingIntervalMs);
    if (role?.kind === "probe") this.upgrades.take(role.session, socket, frame);
    if (role?.kind !== "transport") return;
    role.session.hasSpoken = true;
    const size = typeof frame === "string" ? frame.length : frame.byteLength;
    if (size > this.settings.maxPayload) role.session.close("transport error");
    else this.takePacket(role.session, decodeFrame(frame));
  }

  disconnected(socket: WebSocket): void {
    const role = this.sockets.roleOf(socket);
    if (role?.kind === "probe") this.upgrades.end(role.session, socket);
    else if (role) role.session.close("transport close");
    else this.sockets.dismiss(socket);
  }

  /** False if the session ended with this packet. */
  private takePacket(session: EngineSession, packet: Packet): boolean {
    switch (packet.type) {
      case "message":
        this.keepAwake(this.layer.received(session, messageData(packet)), "a message");
        break;
      case "pong":
        heardPong(session, Date.now());
        break;
      case "close":
        this.leave(session);
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

  // --- Time ---

  /** The alarm: who did not answer the last ping is closed, the rest is pinged. */
  tick(): void {
    this.alarm.gone();
    const now = Date.now();
    for (const session of [...this.sessions.values()]) this.tickSession(session, now);
    this.layer.tick(now);
    const layerWakesAt = this.layer.wakesAt(now);
    if (this.sessions.size > 0) this.alarm.ensure(this.settings.pingIntervalMs);
    else if (layerWakesAt !== null) this.alarm.ensure(Math.max(layerWakesAt - now, this.settings.pingIntervalMs));
    else if (this.isOneSession) this.keepAwake(this.endObject(false), "clearing the storage");
  }

  private tickSession(session: EngineSession, now: number): void {
    this.upgrades.endIfOverdue(session, now);
    if (session.state !== "open") {
      if (isOverdue(session, now, this.settings)) this.forget(session);
    } else if (!beat(session, now, this.settings)) {
      session.close("ping timeout");
    }
  }

  // --- A session's life ---

  private open(sid: string, handshake: Handshake, transport: WebSocket | null): EngineSession {
    const session = this.add(sid, handshake);
    session.transport = transport;
    if (transport) this.sockets.assign(transport, "transport", session);
    this.alarm.ensure(this.settings.pingIntervalMs);
    this.layer.opened(session);
    this.changed(session);
    return session;
  }

  private add(sid: string, handshake: Handshake): EngineSession {
    const session = new EngineSession(sid, handshake, this);
    this.sessions.set(sid, session);
    return session;
  }

  private restoreTransport(socket: WebSocket, { session: record }: Extract<Attachment, { role: "transport" }>): void {
    const session = this.add(record.sid, record.handshake);
    session.restore(record.heartbeat);
    session.hasSpoken = record.hasSpoken;
    session.transport = socket;
    this.sockets.assign(socket, "transport", session);
    this.layer.restored(session, record.layer);
  }

  private restoreCompanion(socket: WebSocket, attachment: Exclude<Attachment, { role: "transport" }>): void {
    const session = this.sessions.get(attachment.sid);
    // Only polling sessions have companions, and those stand in rows, which were read first.
    if (session?.state !== "open") {
      this.sockets.dismiss(socket);
      return;
    }
    this.sockets.assign(socket, attachment.role, session);
    if (attachment.role === "poll") session.poll = socket;
    else session.probe = { socket, since: attachment.since, probed: attachment.probed };
  }

  changed(session: EngineSession): void {
    this.unsaved.add(session);
    // Once per event: a microtask runs before the object can take the next one, or sleep.
    if (this.unsaved.size === 1) queueMicrotask(() => this.settle());
  }

  close(session: EngineSession, reason: CloseReason): void {
    if (session.state !== "open") return;
    const mustLinger = session.isPolling && !session.poll && session.hasOutbox && reason === "forced server close";
    if (session.isPolling) session.conclude(CLOSE);
    if (session.poll) this.polling.answer(session, session.takeOutbox());
    this.endSession(session, reason, mustLinger ? "closing" : "closed");
  }

  /** The client says goodbye. A GET that it sent before may still be on its way, and is answered with nothing. */
  private leave(session: EngineSession): void {
    session.takeOutbox();
    const mustWait = session.isPolling && !session.poll;
    if (mustWait) {
      session.conclude(NOOP);
      this.store.removeRow(session);
      setTimeout(() => this.forget(session), LEAVING_MS);
    }
    this.polling.answer(session, NOOP);
    this.endSession(session, "transport close", mustWait ? "leaving" : "closed");
  }

  private endSession(session: EngineSession, reason: CloseReason, state: "closing" | "leaving" | "closed"): void {
    session.state = state;
    if (session.probe) this.upgrades.end(session, session.probe.socket);
    if (session.transport) this.sockets.dismiss(session.transport);
    this.keepAwake(this.layer.closed(session, reason), "a close");
    if (state === "closing") this.changed(session);
    if (state === "closed") this.forget(session);
  }

  private forget(session: EngineSession): void {
    session.state = "closed";
    if (!this.sessions.delete(session.sid)) return;
    this.store.removeRow(session);
    if (this.isOneSession) this.retire(session);
  }

  /** An object that served one session leaves nothing behind: an empty database is billed for 12 KB. */
  private retire({ isPolling, hasSpoken }: EngineSession): void {
    if (this.sessions.size > 0 || this.layer.wakesAt(Date.now()) !== null) return;
    this.alarm.gone();
    this.keepAwake(this.endObject(!isPolling && !hasSpoken), "clearing the storage");
  }

  private async endObject(mustAbort: boolean): Promise<void> {
    await this.ctx.storage.deleteAll();
    // workerd 1.20261117 keeps the connection of a client that never sent a frame open for another 10 s after a close.
    if (mustAbort && this.sessions.size === 0) this.ctx.abort("the session is over");
  }

  // --- Within ---

  private get isOneSession(): boolean {
    return this.settings.density.kind === "per-session";
  }

  private get isFull(): boolean {
    return this.sessions.size >= this.settings.maxSessions;
  }

  private openingOf(sid: string, upgrades: string[]): string {
    const { pingIntervalMs: pingInterval, pingTimeoutMs: pingTimeout, maxPayload } = this.settings;
    return openPacket({ sid, upgrades, pingInterval, pingTimeout, maxPayload });
  }

  private pollingSession(sid: string): EngineSession | null {
    const session = this.sessions.get(sid);
    if (!session?.isPolling) return null;
    this.alarm.ensure(this.settings.pingIntervalMs);
    if (session.state !== "open" || !isOverdue(session, Date.now(), this.settings)) return session;
    session.close("ping timeout");
    return null;
  }

  private settle(): void {
    const sessions = [...this.unsaved];
    this.unsaved.clear();
    for (const session of sessions) {
      if (session.state === "closed") continue;
      if (session.poll && session.hasOutbox) this.polling.answer(session, session.takeOutbox());
      this.store.save(session, session.state === "open" ? this.layer.record(session) : null);
    }
  }

  private keepAwake(work: Work, during: string): void {
    if (work) this.ctx.waitUntil(work.catch((error) => this.report(error, during)));
  }
}
