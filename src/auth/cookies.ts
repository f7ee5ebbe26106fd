/** Cookies as they come in. */

/** The value of the cookie with this name. Browsers send several in one header (RFC 6265, 5.4). */
export function cookieIn(header: string | null | undefined, name: string): string | undefined {
  const prefix = `${name}=`;
  return (header ?? "")
    .split(/;\s*/)
    .find((pair) => pair.startsWith(prefix))
    ?.slice(prefix.length);
}
