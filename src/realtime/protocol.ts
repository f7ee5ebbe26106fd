/**
 * What goes over a socket, whatever the feature: `{type, data}` frames, acks, errors, heartbeats (SPEC 2).
 * Features describe their own frames in their contracts and hand the schemas to these builders.
 */
import { z } from "zod";
import { ERROR_CODES, ERRORS, type ErrorBody, type ErrorCode } from "../errors.ts";
import { isTooDeep } from "../json-depth.ts";
import { JSON_DEPTH_MAX } from "../limits.ts";
import { userRef } from "../spelling.ts";
import { EncodedFrame } from "./encoded-frame.ts";

/** A moment, ISO 8601 UTC with milliseconds. */
export const Timestamp = z.iso.datetime().describe("ISO 8601, UTC, with milliseconds");

/** A user, in frames and answers. */
export const UserId = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
/** A user whom a client means: by id, or in its place by `externalId`, username or `@username` (SPEC 14). */
export const UserRef = userRef(UserId).describe("An id; an externalId, a username or @username may stand instead");
export const AuthorId = UserId.nullable().describe("null: the account was erased");

export const ErrorFrameBody = z.object({ code: z.enum(ERROR_CODES), message: z.string(), timestamp: Timestamp });
export const ErrorAnswer = z
  .object({
    error: ErrorFrameBody.extend({
      details: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    }),
  })
  .meta({ id: "Error", description: "Every failure has this form" });

/** How a client names a frame of its own, to find the answer to it. */
export const FrameId = z.union([z.string().min(1).max(64), z.number().int()]);
export type FrameId = z.infer<typeof FrameId>;

/** The envelope of a client frame; `data` is checked by the command it names. */
export const ClientFrame = z.object({ type: z.string().max(64), id: FrameId.optional(), data: z.unknown().optional() });
export type ClientFrame = z.infer<typeof ClientFrame>;

/** The answer to a ping, with its timestamp. */
const PongFrame = z.object({ type: z.literal("pong"), timestamp: z.string().optional().catch(undefined) });

export const AuthRefresh = z.object({ token: z.string().min(1) });

export const ConnectedFrame = z.object({
  type: z.literal("connected"),
  userId: z.number().int(),
  seq: z
    .number()
    .int()
    .describe(
      "The head of the log when the socket opened; where frames follow that waited for the client, the position before them",
    ),
  epoch: z.string().describe("Changes when the log was reset"),
});
export const ResyncFrame = z.object({
  type: z.literal("resync"),
  data: z.object({ seq: z.number().int(), epoch: z.string() }),
});
/** Stands in a log where a frame named somebody whose account was erased since. */
export const Erased = z.object({}).describe("Named somebody whose account was erased since; in replays alone");
export const ERASED_FRAME = { type: "erased", data: {} };
export const PingFrame = z.object({ type: z.literal("ping"), timestamp: Timestamp });
export const AckFrame = z.object({ type: z.literal("ack"), id: FrameId, data: z.unknown().optional() });
export const ErrorFrame = z.object({ type: z.literal("error"), id: FrameId.optional(), error: ErrorFrameBody });

/** How a client opens a socket. */
export const SocketQuery = z.object({
  token: z.string().optional(),
  ticket: z.string().optional(),
  since: z
    .number()
    .int()
    .min(0)
    .optional()
    .describe("Replay every kept frame after this seq. A long replay goes on as the pings in it are answered"),
  epoch: z.string().max(64).optional(),
  heartbeat: z.enum(["server", "client"]).default("server").catch("server"),
  batch: z
    .literal("1")
    .optional()
    .catch(undefined)
    .transform((value) => value === "1")
    .describe("The server may send an array of frames as one message"),
});
export type SocketQuery = z.infer<typeof SocketQuery>;

/** What one socket speaks, besides the frames above: what the docs and the typed client are made from. */
export type SocketContract = {
  /** One word, unique; names the channel. */
  name: string;
  summary: string;
  /** Client → server: frame type → schema of `data`. */
  commands: Record<string, z.ZodType>;
  /** Server → client: frame type → schema of `data`. */
  frames: Record<string, z.ZodType>;
  /** Frame type of a command → schema of its ack's `data`, where it has some. */
  acks?: Record<string, z.ZodType>;
};
export type SocketContracts = Record<`/${string}`, SocketContract>;

/** A frame on its way out, before it has a position in a log. */
export type Frame = { type: string; data: unknown };

export const encodeFrame = (frame: Frame, seq?: number): EncodedFrame => EncodedFrame.of(frame, seq);

export const encodePing = (timestamp: string): EncodedFrame => EncodedFrame.of({ type: "ping", timestamp });

export const encodeError = (error: ErrorBody, id?: FrameId): EncodedFrame =>
  EncodedFrame.of({
    type: "error",
    ...(id === undefined ? {} : { id }),
    error: { code: frameCode(error.code), message: error.message, timestamp: error.timestamp },
  });

export const encodeAck = (id: FrameId, data?: unknown): EncodedFrame =>
  EncodedFrame.of({ type: "ack", id, ...(data === undefined ? {} : { data }) });

/** A client's frame, or what is wrong with it; and its `id`, if it has a usable one, so that even an error finds home. */
export type ParsedFrame = { frame?: ClientFrame; id?: FrameId | undefined; problem?: string };

export function parseFrame(message: string | ArrayBuffer): ParsedFrame {
  if (typeof message !== "string") return { problem: "Frames are text." };
  if (isTooDeep(message)) return { problem: `A frame may be nested ${JSON_DEPTH_MAX} times.` };
  let raw: unknown;
  try {
    raw = JSON.parse(message);
  } catch {
    return { problem: "The frame is not JSON." };
  }
  const { data: frame } = ClientFrame.safeParse(raw);
  return frame ? { frame, id: frame.id } : { problem: "A frame is {type, data?, id?}.", id: usableId(raw) };
}

/** A pong is short: a long one is no answer, and not read again. */
const PONG_LENGTH = 256;

/** The timestamp that a pong names, if any; null when it is none that a ping asked for. */
export function readPong(message: string | ArrayBuffer): string | undefined | null {
  if (typeof message !== "string" || message.length > PONG_LENGTH) return null;
  return PongFrame.parse(JSON.parse(message)).timestamp;
}

function usableId(frame: unknown): FrameId | undefined {
  if (typeof frame !== "object" || frame === null || !("id" in frame)) return undefined;
  const id = FrameId.safeParse(frame.id);
  return id.success ? id.data : undefined;
}

const FRAME_CODES = new Set<ErrorCode>([
  "UNAUTHORIZED",
  "FORBIDDEN",
  "NOT_FOUND",
  "INVALID_MESSAGE",
  "RATE_LIMIT",
  "INTERNAL_ERROR",
]);

/** Frames know six codes (SPEC 2); what else is wrong with a request is wrong with the message. */
export function frameCode(code: ErrorCode): ErrorCode {
  if (FRAME_CODES.has(code)) return code;
  return ERRORS[code].status >= 500 ? "INTERNAL_ERROR" : "INVALID_MESSAGE";
}
