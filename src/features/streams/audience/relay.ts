/** What a stream's room and its audience objects tell each other. Never on the wire. */
import { z } from "zod";
import { Region } from "../../../platform/regions.ts";
import { StreamContext } from "../info.ts";

/**
 * One thing to do: pass on a frame to everybody, or to the one user `to` (`seq`: its place in the room's log, 0 if it has
 * none); replay nothing as it was said before; or close everybody's connection.
 */
export type Order =
  | { do: "send"; text: string; seq: number; to?: number }
  | { do: "forget" }
  | { do: "close"; code: number; reason: string };

/** What one call carries; `before`: the head of the room's log ahead of it; `asksWho`: to be answered with those who are there. */
export type Relay = { epoch: string; before: number; orders: Order[]; asksWho?: boolean };

/** Who sits in an audience object: different users, and connections. */
export type Attendance = { people: number; sockets: number };

/** Where the room's log stands when an audience object begins to hear it. */
export type Subscription = { epoch: string; head: number };

/**
 * A part of the room's log, as the room itself would replay it; `to`: who has had it has everything up to there. `gap`: it
 * cannot be had, and the log stands there.
 */
export type LogPart = { frames: { text: string; seq: number }[]; to: number; gap: Subscription | null };

/** What an audience object is told of somebody who comes in: what the Worker found out, and what the room greets them with. */
export const Seat = StreamContext.extend({ greeting: z.array(z.string()) });
export type Seat = z.infer<typeof Seat>;

/** Where the room sends those for whom it has no place. `facts`: as in CrossingRequest. */
export const Place = z.object({ name: z.string(), region: Region, facts: Seat });
export type Place = z.infer<typeof Place>;

/** `<stream>:<region>:<number>`; also says whose audience it is. */
export const audienceName = (streamId: number, region: Region, number: number): string =>
  `${streamId}:${region}:${number}`;
export const streamOf = (name: string): string => name.slice(0, name.indexOf(":"));
