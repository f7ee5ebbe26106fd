/** What the Worker and the database tell a live room about itself. Never on the wire. */
import { z } from "zod";

/** A room as of `version`; made by the view `room_facts`. */
export const RoomFacts = z.object({
  version: z.number().int(),
  kind: z.enum(["group", "private", "course"]),
  courseId: z.string().nullable(),
  name: z.string().nullable(),
  ownerId: z.number().int().nullable(),
  slowModeSeconds: z.number().int(),
  /** One of the two people of a private room has blocked the other. */
  isBlocked: z.boolean(),
});
export type RoomFacts = z.infer<typeof RoomFacts>;

/** How a member comes in: what the database said of the room, and how far they have read. */
export const Entrance = z.object({ room: RoomFacts, readSeq: z.number().int() });
export type Entrance = z.infer<typeof Entrance>;

/** What an outbox row for `room:<id>` holds. Each may be done twice. */
export const RoomEffect = z.object({
  /** The room is now like this. */
  facts: RoomFacts.optional(),
  /** This user is no member any more, as of `facts.version`. */
  removed: z.number().int().optional(),
  /** The room is no more. */
  deleted: z.literal(true).optional(),
  /** This user was erased: what they wrote is nobody's. */
  anonymise: z.number().int().optional(),
});
export type RoomEffect = z.infer<typeof RoomEffect>;
