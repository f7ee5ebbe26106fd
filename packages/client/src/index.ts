/** The typed client of Roomcast: REST and sockets, for browsers and Node 22 or newer. */

export type { AckOf, CommandsOf, ErrorCode, FramesOf, Schema, SocketPath } from "./contract.ts";
export { RoomcastError } from "./error.ts";
export type { Published } from "./frame.ts";
export type { SocketOptions, SocketStatus } from "./options.ts";
export { Outbox, type OutboxOptions, type Outgoing, type OutgoingState } from "./outbox.ts";
export type { OutboxStorage } from "./outbox-storage.ts";
export { watchPage } from "./page.ts";
export type { Position, Start } from "./position.ts";
export { answerOf, type Client, type ClientOptions, roomcast } from "./rest.ts";
export { RoomcastSocket } from "./socket.ts";
