/** SRS: JSON, with `action: "on_…"` (MEDIA.md 2). */
import { z } from "zod";
import { type AdapterEvent, type EventKind, kindOf, text } from "./adapter.ts";

const KINDS: Record<string, EventKind> = {
  on_publish: "publish",
  on_unpublish: "end",
  on_play: "play",
  on_stop: "leave",
  on_dvr: "record",
};

export const SrsJson = z
  .object({ action: z.string().startsWith("on_"), client_id: text, app: text, stream: text, ip: text })
  .transform(
    (body): AdapterEvent => ({
      kind: kindOf(KINDS, body.action),
      source: "srs",
      name: body.action,
      stream: body.stream,
      app: body.app,
      client: body.client_id,
      from: body.ip,
    }),
  );
