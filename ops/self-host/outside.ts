/**
 * What the Worker fetches, from this machine: public addresses alone. Users name what is fetched (webhooks, push services), and a
 * name may lead anywhere: so what it resolves to is looked at, for each connection, by the resolver that makes it.
 */
import { lookup } from "node:dns";
import type { LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { fetch, type Request, type Response } from "miniflare";
import { Agent } from "undici";

/** No loopback, no private or link-local network, nothing reserved. */
export const isPublic = (address: string): boolean =>
  ipaddr.isValid(address) && ipaddr.process(address).range() === "unicast";

const refused = (host: string): Error => new Error(`${host} is not on the public internet`);

const lookUpPublic: LookupFunction = (host, options, callback) =>
  lookup(host, { ...options, all: true }, (error, found) => {
    if (error) return callback(error, "");
    const addresses = found.filter(({ address }) => isPublic(address));
    const [first] = addresses;
    if (!first) return callback(refused(host), "");
    if (options.all) return callback(null, addresses);
    callback(null, first.address, first.family);
  });

const dispatcher = new Agent({ connect: { lookup: lookUpPublic } });

/** @throws Error a host that is not public; the Worker takes it for one that cannot be reached */
export async function fetchOutside(request: Request): Promise<Response> {
  const host = new URL(request.url).hostname.replace(/^\[(.*)\]$/, "$1");
  // An address is connected to without being looked up.
  if (ipaddr.isValid(host) && !isPublic(host)) throw refused(host);
  return fetch(request, { dispatcher });
}
