/** MediaMTX' gate, `authMethod: http` (MEDIA.md 2). Its ends come from commands, by the generic adapter. */
import { z } from "zod";
import { type AdapterEvent, type EventKind, kindOf, splitPath, text } from "./adapter.ts";

/**
 * Its gate is asked again by a publisher that throws the old one out. It also stands before the media server's own API, if
 * `authHTTPExclude` says so: a 200 would hand that to anybody.
 */
const KINDS: Record<string, EventKind> = {
  publish: "announce",
  read: "play",
  api: "manage",
  metrics: "manage",
  pprof: "manage",
};

export const MediaMtxJson = z
  .object({ action: z.string(), path: z.string(), protocol: z.string(), id: text, ip: text })
  .transform(
    (body): AdapterEvent => ({
      kind: kindOf(KINDS, body.action),
      source: "mediamtx",
      name: body.action,
      ...splitPath(body.path),
      client: body.id,
      from: body.ip,
    }),
  );
