/** Sockets of benchmarks. */
import { once } from "node:events";
import { WebSocket } from "ws";

/** Resolves when it is open. */
export const opened = (url: string, headers: Record<string, string> = {}): Promise<WebSocket> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { perMessageDeflate: false, headers });
    socket.once("open", () => resolve(socket));
    socket.once("error", reject);
  });

/** Opens `count`, never more than `atOnce` of them at the same time. */
export async function openAll(
  count: number,
  atOnce: number,
  open: (at: number) => Promise<WebSocket>,
): Promise<WebSocket[]> {
  const sockets: WebSocket[] = [];
  for (let from = 0; from < count; from += atOnce) {
    const group = Array.from({ length: Math.min(atOnce, count - from) }, (_, at) => open(from + at));
    sockets.push(...(await Promise.all(group)));
  }
  return sockets;
}

/** Closes them, and resolves when all are closed. */
export async function closeAll(sockets: WebSocket[]): Promise<void> {
  const closed = Promise.all(sockets.map((socket) => once(socket, "close")));
  for (const socket of sockets) socket.terminate();
  await closed;
}

const startsWith = (socket: WebSocket, start: string): Promise<void> =>
  new Promise((resolve) => {
    socket.on("message", (data: Buffer) => data.toString("latin1", 0, start.length) === start && resolve());
  });

/**
 * A Socket.IO client, as far as a load needs one: connects, joins by `firstEvent`, and answers pings. `home` is whose address
 * it comes from: one address may open 600 in a minute.
 */
export async function openedSocketIo(
  origin: string,
  home: number,
  token: string,
  firstEvent?: unknown[],
): Promise<WebSocket> {
  const headers = { "CF-Connecting-IP": `192.0.2.${home}` };
  const socket = await opened(`${origin}/socket.io/?EIO=4&transport=websocket`, headers);
  socket.on("message", (data: Buffer) => data.toString("latin1") === "2" && socket.send("3"));
  const connected = startsWith(socket, "40");
  socket.send(`40${JSON.stringify({ token })}`);
  await connected;
  if (firstEvent) {
    const joined = startsWith(socket, "430");
    socket.send(`420${JSON.stringify(firstEvent)}`);
    await joined;
  }
  return socket;
}
