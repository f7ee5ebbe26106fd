/** Livestreams and what media servers report of them (SPEC 7). The chat has a contract of its own: chat-contract.ts. */
import { z } from "zod";
import { PageQuery, Pagination } from "../../db/page.ts";
import { Timestamp } from "../../realtime/protocol.ts";
import { Link, userText } from "../../text.ts";
import { UserId } from "../users/contract.ts";

export const StreamId = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
export const StreamStatus = z.enum(["live", "ended"]);

export const Stream = z
  .object({
    id: StreamId,
    userId: UserId,
    title: z.string(),
    description: z.string().nullable(),
    status: StreamStatus.describe("One that never began is `ended`, without a `startTime`"),
    startTime: Timestamp.nullable(),
    endTime: Timestamp.nullable(),
    viewerCount: z
      .number()
      .int()
      .describe(
        "The greater of the people in the stream's room and of the media server's players, as `stream:viewer_count` " +
          "tells; after the end, the most that watched at once",
      ),
    thumbnail: z.string().nullable(),
    scheduledAt: Timestamp.nullable(),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: "Stream" });
export type Stream = z.infer<typeof Stream>;

export const StreamKey = z.string().describe("For the media server. Shown now and never again");
export const StreamWithKey = Stream.extend({ streamKey: StreamKey }).meta({ id: "StreamWithKey" });

/** Years of four digits: with more or fewer no `Timestamp` can be written. An offset may lead out of them. */
const EARLIEST = new Date("0001-01-01T00:00:00.000Z");
const LATEST = new Date("9999-12-31T23:59:59.999Z");

const Moment = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text))
  .refine((date) => date >= EARLIEST && date <= LATEST, "must lie in the years 1 to 9999")
  .meta({ type: "string", format: "date-time" });

export const CreateStream = z.object({
  title: userText(255).optional(),
  description: userText(5000, 0).nullish(),
  thumbnail: Link.nullish(),
  scheduledAt: Moment.nullish(),
});
export type CreateStream = z.output<typeof CreateStream>;

export const UpdateStream = CreateStream.extend({
  status: StreamStatus.optional().describe("`ended` ends a live stream and cuts its publisher off"),
});
export type UpdateStream = z.output<typeof UpdateStream>;

export const StreamListQuery = PageQuery.extend({
  status: z
    .enum(["live", "upcoming", "featured", "ended", "all"])
    .default("all")
    .describe("`upcoming`: scheduled and not begun; `featured`: live, the most watched first"),
});
export type StreamListQuery = z.output<typeof StreamListQuery>;
export const StreamList = z.object({ streams: z.array(Stream), pagination: Pagination });
export type StreamList = z.infer<typeof StreamList>;

/** The one answer that nginx-rtmp, SRS and node-media-server all take. */
export const HookCode = z.object({ code: z.union([z.literal(0), z.literal(1)]).describe("0: accepted or ignored") });

/** What a media server is answered. OvenMediaEngine takes only its own: `allowed` to an opening, nothing to a closing. */
export const HookAnswer = z.union([
  HookCode,
  z.object({ allowed: z.boolean(), reason: z.string().optional() }),
  z.object({}),
]);

/** What the address of the hook says. The secret belongs here or in a header, never in the body, where publishers write. */
export const HookQuery = z.object({
  secret: z.string().optional().describe("WEBHOOK_SECRET, unless it comes as X-Webhook-Secret or as a signature"),
  server: z.string().max(64).optional().describe("Tells several media servers of one kind apart"),
  heartbeat: z
    .number()
    .int()
    .min(1)
    .max(3600)
    .optional()
    .describe(
      "Seconds between this server's updates: silent for three of them from its first event on, a stream has ended. " +
        "Without it STREAM_LEASE_SECONDS counts, from the first update on",
    ),
  relay: z
    .string()
    .regex(/^rtmp:\/\/(127\.0\.0\.1|localhost)(:\d{1,5})?\/[\w-]{1,64}$/, "must be an application of this very server")
    .optional()
    .describe("nginx-rtmp: accepted publishers are relayed here under the stream's id, which hides the key"),
});
export type HookQuery = z.output<typeof HookQuery>;
