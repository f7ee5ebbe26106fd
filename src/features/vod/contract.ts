/** Recordings of streams (SPEC 7). */
import { z } from "zod";
import { PageQuery, Pagination } from "../../db/page.ts";
import { Binary, IntegerId } from "../../http/answers.ts";
import { Timestamp } from "../../realtime/protocol.ts";
import { Link, userText } from "../../text.ts";
import { StreamId } from "../streams/contract.ts";
import { UserId } from "../users/contract.ts";

export const Vod = z
  .object({
    id: z.number().int(),
    streamId: StreamId,
    userId: UserId,
    title: z.string(),
    thumbnail: z.string().nullable(),
    duration: z.number().nullable().describe("Seconds"),
    fileName: z.string(),
    mimeType: z.string(),
    size: z.number().int().describe("Bytes"),
    views: z.number().int(),
    url: z.string().describe("Where it plays, with ranges"),
    createdAt: Timestamp,
  })
  .meta({ id: "Vod" });
export type Vod = z.infer<typeof Vod>;

/** A moment, or a UTC day: its start as `from`, its end as `to`. */
const Bound = (isEnd: boolean) =>
  z
    .union([z.iso.date(), z.iso.datetime({ offset: true })])
    .transform((text) => new Date(text.length === 10 ? `${text}T${isEnd ? "23:59:59.999" : "00:00:00.000"}Z` : text))
    .meta({ type: "string", description: "ISO 8601, a moment or a UTC day" });

export const VodListQuery = PageQuery.extend({
  streamId: IntegerId.optional(),
  from: Bound(false).optional(),
  to: Bound(true).optional(),
  sort: z.enum(["newest", "popular"]).default("newest"),
});
export type VodListQuery = z.output<typeof VodListQuery>;
export const VodList = z.object({ vods: z.array(Vod), pagination: Pagination });
export type VodList = z.infer<typeof VodList>;

/** A number, or one as a form has it; whatever else JavaScript would take for a number is none. */
const numeric = z.union([
  z.number(),
  z
    .string()
    .regex(/^\d+(\.\d+)?$/, "is not a number")
    .transform(Number),
]);

/** What comes with a recording: as parts of the form, or in the JSON beside `path`. */
const About = z.object({
  streamId: StreamId.optional(),
  streamKey: z
    .string()
    .regex(/^[A-Za-z0-9_-]{16,128}$/, "is not a stream key")
    .optional(),
  title: userText(255).optional(),
  duration: numeric
    .pipe(z.number().min(0).max(31_536_000))
    .optional()
    .meta({ type: "number", minimum: 0, maximum: 31_536_000, description: "Seconds" }),
  thumbnail: Link.optional(),
});

const namesStream = ({ streamId, streamKey }: z.output<typeof About>): boolean =>
  streamId !== undefined || streamKey !== undefined;
const needsStream = { path: ["streamId"], message: "streamId or streamKey is needed" };

/** The form's fields besides `file`. */
export const VodForm = About.refine(namesStream, needsStream);
export type VodAbout = z.output<typeof VodForm>;

/** The form as it is sent; its file is read as a stream. */
export const VodUpload = About.extend({ file: Binary });

export const VodByPath = About.extend({
  path: z.string().min(1).max(1024).describe("Of an object in the bucket, under the configured prefix"),
}).refine(namesStream, needsStream);
export type VodByPath = z.output<typeof VodByPath>;
