import type { Packet } from "socket.io-parser";
import { z } from "zod";
import { randomSecret } from "../platform/digest.ts";
import type { MaybePromise } from "../platform/promise.ts";
import type { Application, Arrival, DisconnectReason } from "./application.ts";
import { Client, type ClientHost } from "./client.ts";
import type { CloseReason, EngineLayer, EngineSession, ReceiverRecord, Report } from "./engine/layer.ts";
import { Joining, type JoiningHost } from "./joining.ts";
import { type LostRow, LostSockets, type RecoverableReason } from "./lost-sockets.ts";
import type { Peers } from "./peers.ts";
import type { KeptEvent } from "./replay.ts";
import type { SocketSettings } from "./settings.ts";
import { Progress, Socket, type SocketHost, SocketRecord } from "./socket.ts";

const Lasting = z.object({ hasJoined: z.boolean(), sockets: z.array(SocketRecord) });
const Live = z.array(Progress);

/** Who knows what may be kept for clients that are away, and for how long. */
export type Keeper = {
  /** These events are stored from now on. */
  kept(events: readonly KeptEvent[]): void;
  /** Resolves once nothing is kept that must not be told any more. */
  settle(): Promise<void>;
};

type Options = {
  application: Application;
  settings: SocketSettings;
  peers: Peers;
  storage: DurableObjectStorage;
  report: Report;
  keeper: Keeper | undefined;
};

/** Socket.IO 5 on top of Engine.IO 4: the clients of one object, their sockets, and what the application is told of them. */
export class Sockets implements EngineLayer, ClientHost, SocketHost, JoiningHost {
  readonly application: Application;
  readonly peers: Peers;
  readonly lost: LostSockets;
  readonly report: Report;
  readonly #settings: SocketSettings;
  readonly #joining = new Joining(this);
  readonly #clients = new Set<Client>();
  /** By id; lost ones too. */
  readonly #sockets = new Map<string, Socket>();
  readonly #byPid = new Map<string, Socket>();
  // Offsets of one object's two lives must differ, or an old one could be taken for a new one.
  readonly #life = randomSecret(6);
  #offsets = 0;

  constructor({ application, settings, peers, storage, report, keeper }: Options) {
    this.application = application;
    this.peers = peers;
    this.report = report;
    this.#settings = settings;
    const expired = (socket: Socket, reason: DisconnectReason) => void this.end(socket, reason);
    const kept = keeper && ((events: readonly KeptEvent[]) => keeper.kept(events));
    this.lost = new LostSockets({ storage, report, graceMs: settings.recoveryMs, expired, kept });
  }

  get gateway(): string {
    return this.peers.here;
  }

  get connectTimeoutMs(): number {
    return this.#settings.connectTimeoutMs;
  }

  get recovers(): boolean {
    return this.#settings.recoveryMs > 0;
  }

  /** Unique in this gateway, so that all receivers of one event can share one. */
  nextOffset(): string {
    this.#offsets += 1;
    return `${this.#life}.${this.#offsets}`;
  }

  // ── Who is here ───────────────────────────────────────────────────────────────────────────────────────────────────

  get(id: string): Socket | undefined {
    return this.#sockets.get(id);
  }

  withPid(pid: string): Socket | undefined {
    return this.#byPid.get(pid);
  }

  add(socket: Socket): Socket {
    this.#sockets.set(socket.id, socket);
    if (socket.pid !== null) this.#byPid.set(socket.pid, socket);
    return socket;
  }

  remove(socket: Socket): void {
    if (this.has(socket)) this.#sockets.delete(socket.id);
    if (socket.pid !== null && this.#byPid.get(socket.pid) === socket) this.#byPid.delete(socket.pid);
  }

  has(socket: Socket): boolean {
    return this.#sockets.get(socket.id) === socket;
  }

  // ── Engine.IO ─────────────────────────────────────────────────────────────────────────────────────────────────────

  restore(): Promise<void> {
    return this.lost.restore((row) => this.#revive(row));
  }

  #revive({ handshake, socket, progress }: LostRow): Socket | null {
    try {
      return this.add(new Socket(this, handshake, socket, progress));
    } catch (error) {
      // Another version of this code wrote a state that this one cannot read. Its client begins anew.
      this.report(error, "reviving a lost socket");
      return null;
    }
  }

  receive(session: EngineSession, record?: ReceiverRecord): Client {
    const client = new Client(session, this);
    this.#clients.add(client);
    if (record) this.#restoreClient(client, record);
    else client.awaitFirstJoin();
    // Where a stranger may outlast the first ping, it is pinged like everybody; else its session costs no row.
    const { pingIntervalMs, connectTimeoutMs } = this.#settings;
    if (pingIntervalMs < connectTimeoutMs) session.keep();
    return client;
  }

  #restoreClient(client: Client, { lasting, live }: ReceiverRecord): void {
    try {
      const { hasJoined, sockets } = Lasting.parse(lasting);
      const progress = Live.parse(live);
      client.hasJoined = hasJoined;
      for (const [at, socketRecord] of sockets.entries()) {
        const socket = this.add(new Socket(this, client.session.handshake, socketRecord, progress[at]));
        client.restore(socket);
      }
    } catch (error) {
      this.report(error, "restoring a client");
      queueMicrotask(() => client.session.close("transport error"));
    }
  }

  tick(now: number): void {
    for (const client of [...this.#clients]) {
      if (client.isStale(now)) client.session.close("forced server close");
      for (const socket of [...client.sockets.values()]) {
        void socket.run("a check", () => this.application.checked?.(socket));
      }
    }
    this.lost.tick(now);
  }

  wakesAt(now: number): number | null {
    return this.lost.wakesAt(now);
  }

  // ── Coming ────────────────────────────────────────────────────────────────────────────────────────────────────────

  join(client: Client, namespace: string, packet: Packet): Promise<void> {
    return this.#joining.join(client, namespace, packet);
  }

  connected(socket: Socket, arrival: Arrival): MaybePromise {
    return socket.run("a connect", () => this.application.connected?.(socket, arrival));
  }

  // ── Going ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  leave(client: Client, socket: Socket): MaybePromise {
    client.remove(socket);
    return this.end(socket, "client namespace disconnect");
  }

  /** The application ended the socket. */
  left(socket: Socket, reason: DisconnectReason, closeConnection: boolean): void {
    const { client } = socket;
    if (!this.has(socket)) return;
    socket.sayGoodbye();
    client?.remove(socket);
    void this.end(socket, reason);
    if (closeConnection) client?.session.close("forced server close");
  }

  async closed(client: Client, reason: CloseReason): Promise<void> {
    this.#clients.delete(client);
    await Promise.all(Array.from(client.sockets.values(), (socket) => this.lose(socket, reason)));
  }

  /** The connection is gone, and its client may come back for it. */
  lose(socket: Socket, reason: CloseReason): MaybePromise {
    if (socket.pid === null || !isRecoverable(reason)) return this.end(socket, reason);
    socket.detach();
    this.lost.keep(socket, socket.pid, reason);
    return this.suspended(socket, reason);
  }

  suspended(socket: Socket, reason: DisconnectReason): MaybePromise {
    if (socket.pid !== null) this.lost.release(socket.pid);
    socket.joinedAt = null;
    return socket.run("a suspension", () => this.application.suspended?.(socket, reason));
  }

  /** The socket is gone for good. */
  end(socket: Socket, reason: DisconnectReason): MaybePromise {
    socket.detach();
    this.remove(socket);
    if (socket.pid !== null) this.lost.drop(socket.pid);
    return socket.run("a disconnect", async () => {
      await this.application.disconnected?.(socket, reason);
      if (socket.pid !== null) await this.peers.gone(socket.pid);
    });
  }

  /** Breaks the connection of a socket: its client comes back, and is given what it missed. */
  tear(socket: Socket): void {
    if (socket.pid === null) this.reset(socket);
    else socket.client?.session.close("transport error");
  }

  /** Ends a socket whose client is to come back, as a new one. */
  reset(socket: Socket): void {
    const { client } = socket;
    client?.remove(socket);
    void this.end(socket, "transport error");
    client?.session.close("transport error");
  }

  /** One of its memberships was ended, and it stays connected: it is told between two of its events. */
  expel(socket: Socket, { object, join }: { object: string; join: number }, error: { code: string; message: string }) {
    void socket.run("an expulsion", () => {
      // The answer to a newer join may have come meanwhile.
      if (socket.memberships.isMember(object, join)) return this.application.expelled?.(socket, object, error);
    });
  }

  changedWhileLost(socket: Socket, kept?: KeptEvent): void {
    if (socket.pid === null) return;
    if (kept) this.lost.delivered([socket], [kept], null);
    else this.lost.changed(socket.pid);
  }
}

function isRecoverable(reason: CloseReason): reason is RecoverableReason {
  return reason !== "parse error";
}
