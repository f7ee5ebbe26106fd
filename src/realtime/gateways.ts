/** The objects that hold rooms' Socket.IO clients, as rooms see them, and what is said to them. */
import { z } from "zod";
import { type FanOutGroup, Membership } from "./fan-out.ts";

/** Memberships that an object has ended. */
export const PutOut = z.object({
  /** The object: see `objectKey`. */
  object: z.string(),
  members: z.array(Membership),
  /**
   * `expel`: the client stays connected. `disconnect`: it loses its connection, and does not come back by itself. `reset`: its
   * session ends, and it comes back with a new one.
   */
  how: z.enum(["expel", "disconnect", "reset"]),
  /** Of a native close. */
  code: z.number().int(),
  reason: z.string(),
});
export type PutOut = z.infer<typeof PutOut>;

export interface Gateway {
  /** Sends in order. Answers the ids that are not there any more. */
  deliver(groups: FanOutGroup[]): Promise<string[]>;
  /** May be repeated, and come late: a newer membership is not meant. */
  putOut(orders: PutOut[]): Promise<void>;
}

let finder: ((env: Env, address: string) => Gateway) | undefined;

/** Says how gateways are reached. Called once, by whoever makes them; rooms need not know what they are. */
export function reachGatewaysBy(find: (env: Env, address: string) => Gateway): void {
  finder = find;
}

export function reachGateway(env: Env, address: string): Gateway {
  if (!finder) throw new Error("No gateways are set up");
  return finder(env, address);
}
