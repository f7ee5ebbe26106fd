/** The service's contract as types: made from the schemas that validate (scripts/client-types.ts). */
import type { components as RestComponents } from "./generated/rest.ts";
import type { components } from "./generated/sockets.ts";

/** What REST answers are made of, by name: `Schema["DirectMessage"]`. */
export type Schema = RestComponents["schemas"];

type Failure = Schema["Error"]["error"];
export type ErrorCode = Failure["code"];
export type ErrorDetail = NonNullable<Failure["details"]>[number];

type Sockets = components["schemas"]["Sockets"];
/** Every socket by its path below `/api/v1`. */
export type SocketPath = keyof Sockets;

/** What a client sends: frame type → `data`. */
export type CommandsOf<P extends SocketPath> = Sockets[P]["commands"];
/** What a client gets: frame type → `data`. */
export type FramesOf<P extends SocketPath> = Sockets[P]["frames"];
/** What the ack of a command carries; `unknown` where the contract does not say. */
export type AckOf<P extends SocketPath, K> = K extends keyof Sockets[P]["acks"] ? Sockets[P]["acks"][K] : unknown;
