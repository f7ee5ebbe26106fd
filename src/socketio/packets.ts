import { decodePacket, decodePayload, type Packet } from "engine.io-parser";

/** What a session sends: an encoded text packet (`4hello`, `2`), or the bytes of a binary message. */
export type EnginePacket = string | ArrayBuffer;

export const PING = "2";
export const NOOP = "6";
export const CLOSE = "1";
export const PROBE_PING = "2probe";
export const PROBE_PONG = "3probe";
export const UPGRADE = "5";

/** U+001E between the packets of a polling payload. */
export const SEPARATOR = "\x1e";

export function openPacket(facts: { sid: string; upgrades: string[] } & Record<string, unknown>): string {
  return `0${JSON.stringify(facts)}`;
}

/** A packet as long-polling carries it. The library's own encoder needs `FileReader`, which workerd does not have. */
export function pollingForm(packet: EnginePacket): string {
  return typeof packet === "string" ? packet : `b${base64(packet)}`;
}

/** One WebSocket frame. A bad one comes out with the type "error". */
export function decodeFrame(frame: EnginePacket): Packet {
  return decodePacket(frame, "arraybuffer");
}

/** The body of a POST. The list ends at the first bad packet, whose type is "error". */
export function decodeBody(body: string): Packet[] {
  return decodePayload(body, "arraybuffer");
}

/** The data of a message packet; an empty message has none. */
export function messageData(packet: Packet): EnginePacket {
  const data: unknown = packet.data;
  return typeof data === "string" || data instanceof ArrayBuffer ? data : "";
}

// Spreading a long array into a call overflows the stack, so that bytes are taken in slices.
const SLICE = 8192;

function base64(bytes: ArrayBuffer): string {
  let binary = "";
  for (let start = 0; start < bytes.byteLength; start += SLICE) {
    binary += String.fromCharCode(...new Uint8Array(bytes.slice(start, start + SLICE)));
  }
  return btoa(binary);
}
