/** What the Worker and the database tell a live room about itself. Never on the wire. */
import { z } from "zod";
import { Anonymise } from "../db/user-references.ts";
import { JoinPolicy } from "./contract.ts";

/** A room as of `version`; made by the view `room_facts`, or, of a stream's chat, by its object. */
export const RoomInfo = z.object({
  version: z.number().int(),
  kind: z.enum(["group", "private", "course", "stream"]),
  /** What clients call the room, if that is not its object's name. Not in what was kept before rooms had chosen ids. */
  publicId: z.string().optional(),
  courseId: z.string().nullable(),
  name: z.string().nullable(),
  ownerId: z.number().int().nullable(),
  joinPolicy: JoinPolicy.optional(),
  slowModeSeconds: z.number().int(),
  /** One of the two people of a private room has blocked the other. */
  isBlocked: z.boolean(),
});
export type RoomInfo = z.infer<typeof RoomInfo>;

/** How a member comes in: what the database said of the room, and how far they have read. */
export const JoinContext = z.object({
  room: RoomInfo,
  readSeq: z.number().int(),
  /** Of the database that said so. */
  generation: z.string().optional(),
});
export type JoinContext = z.infer<typeof JoinContext>;

/** What an outbox row for `room:<id>` holds. Each may be done twice. */
export const RoomEffect = z.union([
  Anonymise,
  z.object({
    /** The room is now like this. */
    facts: RoomInfo.optional(),
    /** This user is no member any more, as of `facts.version`. */
    removed: z.number().int().optional(),
    /** The room is no more. */
    deleted: z.literal(true).optional(),
    /** As Anonymise; written by the release before this one. */
    anonymise: z.number().int().optional(),
  }),
]);
export type RoomEffect = z.infer<typeof RoomEffect>;
