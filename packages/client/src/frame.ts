/** Reads what the server sends. The bundle stays free of zod: the envelope is checked by hand, `data` is the contract's. */
import type { ErrorCode } from "./contract.ts";

export type ServerFrame = {
  type: string;
  data?: unknown;
  seq?: number | undefined;
  id?: string | number | undefined;
  [key: string]: unknown;
};

/** The frames of one message: one, or an array of them (`batch=1`). What is no frame is passed over. */
export function readFrames(text: string): ServerFrame[] {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return [];
  }
  return (Array.isArray(raw) ? raw : [raw]).filter(isFrame);
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const isFrame = (value: unknown): value is ServerFrame =>
  isObject(value) &&
  typeof value.type === "string" &&
  (value.seq === undefined || typeof value.seq === "number") &&
  (value.id === undefined || typeof value.id === "string" || typeof value.id === "number");

/** `seq` and `epoch`, of a frame or of its data. */
export function readPosition(value: unknown): { seq: number; epoch: string } | undefined {
  if (!isObject(value)) return undefined;
  const { seq, epoch } = value;
  return typeof seq === "number" && typeof epoch === "string" ? { seq, epoch } : undefined;
}

export function readError(value: unknown): { code: ErrorCode; message: string } {
  if (isObject(value) && typeof value.code === "string" && typeof value.message === "string") {
    // A code that this version of the client does not know is passed on as it is.
    return { code: value.code as ErrorCode, message: value.message };
  }
  return { code: "INTERNAL_ERROR", message: "The error could not be read." };
}

/** What a product's backend published. On a topic it has the topic's name and, if it was kept, the place in the topic's log. */
export type Published = {
  type: string;
  data: unknown;
  seq: number | undefined;
  topic: string | undefined;
  topicSeq: number | undefined;
  topicEpoch: string | undefined;
};

export function readPublished({ type, data, seq, topic, topicSeq, topicEpoch }: ServerFrame): Published {
  return {
    type,
    data,
    seq,
    topic: typeof topic === "string" ? topic : undefined,
    topicSeq: typeof topicSeq === "number" ? topicSeq : undefined,
    topicEpoch: typeof topicEpoch === "string" ? topicEpoch : undefined,
  };
}
