import { within } from "../platform/deadline.ts";
import type { LogMark, MemberMark } from "../realtime/fan-out.ts";
import type { Expulsion, PutOut } from "../realtime/gateways.ts";
import { GATEWAY_SLICE_SENDS, nextSlice } from "../realtime/send-slice.ts";
import type { Application } from "./application.ts";
import type { Addresses } from "./engine/addresses.ts";
import { EngineGateway } from "./engine/gateway.ts";
import type { Report } from "./engine/layer.ts";
import type { Claim } from "./lost-sockets.ts";
import { type EncodedEvent, SharedEvent } from "./packets.ts";
import { type Located, Peers, type RecoveryPeer, type Surrendered } from "./peers.ts";
import type { SocketSettings } from "./settings.ts";
import type { Socket } from "./socket.ts";
import { type Keeper, Sockets } from "./sockets.ts";
import { TaskQueue } from "./task-queue.ts";

export type SocketGatewayOptions = {
  settings: SocketSettings;
  application: Application;
  /** Of this class's own namespace, with the same secret as in the Worker. */
  addresses: Addresses<SocketGateway>;
  report: Report;
  keeper?: Keeper;
};

/** As FanOutGroup: of whatever sends events to sockets. */
type Batch = { socketIds: string[]; events: EncodedEvent[]; at: LogMark | null; as?: MemberMark };

/** Another gateway, which is waited for so long and no longer. @throws AppError UNAVAILABLE */
function inTime(peer: RecoveryPeer, seconds: number): RecoveryPeer {
  const call = <R>(work: () => Promise<R>) => within(seconds, "A gateway", work);
  return {
    locate: (claim) => call(() => peer.locate(claim)),
    surrender: (pid, offset) => call(() => peer.surrender(pid, offset)),
    moved: (pid, to) => call(() => peer.moved(pid, to)),
  };
}

/**
 * The Durable Object that holds Socket.IO clients. Rooms reach their members through `deliverBatches` and `putOut`, at
 * `addresses.stub(socket.gateway)`.
 */
export abstract class SocketGateway<Env = Cloudflare.Env> extends EngineGateway<Env> implements RecoveryPeer {
  readonly #sockets: Sockets;
  readonly #keeper: Keeper | undefined;
  readonly #deliveries = new TaskQueue();

  constructor(ctx: DurableObjectState, env: Env, options: SocketGatewayOptions) {
    const { settings, application, addresses, report, keeper } = options;
    const here = addresses.addressOf(ctx.id);
    const reach = (at: string) => (at === here ? this : inTime(addresses.stub(at), settings.answerSeconds));
    const peers: Peers = new Peers(here, addresses, reach);
    const layer = new Sockets({ application, settings, peers, storage: ctx.storage, report, keeper });
    super(ctx, env, { settings, layer, report });
    this.#sockets = layer;
    this.#keeper = keeper;
  }

  // ── RPC from rooms ────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * RPC: sends events, encoded once with `encodeEvent`, to groups of sockets of this gateway: each group in order, in
   * slices, one delivery after the other. Resolves when all are sent. `at`: where the events leave the sockets in an object's
   * log; `as`: as which members of an object they are meant: whose membership is over is sent nothing.
   *
   * @returns the ids that are not here: their clients are gone, and the room can forget them
   */
  async deliverBatches(batches: Batch[]): Promise<string[]> {
    const gone = new Set<string>();
    await Promise.all(batches.map((batch) => this.#deliveries.run(() => this.#deliver(batch, gone))));
    return [...gone];
  }

  async #deliver({ socketIds, events, at: mark, as }: Batch, gone: Set<string>): Promise<void> {
    const lost = new Map<SharedEvent[], Set<Socket>>();
    const shared = events.map(
      (event) => new SharedEvent(event, this.#sockets.recovers ? this.#sockets.nextOffset() : null),
    );
    for (const [index, id] of socketIds.entries()) {
      if (index > 0 && (index * events.length) % GATEWAY_SLICE_SENDS < events.length) await nextSlice();
      const socket = this.#sockets.get(id);
      if (!socket) gone.add(id);
      else if (!as || socket.memberships.isMember(as.object, as.joins[index] ?? 0)) {
        const taken = this.#hand(socket, shared, mark);
        if (!socket.client && taken.length > 0) lost.set(taken, (lost.get(taken) ?? new Set()).add(socket));
      }
    }
    const at = mark && { object: mark.object, position: { seq: mark.seq, epoch: mark.epoch } };
    for (const [taken, sockets] of lost) {
      const kept = taken.map(({ event, offset }) => ({ event, offset: offset ?? "" }));
      this.#sockets.lost.delivered([...sockets], kept, at);
    }
  }

  /** @returns what of it the socket had not had; nothing, if it has to come back for what is missing before */
  #hand(socket: Socket, shared: SharedEvent[], mark: LogMark | null): SharedEvent[] {
    const taken = mark ? socket.memberships.newIn(shared, mark) : shared;
    if (!taken) {
      this.#sockets.tear(socket);
      return [];
    }
    for (const event of taken) socket.deliver(event);
    if (mark && shared.length > 0) socket.memberships.moved(mark.object, { seq: mark.seq, epoch: mark.epoch });
    return taken;
  }

  /**
   * RPC: objects have ended memberships: a later one of the same socket is not meant. Whoever is not here has left, or is where
   * another gateway has joined anew for them. @param orders with what an expelled client is told
   */
  putOut(orders: (Omit<PutOut, "code" | "reason"> & { error: Expulsion })[]): void {
    for (const { object, members, how, error } of orders) {
      for (const { socketId, join } of members) {
        const socket = this.#sockets.get(socketId);
        if (!socket?.memberships.isMember(object, join)) continue;
        if (how === "disconnect") socket.disconnect(true);
        else if (how === "reset") this.#sockets.reset(socket);
        else this.#sockets.expel(socket, { object, join }, error);
      }
    }
  }

  /** Deletes such events from what is kept for clients that are away; see `LostSockets.forget`. */
  protected forgetKept(isMeant: (event: EncodedEvent) => boolean): Promise<void> {
    return this.#sockets.lost.forget(isMeant);
  }

  // ── RPC between gateways; see `RecoveryPeer` ──────────────────────────────────────────────────────────────────────

  /** RPC: finds a lost socket, also one whose old connection is still taken for alive: its client has just said otherwise. */
  async locate(claim: Claim): Promise<Located | null> {
    const { lost } = this.#sockets;
    const known = this.#sockets.withPid(claim.pid);
    if (known?.principal === claim.principal) {
      known.client?.session.close("transport close");
      // What the client did before it was lost counts, and comes before anything it does from its new gateway.
      await known.settled();
    }
    if (lost.get(claim.pid)) await this.#keeper?.settle();
    const movedTo = lost.pointer(claim.pid);
    if (movedTo !== null) return { movedTo };
    const socket = lost.claim(claim, Date.now());
    return socket && { id: socket.id, state: JSON.stringify(socket.state) };
  }

  /** RPC: gives a lost socket to the gateway that claimed it, once all deliveries that came before have reached it. */
  async surrender(pid: string, offset: string | null): Promise<Surrendered | null> {
    await this.#deliveries.settled();
    const { lost } = this.#sockets;
    const socket = lost.get(pid);
    if (!socket) return null;
    lost.drop(pid);
    this.#sockets.remove(socket);
    const missed = socket.replay?.since(offset);
    return missed ? { missed: [...missed], positions: socket.progress.positions } : null;
  }

  /** RPC: tells where the socket of a pid that was made here is now; null: it is gone, or back. */
  async moved(pid: string, to: string | null): Promise<void> {
    this.#sockets.lost.point(pid, to);
    this.sessions.timers.arm(Date.now());
  }
}
