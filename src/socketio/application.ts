/** What stands on top of Socket.IO: it is told of clients, and decides what their events do. */
import type { z } from "zod";
import type { MaybePromise } from "../platform/promise.ts";
import type { Handshake } from "./engine/handshake.ts";
import type { CloseReason } from "./engine/layer.ts";
import type { Traffic } from "./engine/traffic.ts";
import type { EncodedEvent } from "./packets.ts";

/** A client that asks to be let into a namespace. */
export type NamespaceRequest = {
  namespace: string;
  /** The client's `auth` option. Its own claim: nothing about it has been checked. */
  auth: Record<string, unknown>;
  handshake: Handshake;
};

/** Who was let in. */
export type Identity<State = unknown> = {
  /** Names the user. A lost connection is only ever resumed for the same principal. */
  principal: string;
  /** The socket's first `state`. */
  state: State;
};

/** How a socket came to be connected. */
export type Arrival<State = unknown> = {
  recovered: boolean;
  /** What `authenticate` has just said. */
  identity: Identity<State>;
};

/** Thrown by `authenticate`: the client gets `connect_error` with this message, and `data` as the error's `data`. */
export class Refusal extends Error {
  readonly data: unknown;

  constructor(message: string, data?: unknown) {
    super(message);
    this.data = data;
  }
}

export type DisconnectReason = CloseReason | "client namespace disconnect" | "server namespace disconnect";

/** How far a socket has been sent what an object logs. */
export type Position = { seq: number; epoch: string };

/** What a socket has missed of an object's log, oldest first, and the seq of each event. */
export type Missed = { events: EncodedEvent[]; seqs: number[] };

/** As which of its memberships of an object it is sent that: a later one has a greater number. */
export type Membership = Position & { join: number };

/** One client in one namespace, as an application sees it. It is the same object until the gateway hibernates. */
export interface ClientSocket<State = unknown> {
  /** Public, and no credential: other members may see it. Kept when a connection is recovered. */
  readonly id: string;
  readonly namespace: string;
  readonly principal: string;
  readonly handshake: Handshake;
  /** Where rooms find this socket: the address of its gateway (see `SocketGateway.deliver`). */
  readonly gateway: string;
  /** What this client's session sent in the current minute, over all its namespaces. */
  readonly traffic: Traffic;
  /**
   * The application's own, JSON, and small (a session has some 15 KB with all its sockets). It survives hibernation and
   * recovery. Assign a new value to change it. @throws RangeError if it is too large
   */
  state: State;
  emit(event: string, ...args: unknown[]): void;
  /** Leaves the namespace, with a disconnect packet. `close` ends the whole connection with it. */
  disconnect(close?: boolean): void;
  /**
   * The socket hears an object's log from this position on: what it is sent of it is held to be whole from here. One that had
   * heard less of it, and does not begin anew by its own wish (`isAsked`), comes back for what it missed.
   */
  subscribed(object: string, at: Membership, isAsked?: boolean): void;
  unsubscribed(object: string): void;
}

export type ReceivedEvent = {
  readonly name: string;
  readonly args: readonly unknown[];
  /** Answers the client's callback, once; later calls do nothing. Absent if the client does not wait for an answer. */
  readonly ack?: (...args: unknown[]) => void;
};

/**
 * What Socket.IO clients talk to. The methods of one socket are called one after the other: an event is handed over
 * when `connected` and all events before it have resolved. Different sockets do not wait for each other.
 */
export interface Application<State = unknown> {
  /** Reads a socket's state, once each time the object wakes. */
  readonly stateSchema: z.ZodType<State>;
  hasNamespace(namespace: string): boolean;
  /** Lets a client in or throws a `Refusal`. Any other error reaches the client as `INTERNAL_ERROR` alone. */
  authenticate(request: NamespaceRequest): MaybePromise<Identity<State>>;
  /**
   * The client is in. If it was `recovered`, it has its old id and state (the new identity's is not taken over),
   * perhaps in another gateway: subscribe it again (replacing the old address under the same id, so that no message
   * goes to both or neither); it then gets what it missed, and only after that what is sent from here.
   */
  connected?(socket: ClientSocket<State>, arrival: Arrival<State>): MaybePromise;
  /** Up to `most` events that an object logged after a position. Null: not all of them can be had; the session ends. */
  missed?(socket: ClientSocket<State>, object: string, after: Position, most: number): Promise<Missed | null>;
  received(socket: ClientSocket<State>, event: ReceivedEvent): MaybePromise;
  /** The client acknowledged an event. None asks for it. */
  unexpected?(socket: ClientSocket<State>): MaybePromise;
  /** A room has put the client out, and the client stays connected; `object`: as in `subscribed`. */
  expelled?(socket: ClientSocket<State>, object: string, error: { code: string; message: string }): MaybePromise;
  /** The connection was lost, and what is sent to the socket is kept for a while. Ends in `connected` or `disconnected`. */
  suspended?(socket: ClientSocket<State>, reason: DisconnectReason): MaybePromise;
  /** Once per ping interval for each socket with a connection, when the object is awake anyway: tokens expire here. */
  checked?(socket: ClientSocket<State>): MaybePromise;
  /** The socket is gone for good. */
  disconnected?(socket: ClientSocket<State>, reason: DisconnectReason): MaybePromise;
}
