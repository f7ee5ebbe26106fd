/** What goes over the wire: Engine.IO 4's packets and, in its messages, Socket.IO 5's. */
import { Buffer } from "node:buffer";
import { decodePacket, decodePayload, type Packet as EnginePacket } from "engine.io-parser";
import { Encoder, type Packet, PacketType } from "socket.io-parser";

/** An encoded text packet (`4hello`, `2`), or the bytes of a binary message. */
export type EncodedPacket = string | ArrayBuffer;

/** What a packet takes on the wire. */
export function bytesOf(packet: EncodedPacket): number {
  return typeof packet === "string" ? Buffer.byteLength(packet) : packet.byteLength;
}

// ── Engine.IO ───────────────────────────────────────────────────────────────────────────────────────────────────────

export const PING = "2";
export const NOOP = "6";
export const CLOSE = "1";
export const PROBE_PING = "2probe";
export const PROBE_PONG = "3probe";
export const UPGRADE = "5";

/** U+001E between the packets of a polling payload. */
export const SEPARATOR = "\x1e";

export function openPacket(handshake: { sid: string; upgrades: string[] } & Record<string, unknown>): string {
  return `0${JSON.stringify(handshake)}`;
}

/** A packet as long-polling carries it. The library's own encoder needs `FileReader`, which workerd does not have. */
export function pollingForm(packet: EncodedPacket): string {
  return typeof packet === "string" ? packet : `b${new Uint8Array(packet).toBase64()}`;
}

/** A packet of a polling payload as WebSocket carries it. */
export function frameForm(packet: string): EncodedPacket {
  return packet.startsWith("b") ? Uint8Array.fromBase64(packet.slice(1)).buffer : packet;
}

/** One WebSocket frame. A bad one comes out with the type "error". */
export function decodeFrame(frame: EncodedPacket): EnginePacket {
  return decodePacket(frame, "arraybuffer");
}

/** The body of a POST. The list ends at the first bad packet, whose type is "error". */
export function decodePolling(body: string): EnginePacket[] {
  return decodePayload(body, "arraybuffer");
}

/** The data of a message packet; an empty message has none. */
export function messageIn(packet: EnginePacket): EncodedPacket {
  const data: unknown = packet.data;
  return typeof data === "string" || data instanceof ArrayBuffer ? data : "";
}

// ── Socket.IO ───────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * An event, encoded once for any number of receivers: the JSON array `[name, ...args]`, or, if some arguments are
 * binary, that array with placeholders, and the bytes. Namespace, acknowledgement id and recovery offset are added
 * per receiver, by concatenation. `people`: the users whose words it has, where whoever sends it knows.
 */
export type EncodedEvent = string | { json: string; attachments: ArrayBuffer[]; people?: number[] };

const encoder = new Encoder();

/** @throws TypeError for what JSON cannot hold (a bigint, a cycle) */
export function encodeEvent(name: string, ...args: unknown[]): EncodedEvent {
  return encodeArray(PacketType.EVENT, [name, ...args]);
}

export function encodeAckArguments(args: unknown[]): EncodedEvent {
  return encodeArray(PacketType.ACK, args);
}

function encodeArray(type: PacketType, data: unknown[]): EncodedEvent {
  const parts: unknown[] = encoder.encode({ type, nsp: "/", data });
  const [head, ...attachments] = parts;
  const text = String(head);
  const json = text.slice(text.indexOf("["));
  return attachments.length === 0 ? json : { json, attachments: attachments.map(toArrayBuffer) };
}

/** Rooms send through RPC and rows, where a view would carry its whole buffer along. */
function toArrayBuffer(part: unknown): ArrayBuffer {
  if (part instanceof ArrayBuffer) return part;
  if (ArrayBuffer.isView(part)) return new Uint8Array(part.buffer, part.byteOffset, part.byteLength).slice().buffer;
  throw new TypeError("only ArrayBuffer and its views can be sent as binary");
}

/** Length of an event, in characters of text and bytes of binary. */
export function sizeOf(event: EncodedEvent): number {
  if (typeof event === "string") return event.length;
  return event.attachments.reduce((sum, bytes) => sum + bytes.byteLength, event.json.length);
}

/** `4` is Engine.IO's message; the digit after it is Socket.IO's packet type. */
const TEXT_TYPES = { event: ["42", "45"], ack: ["43", "46"] } as const;

export type Addressing = {
  kind: keyof typeof TEXT_TYPES;
  namespace: string;
  /** Of the event that is acknowledged. */
  id?: number;
  /** The position that a recovering client names; it reads it as the last argument. */
  offset?: string | null;
};

/** The packets of one event or acknowledgement. */
export function toPackets(encoded: EncodedEvent, { kind, namespace, id, offset }: Addressing): EncodedPacket[] {
  const { json, attachments } = typeof encoded === "string" ? { json: encoded, attachments: [] } : encoded;
  const isText = attachments.length === 0;
  const data = offset ? `${json.slice(0, -1)},${JSON.stringify(offset)}]` : json;
  const count = isText ? "" : `${attachments.length}-`;
  const head = `${TEXT_TYPES[kind][isText ? 0 : 1]}${count}${prefixOf(namespace)}${id ?? ""}${data}`;
  return [head, ...attachments];
}

/** Packets without attachments: connect, connect error, disconnect. */
export function toControlPacket(type: PacketType, namespace: string, data?: unknown): string {
  const json = data === undefined ? "" : JSON.stringify(data);
  return `4${type}${prefixOf(namespace)}${json}`;
}

function prefixOf(namespace: string): string {
  return namespace === "/" ? "" : `${namespace},`;
}

/** The packet's data as the list that the parser has already made sure it is. */
export function argumentsOf(packet: Packet): unknown[] {
  const data: unknown = packet.data;
  return Array.isArray(data) ? data : [];
}

/** An event with its offset in its receivers' replays, and its packets: made once for each namespace that has receivers. */
export class SharedEvent {
  readonly event: EncodedEvent;
  readonly offset: string | null;
  #namespace: string | null = null;
  #packets: EncodedPacket[] = [];

  constructor(event: EncodedEvent, offset: string | null) {
    this.event = event;
    this.offset = offset;
  }

  packetsIn(namespace: string): EncodedPacket[] {
    if (this.#namespace !== namespace) {
      this.#packets = toPackets(this.event, { kind: "event", namespace, offset: this.offset });
      this.#namespace = namespace;
    }
    return this.#packets;
  }
}
