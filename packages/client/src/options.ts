/** What a socket is opened with. */
import type { SocketPath } from "./contract.ts";
import type { Position, Start } from "./position.ts";
import type { TokenSource } from "./token.ts";

/** `waiting`: dropped, a new try is due. `closed`: for good. */
export type SocketStatus = "connecting" | "open" | "waiting" | "closed";

/** A JWT; or a single-use ticket (`POST /auth/ws-ticket`), so that no JWT stands in a URL. */
type Credentials = { token: TokenSource; ticket?: never } | { ticket: TokenSource; token?: never };

export type SocketOptions<P extends SocketPath> = Credentials & {
  /** The service, e.g. `https://rooms.example`. */
  url: string;
  /** Which socket, as the contract writes it; the user's event socket by default. */
  socket?: P;
  /** What stands for the `{names}` in the path. */
  params?: Record<string, string | number>;
  /** Where to go on from: a position kept from an earlier socket, or 0 for all that is kept. Without it, from now. */
  since?: Start | undefined;
  /** `client` lets the server's object sleep through the beats. */
  heartbeat?: "client" | "server";
  /** How long `send` waits for its answer, the wait for a connection included. */
  timeoutMs?: number;
  /** What was missed is no longer kept: fetch anew. Events after `position` follow. */
  onResync?: (position: Position) => void;
  onStatus?: (status: SocketStatus, why?: { code: number; reason: string }) => void;
  /** What no `send` could be rejected with: a token that could not be had, an error frame without an id. */
  onError?: (error: unknown) => void;
  /** Another implementation, e.g. for tests. */
  WebSocket?: unknown;
};

/** @throws TypeError when the address is none, or a name in the path has no value */
export function addressOf({
  url,
  socket = "/ws",
  params = {},
}: Pick<SocketOptions<SocketPath>, "url" | "socket" | "params">): string {
  const path = socket.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name];
    if (value === undefined) throw new TypeError(`The path ${socket} wants params.${name}.`);
    return encodeURIComponent(String(value));
  });
  return new URL(`/api/v1${path}`, url).href.replace(/^http/, "ws");
}
