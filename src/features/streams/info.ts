/** What the Worker and the database tell a stream's room. Never on the wire. */
import { z } from "zod";
import type { RoomInfo } from "../../chat/info.ts";
import { Anonymise } from "../../db/user-references.ts";
import { Region } from "../../platform/regions.ts";
import { StreamFrames } from "./chat-contract.ts";

/** What the Worker has found out when somebody comes in or acts, and in which database. The owner never changes. */
export const StreamContext = z.object({
  ownerId: z.number().int(),
  generation: z.string().optional(),
  /** Of whoever opens a socket: where an audience object for them would stand. */
  region: Region.optional(),
});
export type StreamContext = z.infer<typeof StreamContext>;

/** What an outbox row for `stream:<id>` holds; news of the stream is written by triggers. */
export const StreamEffect = z.discriminatedUnion("type", [
  z.object({ type: z.literal("stream:status"), data: StreamFrames["stream:status"] }),
  z.object({ type: z.literal("stream:players"), players: z.number().int() }),
  z.object({ type: z.literal("stream:deleted") }),
  Anonymise,
]);

/** A stream's chat before anybody has changed its rules, which it keeps itself: the later versions are its own. */
export const firstInfo = ({ ownerId }: StreamContext): RoomInfo => ({
  version: 0,
  kind: "stream",
  courseId: null,
  name: null,
  ownerId,
  slowModeSeconds: 0,
  isBlocked: false,
});
