/** Sockets of @roomcast/client that open through the Worker, and can be broken. */
import { afterEach, vi } from "vitest";
import { RoomcastSocket, type SocketOptions, type SocketPath } from "../../packages/client/src/index.ts";
import { ORIGIN } from "./api.ts";
import { WorkerSocket } from "./worker-socket.ts";

const sockets: { close(): void }[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

/** Without the service's address, for either kind of credentials. */
type Options<O> = O extends unknown ? Omit<O, "url"> & { url?: string } : never;

/** Closed after the test. */
export function open<P extends SocketPath = "/ws">(options: Options<SocketOptions<P>>): RoomcastSocket<P> {
  const socket = new RoomcastSocket<P>({ url: ORIGIN, WebSocket: WorkerSocket, ...options });
  sockets.push(socket);
  return socket;
}

export const until = (what: () => boolean) => vi.waitUntil(what, { timeout: 8000, interval: 5 });
export const opened = (socket: { readonly status: string }) => until(() => socket.status === "open");

/** The network drops: the server learns nothing, the client sees 1006. */
export const drop = (token: string) => WorkerSocket.of(token).at(-1)?.breakOff();
