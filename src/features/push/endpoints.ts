/** Which addresses may be pushed to: a subscription is written by a client, and called by us. */
import type { Ctx } from "../../context.ts";
import { isLoopbackHttp } from "../../settings/sign-in-providers.ts";

/**
 * https on its own port, at one of PUSH_HOSTS (`*.` takes any name below); in development, any port of this machine. Nothing
 * of it is followed elsewhere: the call refuses redirects.
 */
export function mayPushTo({ config: { PUSH_HOSTS, isProduction } }: Ctx, endpoint: string): boolean {
  const url = URL.parse(endpoint);
  if (url?.username !== "" || url.password !== "") return false;
  if (!isProduction && isLoopbackHttp(url)) return true;
  return url.protocol === "https:" && url.port === "" && PUSH_HOSTS.some((host) => matches(url.hostname, host));
}

const matches = (name: string, host: string): boolean =>
  host.startsWith("*.") ? name.endsWith(host.slice(1)) : name === host;
