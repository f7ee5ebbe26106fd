/** What carries a connection's frames: a native WebSocket of this object, or another object that passes them on. */
import { Buffer } from "node:buffer";
import { ERRORS, toAppError } from "../errors.ts";
import type { ConnectionState } from "./connection-state.ts";
import type { EncodedFrame } from "./encoded-frame.ts";

/** A socket that takes frames one by one, one that takes an array of them, or another object that holds the client. */
export type TransportKind = "plain" | "array" | "gateway";

export interface Transport {
  readonly kind: TransportKind;
  /** Sends frames in order. An array transport may join them into one message. */
  send(batch: FrameBatch): void;
  close(code: number, reason: string): void;
  /** Keeps the state through hibernation. */
  save(state: ConnectionState): void;
  /** When the client's own heartbeat last came, ms; 0 if unknown. */
  lastBeatAt(): number;
}

/** Encoded frames that go out together, perhaps to many: joined once, however many want an array. */
export class FrameBatch {
  readonly frames: readonly EncodedFrame[];
  #array: string | undefined;
  #bytes: number | undefined;

  constructor(frames: readonly EncodedFrame[]) {
    this.frames = frames;
  }

  get bytes(): number {
    this.#bytes ??= this.frames.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
    return this.#bytes;
  }

  /** The frames as one message, for `batch=1`. */
  get array(): string {
    this.#array ??= `[${this.frames.map(({ text }) => text).join(",")}]`;
    return this.#array;
  }
}

/** Closes a socket that may be closed already. */
function closeQuietly(socket: WebSocket, code: number, reason?: string): void {
  try {
    socket.close(code, reason);
  } catch {
    // Nothing left to close.
  }
}

/** The closing handshake is ours to finish (RFC 6455, 5.5.1); 1005 and 1006 are not to be sent. */
export function completeClose(socket: WebSocket, code: number): void {
  closeQuietly(socket, code === 1005 || code === 1006 ? 1000 : code);
}

/** Opens and closes at once: a page is shown the close code, and nothing else. */
export function refuseSocket(socket: WebSocket, thrown: unknown): void {
  const { code } = toAppError(thrown);
  socket.accept();
  socket.close(ERRORS[code].close, code);
}

/** A hibernatable WebSocket. */
export class SocketTransport implements Transport {
  readonly #socket: WebSocket;
  readonly #object: DurableObjectState;
  readonly kind: TransportKind;

  constructor(object: DurableObjectState, socket: WebSocket, takesArrays: boolean) {
    this.#object = object;
    this.#socket = socket;
    this.kind = takesArrays ? "array" : "plain";
  }

  send(batch: FrameBatch): void {
    try {
      if (this.kind === "array" && batch.frames.length > 1) this.#socket.send(batch.array);
      else for (const { text } of batch.frames) this.#socket.send(text);
    } catch {
      // Closing or gone; webSocketClose tells.
    }
  }

  close(code: number, reason: string): void {
    closeQuietly(this.#socket, code, reason);
    // Not to be taken for somebody who is here, if the object hibernates before the client has answered.
    this.#socket.serializeAttachment(null);
  }

  save(state: ConnectionState): void {
    this.#socket.serializeAttachment(state);
  }

  lastBeatAt(): number {
    return this.#object.getWebSocketAutoResponseTimestamp(this.#socket)?.getTime() ?? 0;
  }
}
