/** What features do for a user's object: the frames it understands, and who hears of presence. */
import type { Ctx, UserCtx } from "../context.ts";
import type { CommandContext, Commands } from "../realtime/commands.ts";
import type { Frame } from "../realtime/protocol.ts";
import type { DuePush, PushItem, PushOutcome } from "./pushes.ts";
import type { HubTopics } from "./topics.ts";

export type HubFeatures = {
  /** Binds the event socket's commands; `as` is the user of a connection, as a service wants them. */
  commands: (as: (by: CommandContext) => UserCtx, topics: HubTopics) => Commands;
  /** The user's first connection opened, or the last one closed. Must not throw. */
  recordPresence: (ctx: Ctx, userId: number, isConnected: boolean) => Promise<void>;
  /** The user's friends are to hear that they came or went. Must not throw. */
  tellFriends: (ctx: Ctx, userId: number, isOnline: boolean) => Promise<void>;
  /** What of a frame the user's browsers are woken for while no connection takes it. */
  pushItemIn: (frame: Frame, userId: number) => PushItem | null;
  /** Sends pushes to the user's browsers. */
  sendPushes: (ctx: Ctx, userId: number, due: DuePush[]) => Promise<PushOutcome>;
};

let registered: HubFeatures | undefined;

/** Called once, by src/wiring.ts. */
export function serveHub(features: HubFeatures): void {
  registered = features;
}

export function hubFeatures(): HubFeatures {
  if (!registered) throw new Error("No feature serves the hub: src/wiring.ts was not loaded.");
  return registered;
}
