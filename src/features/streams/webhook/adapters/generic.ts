/** `{event, streamKey, sessionId, occurredAt}`: for adapters, and for commands that a media server runs (MEDIA.md 3.1). */
import { z } from "zod";
import { type AdapterEvent, type EventKind, kindOf, splitPath, text } from "./adapter.ts";

/** With and without `on_`. `ready` and `not_ready` are told, not asked: the publisher is in, and has thrown out any other. */
const KINDS: Record<string, EventKind> = {
  publish: "publish",
  ready: "announce",
  not_ready: "end",
  done: "end",
  unpublish: "end",
  publish_done: "end",
  update: "beat",
  update_publish: "beat",
  play: "play",
  play_done: "leave",
  stop: "leave",
  record_done: "record",
};

export const GenericJson = z
  .object({
    event: z.string(),
    streamKey: text,
    streamId: text,
    sessionId: text,
    occurredAt: z.iso.datetime({ offset: true }).optional().catch(undefined),
    source: text,
    app: text,
    ip: text,
  })
  .transform((body): AdapterEvent => {
    // MediaMTX' commands run without a shell, and know the key only as a part of `$MTX_PATH`.
    const path = splitPath(body.streamKey || body.streamId);
    return {
      kind: kindOf(KINDS, body.event.replace(/^on_/, "")),
      source: body.source || "generic",
      name: body.event,
      stream: path.stream,
      app: body.app || path.app,
      client: body.sessionId,
      at: body.occurredAt === undefined ? undefined : Date.parse(body.occurredAt),
      from: body.ip,
    };
  });
