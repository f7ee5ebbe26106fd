/** What media servers send, read into one form (MEDIA.md 3.1). Each server's own form has a file in forms/. */
import { z } from "zod";
import { AppError } from "../../../errors.ts";
import type { AnswerStyle, Form } from "./forms/form.ts";
import { GenericJson } from "./forms/generic.ts";
import { MediaMtxJson } from "./forms/mediamtx.ts";
import { readNginxForm } from "./forms/nginx-rtmp.ts";
import { NodeMediaServerJson } from "./forms/node-media-server.ts";
import { OvenMediaEngineJson } from "./forms/ovenmediaengine.ts";
import { SrsJson } from "./forms/srs.ts";

export type { EventKind } from "./forms/form.ts";

export type MediaEvent = Pick<Form, "kind" | "name" | "stream" | "from" | "sentAt"> & {
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
const UNKNOWN: Form = { kind: "other", source: "unknown", name: "", stream: "", app: "", client: "", from: "" };

function readJson(body: string): Form {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new AppError("INVALID_REQUEST", "The body is not valid JSON.");
  }
  return AnyJson.safeParse(json).data ?? UNKNOWN;
}

/** What is kept of a publisher's or server's text: no key either, which a publisher may have written into the wrong field. */
const kept = (value: string): string => value.replace(/sk_[\w-]{16,}/g, "sk_…").slice(0, 100);

/**
 * Reads an event.
 * @throws AppError INVALID_REQUEST what should be JSON is not
 */
export function readEvent({ type, text }: Body, { server, heartbeat }: Server): MediaEvent {
  const form = type === "form" ? readNginxForm(text) : readJson(text);
  const source = kept(server ?? form.source);
  return {
    kind: form.kind,
    source,
    name: kept(form.name),
    stream: form.stream,
    session: `${source}/${kept(form.app)}/${kept(form.client)}`,
    at: form.at === undefined || Number.isNaN(new Date(form.at).getTime()) ? undefined : new Date(form.at),
    from: kept(form.from),
    sentAt: form.sentAt,
    answers: form.answers ?? "code",
    heartbeatSeconds: heartbeat,
  };
}
