/** The chat on Socket.IO and Node (socketio-server.ts), beside which others are measured. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { z } from "zod";

const Ready = z.tuple([z.object({ token: z.string() }), z.unknown()]).rest(z.unknown());

export type SocketIoServer = { token: string; stop: () => void };

/** Starts it as a child of this process. */
export async function startSocketIo(port: number): Promise<SocketIoServer> {
  const server: ChildProcess = fork(join(import.meta.dirname, "socketio-server.ts"), [String(port)]);
  const [{ token }] = Ready.parse(await once(server, "message"));
  return { token, stop: () => server.disconnect() };
}
