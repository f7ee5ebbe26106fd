import type { Packet } from "socket.io-parser";
import { z } from "zod";
import { nextSlice, SLICE_SENDS } from "../realtime/send-slice.ts";
import type { Application, Arrival, ClientSocket, DisconnectReason } from "./application.ts";
import { Connection, type ConnectionHost } from "./connection.ts";
import type { CloseReason, EngineLayer, Report } from "./engine-layer.ts";
import type { EngineSession } from "./engine-session.ts";
import { type EncodedEvent, SharedPackets } from "./events.ts";
import { randomId } from "./ids.ts";
import { Joining, type JoiningHost } from "./joining.ts";
import type { EnginePacket } from "./packets.ts";
import type { Peers } from "./peers.ts";
import { type Claim, type Located, type LostRow, type RecoverableReason, Recovery } from "./recovery.ts";
import type { KeptEvent } from "./replay.ts";
import { assertRecordFits } from "./session-store.ts";
import type { SocketSettings } from "./settings.ts";
import { Socket, type SocketHost, SocketRecord } from "./socket.ts";
import { TaskQueue } from "./task-queue.ts";
import { Traffic } from "./traffic.ts";
import type { Work } from "./work.ts";

const LayerRecord = z.object({ sockets: z.array(SocketRecord), hasJoined: z.boolean() });

/** Events of one socket that may wait for the ones before them; a client that sends on regardless is cut off. */
const MAX_WAITING_EVENTS = 1000;

/** Socket.IO 5 on top of Engine.IO 4: connections, their sockets, and what the application is told of them. */
export class SocketLayer implements EngineLayer, ConnectionHost, SocketHost, JoiningHost {
  readonly recovery: Recovery;
  private readonly connections = new Map<EngineSession, Connection>();
  /** By socket id; lost ones too. */
  private readonly sockets = new Map<string, Socket>();
  // Offsets of one object's two lives must differ, or an old one could be taken for a new one.
  private readonly life = randomId().slice(0, 8);
  private offsets = 0;
  private readonly joining: Joining;
  private readonly deliveries = new TaskQueue();

  constructor(
    private readonly application: Application,
    private readonly settings: SocketSettings,
    private readonly peers: Peers,
    storage: DurableObjectStorage,
    private readonly report: Report,
  ) {
    this.joining = new Joining(application, peers, this, report);
    this.recovery = new Recovery(storage, report, settings.recoveryMs, (socket, reason) => this.end(socket, reason));
  }

  get gateway(): string {
    return this.peers.here;
  }

  get connectTimeoutMs(): number {
    return this.settings.connectTimeoutMs;
  }

  /** To be called before the engine's own restore. */
  restoreLost(): Promise<void> {
    return this.recovery.restore((row) => this.revive(row));
  }

  // --- For rooms ---

  /**
   * Sends events to sockets, in turns, one delivery after the other. Resolves, when all are sent, with the ids that are
   * not (or no longer) here.
   */
  async deliver(ids: readonly string[], events: readonly EncodedEvent[], isVolatile: boolean): Promise<string[]> {
    const unknown: string[] = [];
    await this.deliveries.run(async () => {
      const shared = events.map((event) => new SharedPackets(event, this.recovers ? this.nextOffset() : null));
      for (const [at, id] of ids.entries()) {
        if (at > 0 && (at * events.length) % SLICE_SENDS < events.length) await nextSlice();
        const socket = this.sockets.get(id);
        if (!socket) unknown.push(id);
        else if (isVolatile) for (const event of events) socket.send(event, { volatile: true });
        else for (const one of shared) socket.deliver(one.event, one.offset, () => one.packetsIn(socket.namespace));
      }
    });
    return unknown;
  }

  disconnect(ids: readonly string[], closeConnection: boolean): string[] {
    const unknown: string[] = [];
    for (const id of ids) {
      const socket = this.sockets.get(id);
      if (socket) this.left(socket, "server namespace disconnect", closeConnection);
      else unknown.push(id);
    }
    return unknown;
  }

  /** Finds a lost socket, also one whose old connection is still taken for alive: its client has just said otherwise. */
  async locate(claim: Claim): Promise<Located | null> {
    for (const { pid, principal, session, tasks } of [...this.sockets.values()]) {
      if (pid !== claim.pid || principal !== claim.principal) continue;
      session?.close("transport close");
      // What the client did before it was lost counts, and comes before anything it does from its new place.
      await tasks.settled();
    }
    return this.recovery.locate(claim, Date.now());
  }

  surrender(pid: string, offset: string | null): KeptEvent[] | null {
    const given = this.recovery.surrender(pid, offset);
    if (given) this.sockets.delete(given.socket.id);
    return given?.missed ?? null;
  }

  /**
   * Breaks connections off, and keeps nothing for them: their clients come back by themselves, and as new ones.
   */
  reset(ids: readonly string[]): void {
    for (const id of ids) {
      const socket = this.sockets.get(id);
      if (!socket) continue;
      const { session } = socket;
      if (session) this.connections.get(session)?.remove(socket);
      if (socket.pid !== null) this.recovery.drop(socket.pid);
      void this.end(socket, "transport error");
      session?.close("transport error");
    }
  }

  /** Does something for a socket, if it is here, in its turn: between two of its events. */
  inTurn(id: string, during: string, task: (socket: ClientSocket) => Work): void {
    const socket = this.sockets.get(id);
    if (socket) void this.run(socket, during, () => task(socket));
  }

  // --- EngineLayer ---

  opened(session: EngineSession): void {
    this.connect(session).awaitFirstJoin();
  }

  restored(session: EngineSession, value: unknown): void {
    const { sockets, hasJoined } = LayerRecord.parse(value);
    const connection = this.connect(session);
    connection.hasJoined = hasJoined;
    for (const record of sockets) {
      const socket = new Socket(record, session.handshake, connection.traffic, session, this);
      connection.sockets.set(socket.namespace, socket);
      this.sockets.set(socket.id, socket);
    }
  }

  record(session: EngineSession): z.infer<typeof LayerRecord> {
    const connection = this.connections.get(session);
    const sockets = Array.from(connection?.sockets.values() ?? [], (socket) => socket.record);
    return { sockets, hasJoined: connection?.hasJoined ?? false };
  }

  received(session: EngineSession, data: EnginePacket): Work {
    return this.connections.get(session)?.received(data);
  }

  async closed(session: EngineSession, reason: CloseReason): Promise<void> {
    const connection = this.connections.get(session);
    if (!connection) return;
    this.connections.delete(session);
    connection.end();
    await Promise.all(Array.from(connection.sockets.values(), (socket) => this.lose(socket, reason)));
  }

  tick(now: number): void {
    for (const [session, connection] of [...this.connections]) {
      if (connection.isStale(now)) session.close("forced server close");
      for (const socket of [...connection.sockets.values()]) {
        void this.run(socket, "a check", () => this.application.checked?.(socket));
      }
    }
    this.recovery.tick(now);
  }

  wakesAt(now: number): number | null {
    return this.recovery.wakesAt(now);
  }

  // --- ConnectionHost ---

  join(connection: Connection, namespace: string, packet: Packet): Promise<void> {
    return this.joining.join(connection, namespace, packet);
  }

  leave(connection: Connection, socket: Socket): Work {
    connection.remove(socket);
    return this.end(socket, "client namespace disconnect");
  }

  event(socket: Socket, packet: Packet): Work {
    if (socket.tasks.length >= MAX_WAITING_EVENTS) return socket.session?.close("transport error");
    const event = socket.eventOf(packet);
    return this.run(socket, "an event", () => this.application.received(socket, event));
  }

  // --- SocketHost ---

  /** Unique in this gateway, so that all receivers of one event can share one. */
  nextOffset(): string {
    this.offsets += 1;
    return `${this.life}.${this.offsets}`;
  }

  left(socket: Socket, reason: DisconnectReason, closeConnection: boolean): void {
    const { session } = socket;
    if (!session && !this.sockets.has(socket.id)) return;
    socket.sayGoodbye();
    if (session) this.connections.get(session)?.remove(socket);
    if (socket.pid !== null) this.recovery.drop(socket.pid);
    void this.end(socket, reason);
    if (closeConnection) session?.close("forced server close");
  }

  kept(socket: Socket): void {
    if (socket.pid !== null) this.recovery.changed(socket.pid);
  }

  assertFits({ session }: Socket): void {
    if (session) assertRecordFits(session, this.record(session));
  }

  // --- JoiningHost ---

  get recovers(): boolean {
    return this.settings.recoveryMs > 0;
  }

  add(connection: Connection, record: SocketRecord, { held } = { held: false }): Socket {
    const { session, traffic } = connection;
    const socket = new Socket(record, session.handshake, traffic, session, this);
    if (held) socket.hold();
    // A lost socket of this gateway keeps its place until it is taken: what comes before that, its client has missed.
    if (!this.sockets.has(socket.id)) this.sockets.set(socket.id, socket);
    connection.add(socket);
    return socket;
  }

  replace(socket: Socket): void {
    this.sockets.set(socket.id, socket);
  }

  arrived(socket: Socket, arrival: Arrival): Work {
    return this.run(socket, "a connect", () => this.application.connected?.(socket, arrival));
  }

  abandon(socket: Socket): Work {
    return this.end(socket, "transport error");
  }

  // --- Within ---

  private connect(session: EngineSession): Connection {
    const connection = new Connection(session, this);
    this.connections.set(session, connection);
    return connection;
  }

  private revive(row: LostRow): Socket {
    const socket = new Socket(row.socket, row.handshake, new Traffic(), null, this);
    this.sockets.set(socket.id, socket);
    return socket;
  }

  // --- Going ---

  private lose(socket: Socket, reason: CloseReason): Work {
    // One that is being resumed is ended by `resume`, which alone knows what its old gateway still has.
    if (socket.isHeld) return;
    if (socket.pid === null || !isRecoverable(reason)) return this.end(socket, reason);
    socket.session = null;
    socket.failRequests();
    this.recovery.keep(socket, socket.pid, reason);
    return this.run(socket, "a suspension", () => this.application.suspended?.(socket, reason));
  }

  private end(socket: Socket, reason: DisconnectReason): Work {
    socket.session = null;
    socket.failRequests();
    if (this.sockets.get(socket.id) === socket) this.sockets.delete(socket.id);
    return this.run(socket, "a disconnect", async () => {
      await this.application.disconnected?.(socket, reason);
      await this.releasePointer(socket);
    });
  }

  private async releasePointer({ pid }: Socket): Promise<void> {
    const home = pid === null ? null : await this.peers.homeOf(pid);
    if (pid !== null && home !== null && home !== this.peers.here) await this.peers.at(home).moved(pid, null);
  }

  private run(socket: Socket, during: string, task: () => Work): Work {
    return socket.tasks.run(task)?.catch((error) => this.report(error, during));
  }
}

function isRecoverable(reason: CloseReason): reason is RecoverableReason {
  return reason !== "parse error";
}
