/** node-media-server: JSON that says it is text/plain (MEDIA.md 2). */
import { z } from "zod";
import { type AdapterEvent, type EventKind, kindOf, text } from "./adapter.ts";

/** It has no gate: by the time it asks, the publisher is in. A second publisher is taken back with a `donePlay`. */
const KINDS: Record<string, EventKind> = {
  prePublish: "announce",
  postPublish: "announce",
  donePublish: "end",
  prePlay: "play",
  postPlay: "play",
  donePlay: "retract",
  doneRecord: "record",
};

export const NodeMediaServerJson = z
  .object({ action: z.string(), id: text, app: text, name: text, ip: text, endtime: z.number().optional().catch(0) })
  .transform(
    (body): AdapterEvent => ({
      kind: kindOf(KINDS, body.action),
      source: "node-media-server",
      name: body.action,
      stream: body.name,
      app: body.app,
      client: body.id,
      at: body.endtime || undefined,
      // With a port, which is another one for every attempt.
      from: body.ip.replace(/:\d+$/, ""),
    }),
  );
