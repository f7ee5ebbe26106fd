/** What the product's own backend publishes (SPEC 12). */
import { z } from "zod";
import { ErrorAnswer } from "../../../realtime/protocol.ts";
import { verbatim } from "../../../spelling.ts";
import { Somebody, Topic } from "../base-contract.ts";

/** People whom one publication may be to. */
export const RECIPIENTS_MAX = 1000;
/** Publications of one batch. */
export const BATCH_MAX = 100;
/** Bytes of JSON. */
const DATA_MAX_BYTES = 32 * 1024;

const To = z
  .strictObject({
    users: z.array(Somebody).min(1).max(RECIPIENTS_MAX).optional().describe("On their event sockets, on all devices"),
    roomId: z.string().min(1).max(64).optional(),
    courseId: z.string().min(1).max(255).optional(),
    streamId: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional(),
    topic: Topic.optional(),
  })
  .refine((to) => Object.values(to).filter((place) => place !== undefined).length === 1, "name one of them");

const fits = (data: unknown): boolean =>
  new TextEncoder().encode(JSON.stringify(data) ?? "").byteLength <= DATA_MAX_BYTES;

export const Publication = z.object({
  to: To,
  type: z
    .string()
    .max(64)
    .regex(/^[\w.-]+(:[\w.-]+)+$/, "must be like order:shipped")
    .describe("The product's own, `name:space`; none of the service's"),
  data: verbatim(z.unknown().refine(fits, `may have ${DATA_MAX_BYTES} bytes of JSON`).default(null)).describe(
    "Any JSON, passed on as it is: a page must treat it as text",
  ),
  keep: z.boolean().default(false).describe("Into the log of whoever is told: it has a seq, and is replayed"),
  dedupeId: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe("The same of one key within 24 h is the same publication; with another body it is 409"),
});
export type Publication = z.output<typeof Publication>;

export const Published = z
  .object({
    accepted: z.number().int().describe("How many people or places it goes to"),
    seq: z
      .number()
      .int()
      .optional()
      .describe("Where it stands in the log of the room, course, stream or topic, if it is kept"),
  })
  .meta({ id: "Published" });
export type Published = z.infer<typeof Published>;

export const PublishBatch = z.object({
  publications: z
    .array(verbatim(z.record(z.string(), z.unknown())))
    .min(1)
    .max(BATCH_MAX)
    .describe("Each as the body of `POST /server/publish`, in this order"),
});

export const PublishedBatch = z.object({
  results: z.array(z.union([Published, ErrorAnswer])).describe("One for each publication, in their order"),
});
export type PublishedBatch = z.infer<typeof PublishedBatch>;
