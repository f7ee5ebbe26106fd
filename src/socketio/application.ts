import type { EncodedEvent } from "./events.ts";
import type { Handshake } from "./handshake.ts";
import type { Traffic } from "./traffic.ts";
import type { Work } from "./work.ts";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** A client that asks to join a namespace. */
export interface ConnectRequest {
  namespace: string;
  /** The client's `auth` option. Its own claim: nothing about it has been checked. */
  auth: Record<string, unknown>;
  handshake: Handshake;
}

/** Who was let in. */
export interface Admission {
  /** Names the user. A lost connection is only ever resumed for the same principal. */
  principal: string;
  /** The socket's first `state`. */
  state?: Json;
}

/** How a socket came to be connected. */
export interface Arrival {
  recovered: boolean;
  /** What `authenticate` has just said. */
  admission: Admission;
}

/** Thrown by `authenticate`: the client gets `connect_error` with this message, and `data` as the error's `data`. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly data?: Json,
  ) {
    super(message);
  }
}

export type DisconnectReason =
  | "client namespace disconnect"
  | "server namespace disconnect"
  | "transport close"
  | "transport error"
  | "ping timeout"
  | "parse error"
  | "forced server close";

/** One client in one namespace, as an application sees it. It is the same object until the gateway hibernates. */
export interface ClientSocket {
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
   * The application's own, small (all sockets of a session share some 7000 characters of JSON). It survives
   * hibernation and recovery. Assign a new value to change it; throws a RangeError if it is too large.
   */
  state: Json;
  emit(event: string, ...args: unknown[]): void;
  /** Sends what was encoded once for many. `volatile`: not kept for recovery, dropped if the client is not reachable now. */
  send(event: EncodedEvent, options?: { volatile?: boolean }): void;
  /**
   * Emits, and waits for the client's acknowledgement: its arguments. Rejects after `timeoutMs` or when the socket
   * goes. Who waits is only in memory, and keeps the object awake for so long.
   */
  request(event: string, args: unknown[], timeoutMs: number): Promise<unknown[]>;
  /** Leaves the namespace, with a disconnect packet. `close` ends the whole connection with it. */
  disconnect(close?: boolean): void;
}

export interface ReceivedEvent {
  readonly name: string;
  readonly args: readonly unknown[];
  /** Answers the client's callback, once; later calls do nothing. Absent if the client does not wait for an answer. */
  readonly ack?: (...args: unknown[]) => void;
}

/**
 * What Socket.IO clients talk to. The methods of one socket are called one after the other: an event is handed over
 * when `connected` and all events before it have resolved. Different sockets do not wait for each other.
 */
export interface Application {
  hasNamespace(namespace: string): boolean;
  /** Lets a client in or throws a `Refusal`. Any other error reaches the client as `INTERNAL_ERROR` alone. */
  authenticate(request: ConnectRequest): Admission | Promise<Admission>;
  /**
   * The client is in. If it was `recovered`, it has its old id and state (the new admission's is not taken over),
   * perhaps in another gateway: subscribe it again (replacing the old address under the same id, so that no message
   * goes to both or neither); it then gets what it missed, and only after that what is sent from here.
   */
  connected?(socket: ClientSocket, arrival: Arrival): Work;
  received(socket: ClientSocket, event: ReceivedEvent): Work;
  /** The connection was lost, and what is sent to the socket is kept for a while. Ends in `connected` or `disconnected`. */
  suspended?(socket: ClientSocket, reason: DisconnectReason): Work;
  /** Once per ping interval for each socket with a connection, when the object is awake anyway: tokens expire here. */
  checked?(socket: ClientSocket): Work;
  /** The socket is gone for good. */
  disconnected?(socket: ClientSocket, reason: DisconnectReason): Work;
}
