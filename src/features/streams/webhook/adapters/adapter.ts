/** What every adapter makes of a media server's call: its own words in, ours out. */
import { z } from "zod";

/**
 * `publish`: asks to go live · `replace`: asks to, in the place of whoever is live · `withdraw`: of one that replaced another,
 * or had nobody to replace: it ends, or was turned away · `announce`: has already been let in · `retract`: of a viewer who leaves, or of an announced
 * publisher that was turned away · `end` of a publisher, or with nginx of anyone · `beat`: still live · `play`, `leave`: of a
 * viewer · `record`: a recording is complete · `manage`: asks for the media server's own API · `other`: nothing to do.
 */
export type EventKind =
  | "publish"
  | "replace"
  | "withdraw"
  | "announce"
  | "retract"
  | "end"
  | "beat"
  | "play"
  | "leave"
  | "record"
  | "manage"
  | "other";

export type AdapterEvent = {
  kind: EventKind;
  /** Which kind of media server. */
  source: string;
  /** The event, as the media server calls it. */
  name: string;
  /** A stream key, or the public id under which a relayed stream is played; anything, until it was looked up. */
  stream: string;
  app: string;
  /** The connection, unique on its media server until that restarts. */
  client: string;
  /** The publisher's or viewer's address, as the media server sees it. */
  from: string;
  /** When it happened, if the media server tells later. */
  at?: number | undefined;
  /** When it was sent, if the body says so; not a number if what it says is no time. */
  sentAt?: number;
  /** How this server wants to be answered; `code` if it does not say. */
  answers?: AnswerStyle;
};

/** `code`: a status and a code · `admission`: 200 with `allowed` · `empty`: 200 with `{}`. */
export type AnswerStyle = "code" | "admission" | "empty";

/** A field that is missing or no text reads as empty, which is nobody's key: a publish without one is refused, not ignored. */
export const text = z.union([z.string(), z.number()]).transform(String).catch("");

/** What a name means; of the names that a server has, not of those that every object has. */
export const kindOf = (kinds: Record<string, EventKind>, name: string): EventKind =>
  Object.hasOwn(kinds, name) ? (kinds[name] ?? "other") : "other";

/** `live/<key>` in two. */
export function splitPath(path: string): Pick<AdapterEvent, "app" | "stream"> {
  const slash = path.lastIndexOf("/");
  return { app: path.slice(0, Math.max(0, slash)), stream: path.slice(slash + 1) };
}
