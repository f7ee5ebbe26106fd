/** What a stream's room and its audience objects tell each other. Never on the wire. */
import { z } from "zod";
import { Region } from "../../../platform/regions.ts";
import { StreamContext } from "../info.ts";

/**
 * One thing to do: pass on a frame to everybody, or to the one user `to` (`seq`: its position in the room's log, 0 if it has
 * none); replay nothing as it was said before; or close everybody's connection.
 */
export type Order =
  | { do: "send"; text: string; seq: number; to?: number }
  | { do: "forget" }
  | { do: "close"; code: number; reason: string };

/** What one call carries; `before`: the head of the room's log ahead of it; `asksWho`: to be answered with those who are there. */
export type Relay = { epoch: string; before: number; orders: Order[]; asksWho?: boolean };

/** How many an audience object holds: different users, and connections. */
export type Attendance = { people: number; sockets: number };

/** Where the room's log stands when an audience object begins to hear it. */
export type Subscription = { epoch: string; head: number };

/**
 * A part of the room's log, as the room itself would replay it; `to`: who has had it has everything up to there. `gap`: it
 * cannot be had, and the log stands there.
 */
export type LogPart = { frames: { text: string; seq: number }[]; to: number; gap: Subscription | null };

/** The join context of a viewer in an audience object: what the Worker found out, and what the room greets them with. */
export const AudienceContext = StreamContext.extend({ greeting: z.array(z.string()) });
export type AudienceContext = z.infer<typeof AudienceContext>;

/** To which audience object the room sends a viewer for whom it has no space. `facts`: as in CrossingRequest. */
export const Redirect = z.object({ name: z.string(), region: Region, facts: AudienceContext });
export type Redirect = z.infer<typeof Redirect>;

/** `<stream>:<region>:<number>`; also says whose audience it is. */
export const audienceName = (streamId: number, region: Region, number: number): string =>
  `${streamId}:${region}:${number}`;
export const streamOf = (name: string): string => name.slice(0, name.indexOf(":"));
