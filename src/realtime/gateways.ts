/** The objects that hold rooms' Socket.IO clients, as rooms see them, and what is said to them. */
import { z } from "zod";
import { callOnce, objectCaller } from "../platform/objects.ts";
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

/** What an expelled client is told. */
export type Expulsion = { code: string; message: string };

/** A gateway's own RPC. */
export interface Gateway {
  /** Sends in order. Answers the ids that are not there any more. */
  deliverBatches(groups: FanOutGroup[]): Promise<string[]>;
  /** May be repeated, and come late: a newer membership is not meant. */
  putOut(orders: (Omit<PutOut, "code" | "reason"> & { error: Expulsion })[]): Promise<void>;
}

let finder: ((env: Env, address: string) => Gateway) | undefined;

/** Says where gateways are. Called once, by whoever makes them; rooms need not know what they are. */
export function findGatewaysBy(find: (env: Env, address: string) => Gateway): void {
  finder = find;
}

/** Calls a gateway once. @throws AppError UNAVAILABLE no answer in time */
export function callGateway<R>(env: Env, address: string, call: (gateway: Gateway) => Promise<R>): Promise<R> {
  if (!finder) throw new Error("No gateways are set up");
  const gateway = finder(env, address);
  return callOnce(objectCaller(env), () => call(gateway));
}
