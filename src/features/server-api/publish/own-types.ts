/** The types of frame that are the service's own, which no product may publish: those of its contract. */
import type { SocketContracts } from "../../../realtime/protocol.ts";

const ours = new Set<string>(["auth:refresh"]);

/** Called once, by src/wiring.ts. */
export function reserveTypes(sockets: SocketContracts): void {
  for (const { commands, frames } of Object.values(sockets)) {
    for (const type of [...Object.keys(commands), ...Object.keys(frames)]) ours.add(type);
  }
}

export const isOurs = (type: string): boolean => ours.has(type);
