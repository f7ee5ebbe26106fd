/**
 * What media servers send, read into one form (MEDIA.md 3.1). Of a repeated field the first value counts: what a
 * publisher writes after the `?` of its address is appended to nginx' own fields, unescaped.
 */
import { z } from "zod";
import { AppError } from "../../../errors.ts";

/**
 * `publish`: asks to go live · `announce`: has already been let in · `end` of a publisher, or with nginx of anyone ·
 * `beat`: still live · `play`, `leave`: of a viewer · `record`: a recording is complete · `other`: nothing to do.
 */
export type EventKind = "publish" | "announce" | "end" | "beat" | "play" | "leave" | "record" | "other";

export type MediaEvent = {
  kind: EventKind;
  /** Which media server: the `server` of the hook's address, or its kind. */
  source: string;
  /** As the media server calls it. */
  name: string;
  /** A stream key, or the public id under which a relayed stream is played; anything, until it was looked up. */
  stream: string;
  /** Of the connection, unique on its media server until that restarts. */
  session: string;
  /** When it happened, if the media server tells later. */
  at: Date | undefined;
  /** The publisher's or viewer's address, as the media server sees it. */
  from: string;
};

/** `unsigned` comes with a secret, or is signed as a whole. */
export type Body = { type: "form" | "json"; text: string };

type Form = { app: string; client: string; kinds: Record<string, EventKind>; at?: number } & Pick<
  MediaEvent,
  "source" | "name" | "stream" | "from"
>;

/** The directive's name is taken for the call's, too: adapters that imitate nginx write it so. */
const NGINX: Record<string, EventKind> = {
  on_publish: "publish",
  on_publish_done: "end",
  on_done: "end",
  on_play: "play",
  on_play_done: "leave",
  on_record_done: "record",
  publish: "publish",
  publish_done: "end",
  done: "end",
  update_publish: "beat",
  play: "play",
  play_done: "leave",
  record_done: "record",
};
const SRS: Record<string, EventKind> = {
  on_publish: "publish",
  on_unpublish: "end",
  on_play: "play",
  on_stop: "leave",
  on_dvr: "record",
};
/** It has no gate: by the time it asks, the publisher is in. */
const NODE_MEDIA_SERVER: Record<string, EventKind> = {
  prePublish: "announce",
  postPublish: "announce",
  donePublish: "end",
  prePlay: "play",
  postPlay: "play",
  donePlay: "leave",
  doneRecord: "record",
};
/** Its gate is asked again by a publisher that throws the old one out. */
const MEDIAMTX: Record<string, EventKind> = { publish: "announce", read: "play" };
/** With and without `on_`. */
const GENERIC: Record<string, EventKind> = {
  publish: "publish",
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

const text = z.union([z.string(), z.number()]).transform(String).optional().default("");

const GenericJson = z
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
  .transform((body): Form => {
    const name = body.event.replace(/^on_/, "");
    return {
      source: body.source || "generic",
      name: body.event,
      kinds: { [body.event]: GENERIC[name] ?? "other" },
      stream: body.streamKey || body.streamId,
      app: body.app,
      client: body.sessionId,
      at: body.occurredAt === undefined ? undefined : Date.parse(body.occurredAt),
      from: body.ip,
    };
  });

const MediaMtxJson = z
  .object({ action: z.string(), path: z.string(), protocol: z.string(), id: text, ip: text })
  .transform((body): Form => {
    const slash = body.path.lastIndexOf("/");
    return {
      source: "mediamtx",
      name: body.action,
      kinds: MEDIAMTX,
      stream: body.path.slice(slash + 1),
      app: body.path.slice(0, Math.max(0, slash)),
      client: body.id,
      from: body.ip,
    };
  });

const SrsJson = z
  .object({ action: z.string().startsWith("on_"), client_id: text, app: text, stream: text, ip: text })
  .transform(
    (body): Form => ({
      source: "srs",
      name: body.action,
      kinds: SRS,
      stream: body.stream,
      app: body.app,
      client: body.client_id,
      from: body.ip,
    }),
  );

const NodeMediaServerJson = z
  .object({ action: z.string(), id: text, app: text, name: text, ip: text, endtime: z.number().optional() })
  .transform(
    (body): Form => ({
      source: "node-media-server",
      name: body.action,
      kinds: NODE_MEDIA_SERVER,
      stream: body.name,
      app: body.app,
      client: body.id,
      at: body.endtime || undefined,
      // With a port, which is another one for every attempt.
      from: body.ip.replace(/:\d+$/, ""),
    }),
  );

const AnyJson = z.union([GenericJson, MediaMtxJson, SrsJson, NodeMediaServerJson]);

function nginxForm(body: string): Form {
  const fields = new URLSearchParams(body);
  // `get` answers the first value.
  const first = (field: string): string => fields.get(field) ?? "";
  return {
    source: "nginx-rtmp",
    name: first("call"),
    kinds: NGINX,
    stream: first("name"),
    app: first("app"),
    client: first("clientid"),
    from: first("addr"),
  };
}

function jsonForm(body: string): Form | null {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new AppError("INVALID_REQUEST", "The body is not valid JSON.");
  }
  return AnyJson.safeParse(json).data ?? null;
}

/** What is kept of a publisher's or server's text. */
const short = (value: string): string => value.slice(0, 100);

/**
 * Reads an event. `server` names the media server, where several of a kind are in use.
 * @throws AppError INVALID_REQUEST what should be JSON is not
 */
export function readEvent({ type, text: body }: Body, server: string | undefined): MediaEvent {
  const form = type === "form" ? nginxForm(body) : jsonForm(body);
  if (!form) return { kind: "other", source: server ?? "", name: "", stream: "", session: "", at: undefined, from: "" };
  const source = short(server ?? form.source);
  return {
    kind: Object.hasOwn(form.kinds, form.name) ? (form.kinds[form.name] ?? "other") : "other",
    source,
    name: short(form.name),
    stream: form.stream,
    session: `${source}/${short(form.app)}/${short(form.client)}`,
    at: form.at === undefined || Number.isNaN(form.at) ? undefined : new Date(form.at),
    from: short(form.from),
  };
}
