/** What media servers send, read into one event (MEDIA.md 3.1). Each kind of server has an adapter. */
import { z } from "zod";
import { AppError } from "../../../errors.ts";
import type { AdapterEvent, AnswerStyle } from "./adapters/adapter.ts";
import { GenericJson } from "./adapters/generic.ts";
import { MediaMtxJson } from "./adapters/mediamtx.ts";
import { readNginxCall } from "./adapters/nginx-rtmp.ts";
import { NodeMediaServerJson } from "./adapters/node-media-server.ts";
import { OvenMediaEngineJson } from "./adapters/ovenmediaengine.ts";
import { SrsJson } from "./adapters/srs.ts";

export type MediaEvent = Pick<AdapterEvent, "kind" | "name" | "stream" | "from" | "sentAt"> & {
  /** Which media server: the `server` of the hook's address, or its kind. */
  source: string;
  /** Of the connection: `source/app/client`. */
  session: string;
  at: Date | undefined;
  answers: AnswerStyle;
  /** What the hook's address promises. */
  heartbeatSeconds: number | undefined;
};

/** What the hook's address says of the media server: its name, where several of a kind are in use, and its heartbeat. */
export type Server = { server?: string | undefined; heartbeat?: number | undefined };

export type Body = { type: "form" | "json"; text: string };

/** The first that fits. */
const AnyJson = z.union([GenericJson, OvenMediaEngineJson, MediaMtxJson, SrsJson, NodeMediaServerJson]);

/** JSON that is no event of any server that we know. */
const UNKNOWN: AdapterEvent = { kind: "other", source: "unknown", name: "", stream: "", app: "", client: "", from: "" };

function readJson(body: string): AdapterEvent {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new AppError("INVALID_REQUEST", "The body is not valid JSON.");
  }
  return AnyJson.safeParse(json).data ?? UNKNOWN;
}

/** A text of the publisher or server as it is stored: cut, and without a key that stands in the wrong field. */
const redacted = (value: string): string => value.replace(/sk_[\w-]{16,}/g, "sk_…").slice(0, 100);

/**
 * Reads an event.
 * @throws AppError INVALID_REQUEST what should be JSON is not
 */
export function readEvent({ type, text }: Body, { server, heartbeat }: Server): MediaEvent {
  const event = type === "form" ? readNginxCall(text) : readJson(text);
  const source = redacted(server ?? event.source);
  return {
    kind: event.kind,
    source,
    name: redacted(event.name),
    stream: event.stream,
    session: `${source}/${redacted(event.app)}/${redacted(event.client)}`,
    at: event.at === undefined || Number.isNaN(new Date(event.at).getTime()) ? undefined : new Date(event.at),
    from: redacted(event.from),
    sentAt: event.sentAt,
    answers: event.answers ?? "code",
    heartbeatSeconds: heartbeat,
  };
}
