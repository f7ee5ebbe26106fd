import type { Packet } from "socket.io-parser";
import { randomSecret } from "../platform/digest.ts";
import type { MaybePromise } from "../platform/promise.ts";
import {
  type Arrival,
  type DisconnectReason,
  type Identity,
  type Membership,
  type Position,
  Refusal,
} from "./application.ts";
import type { Client } from "./client.ts";
import type { CloseReason } from "./engine/layer.ts";
import type { Claim, LostSockets } from "./lost-sockets.ts";
import { type LostElsewhere, type Peers, ResumeRequest } from "./peers.ts";
import { type KeptEvent, MAX_EVENTS, Replay } from "./replay.ts";
import { Socket, type SocketHost } from "./socket.ts";

/** What `Joining` needs of those who keep the sockets. */
export interface JoiningHost extends SocketHost {
  readonly recovers: boolean;
  readonly peers: Peers;
  readonly lost: LostSockets;
  add(socket: Socket): Socket;
  has(socket: Socket): boolean;
  connected(socket: Socket, arrival: Arrival): MaybePromise;
  suspended(socket: Socket, reason: DisconnectReason): MaybePromise;
  lose(socket: Socket, reason: CloseReason): MaybePromise;
  end(socket: Socket, reason: DisconnectReason): MaybePromise;
}

/** Lets clients into namespaces: anew, or as the socket that they lost. */
export class Joining {
  readonly #sockets: JoiningHost;

  constructor(sockets: JoiningHost) {
    this.#sockets = sockets;
  }

  async join(client: Client, namespace: string, { data }: Packet): Promise<void> {
    client.joining.add(namespace);
    try {
      const auth: Record<string, unknown> = { ...data };
      const identity = await this.#authenticate(client, namespace, auth);
      if (!identity || client.isOver) return;
      const isBack = await this.#resume(client, namespace, auth, identity);
      if (!isBack && !client.isOver) await this.#welcome(client, namespace, identity);
    } finally {
      client.joining.delete(namespace);
    }
  }

  async #authenticate(client: Client, namespace: string, auth: Record<string, unknown>): Promise<Identity | null> {
    const { application } = this.#sockets;
    if (!application.hasNamespace(namespace)) {
      client.refuse(namespace, { message: "Invalid namespace" });
      return null;
    }
    try {
      return await application.authenticate({ namespace, auth, handshake: client.session.handshake });
    } catch (error) {
      if (!(error instanceof Refusal)) this.#sockets.report(error, "authentication");
      client.refuse(namespace, error instanceof Refusal ? explain(error) : { message: "INTERNAL_ERROR" });
      return null;
    }
  }

  async #welcome(client: Client, namespace: string, { principal, state }: Identity): Promise<void> {
    const { recovers, peers } = this.#sockets;
    const pid = recovers ? await peers.newPid() : null;
    if (client.isOver) return;
    const record = { id: randomSecret(15), namespace, principal, state, pid };
    const socket = this.#sockets.add(new Socket(this.#sockets, client.session.handshake, record));
    client.add(socket);
    socket.attach(client);
    await this.#sockets.connected(socket, { recovered: false, identity: { principal, state } });
  }

  // ── Back from a lost connection ───────────────────────────────────────────────────────────────────────────────────

  /** @returns whether the client goes on with what it had, or has left meanwhile; else it begins anew */
  async #resume(client: Client, namespace: string, auth: unknown, identity: Identity): Promise<boolean> {
    const asked = this.#sockets.recovers ? ResumeRequest.safeParse(auth).data : undefined;
    if (!asked) return false;
    const { pid, offset = null } = asked;
    const claim = { pid, offset, namespace, principal: identity.principal };
    try {
      const found = await this.#sockets.peers.locate(claim);
      // Nobody was told of this attempt if the client has left, so that one after the claim can still have it all.
      if (!found || client.isOver) return found !== null;
      if (found !== "here") return await this.#resumeFrom(found, client, claim, identity);
      const socket = this.#sockets.lost.get(pid);
      return socket ? await this.#resumeHere(socket, client, claim, identity) : false;
    } catch (error) {
      // A recovery that fails is only a connect without history.
      this.#sockets.report(error, "a recovery");
      return false;
    }
  }

  /** Until its client has it again the socket stays as it is: what it is sent is kept with what was missed. */
  async #resumeHere(socket: Socket, client: Client, { pid, offset }: Claim, identity: Identity): Promise<boolean> {
    const { lost } = this.#sockets;
    socket.joinedAt = new Map();
    await this.#sockets.connected(socket, { recovered: true, identity });
    const isWhole = lost.get(pid) === socket && (await this.#catchUp(socket));
    // Somebody may have ended it, or put it out.
    if (lost.get(pid) !== socket) return false;
    if (!isWhole || !socket.replay?.since(offset)) {
      await this.#sockets.end(socket, "transport error");
      return false;
    }
    if (client.isOver) {
      await this.#sockets.suspended(socket, "transport close");
      return true;
    }
    // Nothing is awaited from here on: no delivery finds the socket in between.
    lost.drop(pid);
    client.add(socket);
    socket.attach(client, offset);
    return true;
  }

  /** Adds what a lost socket missed of the logs to what is kept for it. @returns false: not all of it can be had */
  async #catchUp(socket: Socket): Promise<boolean> {
    for (const [object, needed] of socket.joinedAt ?? []) {
      const missed = await this.#missed(socket, object, { had: socket.memberships.get(object), needed });
      if (!missed) return false;
      if (missed.events.length === 0) continue;
      const { seq, epoch } = missed.upTo;
      for (const { offset, event } of missed.events) socket.replay?.add(offset, event);
      socket.memberships.moved(object, { seq, epoch });
      this.#sockets.lost.delivered([socket], missed.events, { object, position: { seq, epoch } });
    }
    return true;
  }

  /**
   * What an object logged after the position that a socket had, at least until it joined it anew.
   * @returns null: not all of it can be had, or it is of another log
   */
  async #missed(
    socket: Socket,
    object: string,
    { had, needed }: { had: Position | undefined; needed: Position },
  ): Promise<{ events: KeptEvent[]; upTo: Position; seqs: number[] } | null> {
    if (had?.epoch !== needed.epoch) return null;
    if (had.seq >= needed.seq) return { events: [], upTo: had, seqs: [] };
    const missed = await this.#sockets.application.missed?.(socket, object, had, MAX_EVENTS);
    if (!missed) return null;
    const events = missed.events.map((event) => ({ event, offset: this.#sockets.nextOffset() }));
    return { events, upTo: { seq: Math.max(needed.seq, ...missed.seqs), epoch: had.epoch }, seqs: missed.seqs };
  }

  /** Its rooms are told to send here first. What they sent to its old gateway before that is there when they have answered. */
  async #resumeFrom(from: LostElsewhere, client: Client, claim: Claim, identity: Identity): Promise<boolean> {
    const { pid, offset, namespace, principal } = claim;
    const record = { id: from.id, namespace, principal, state: JSON.parse(from.state), pid };
    const socket = this.#sockets.add(new Socket(this.#sockets, client.session.handshake, record));
    const needed = new Map<string, Position>();
    socket.joinedAt = needed;
    await this.#sockets.connected(socket, { recovered: true, identity });
    const given = this.#sockets.has(socket) ? await from.at.surrender(pid, offset) : null;
    const missed = given && (await this.#missedBefore(socket, needed, given.positions));
    // It was put out meanwhile.
    if (!this.#sockets.has(socket)) return false;
    const replay = missed && new Replay(offset, [...given.missed, ...missed, ...(socket.replay?.events ?? [])]);
    // Nothing may have fallen out of either's replay, nor between the two.
    if (socket.replay?.base !== null || replay?.base !== offset) {
      await this.#sockets.end(socket, "transport error");
      return false;
    }
    socket.replay = replay;
    if (client.isOver) await this.#sockets.lose(socket, "transport close");
    else {
      client.add(socket);
      socket.attach(client, offset);
    }
    await this.#sockets.peers.arrived(pid);
    return true;
  }

  /** What a socket that had come so far elsewhere missed of the logs until it joined them from here. Null: see `#missed`. */
  async #missedBefore(
    socket: Socket,
    needed: ReadonlyMap<string, Position>,
    had: Record<string, Membership>,
  ): Promise<KeptEvent[] | null> {
    const all: KeptEvent[] = [];
    for (const [object, at] of needed) {
      const missed = await this.#missed(socket, object, { had: had[object], needed: at });
      if (!missed) return null;
      // What is newer is sent here.
      all.push(...missed.events.filter((_, index) => (missed.seqs[index] ?? 0) <= at.seq));
    }
    return all;
  }
}

function explain({ message, data }: Refusal): { message: string; data?: unknown } {
  return data === undefined ? { message } : { message, data };
}
