/**
 * Which addresses of other services may be called. They are given by people, and called from inside: an address of the
 * network that we run in would read or change what is not theirs (SSRF). What a name resolves to, a Worker cannot see:
 * Cloudflare's fetch reaches the public internet alone, and on a machine of one's own ops/self-host/outside.ts sees to it.
 */
import ipaddr from "ipaddr.js";
import type { Config } from "../config.ts";

/** Names that mean a place inside some network, whatever they resolve to. */
const INTERNAL = /(?:^|\.)(?:localhost|local|internal|intranet|lan|home|corp|home\.arpa)$/;

/**
 * Why an address must not be called; null if it may be. `ownOrigin`: of the request that gave it, if there is one.
 * Development calls http on this machine, too.
 */
export function refusalOf(address: string, settings: Config, ownOrigin = ""): string | null {
  const url = URL.parse(address);
  if (!url || !/^https?:$/.test(url.protocol)) return "must be an https address";
  if (url.username || url.password) return "must not name a user";
  if ([settings.PUBLIC_URL ?? "", ownOrigin].some((own) => isOwn(url, own))) return "must not be of this service";
  const host = hostOf(url);
  if (!settings.isProduction && url.protocol === "http:" && isLoopback(host)) return null;
  if (url.protocol !== "https:") return "must be https";
  if (url.port !== "") return "must be on port 443";
  return isPublic(host) ? null : "must be on the public internet";
}

/** On one machine several services are told apart by their ports. */
function isOwn(url: URL, own: string): boolean {
  const origin = URL.parse(own);
  if (!origin) return false;
  return isLoopback(origin.hostname) ? url.host === origin.host : hostOf(url) === hostOf(origin);
}

/** A name means the same with the dot of the root behind it. */
const hostOf = ({ hostname }: URL): string => hostname.replace(/\.$/, "");

/** The platform's parser has made one form of an IPv4 address of all that it may be written as. */
const addressIn = (host: string): string => host.replace(/^\[(.*)\]$/, "$1");

function isLoopback(host: string): boolean {
  const address = addressIn(host);
  if (!ipaddr.isValid(address)) return /(?:^|\.)localhost$/.test(host);
  return ipaddr.process(address).range() === "loopback";
}

function isPublic(host: string): boolean {
  const address = addressIn(host);
  if (ipaddr.isValid(address)) return ipaddr.process(address).range() === "unicast";
  return host.includes(".") && !INTERNAL.test(host);
}
