import { Encoder, type Packet, PacketType } from "socket.io-parser";
import type { EnginePacket } from "./packets.ts";

/**
 * An event, encoded once for any number of receivers: the JSON array `[name, ...args]`, or, if some arguments are
 * binary, that array with placeholders, and the bytes. Namespace, acknowledgement id and recovery offset are added
 * per receiver, by concatenation.
 */
export type EncodedEvent = string | BinaryEvent;

export interface BinaryEvent {
  json: string;
  attachments: ArrayBuffer[];
}

const encoder = new Encoder();

/** Throws on what JSON cannot hold (a bigint, a cycle). */
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

/** `4` is Engine.IO's message; the digit after it is Socket.IO's packet type. */
const TEXT_TYPES = { event: ["42", "45"], ack: ["43", "46"] } as const;

export interface Wire {
  kind: keyof typeof TEXT_TYPES;
  namespace: string;
  /** Asks for an acknowledgement, or answers one. */
  id?: number;
  /** The position that a recovering client names; it reads it as the last argument. */
  offset?: string | null;
}

/** The Engine.IO packets of one event or acknowledgement. */
export function toPackets(encoded: EncodedEvent, { kind, namespace, id, offset }: Wire): EnginePacket[] {
  const isText = typeof encoded === "string";
  const json = isText ? encoded : encoded.json;
  const data = offset ? `${json.slice(0, -1)},${JSON.stringify(offset)}]` : json;
  const count = isText ? "" : `${encoded.attachments.length}-`;
  const head = `${TEXT_TYPES[kind][isText ? 0 : 1]}${count}${prefixOf(namespace)}${id ?? ""}${data}`;
  return isText ? [head] : [head, ...encoded.attachments];
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

/** The packets of one event, made once for each namespace that has receivers. */
export class SharedPackets {
  private namespace: string | null = null;
  private packets: EnginePacket[] = [];

  constructor(
    readonly event: EncodedEvent,
    readonly offset: string | null,
  ) {}

  packetsIn(namespace: string): EnginePacket[] {
    if (this.namespace !== namespace) {
      this.packets = toPackets(this.event, { kind: "event", namespace, offset: this.offset });
      this.namespace = namespace;
    }
    return this.packets;
  }
}
