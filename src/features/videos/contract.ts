/** Videos and what people do with them (SPEC 3). */
import { z } from "zod";
import { PageQuery, Pagination } from "../../db/page.ts";
import { Binary } from "../../http/answers.ts";
import { Timestamp } from "../../realtime/protocol.ts";
import { Link, userText } from "../../text.ts";
import { PersonBrief, UserId } from "../users/contract.ts";

export const Visibility = z.enum(["public", "private"]).describe("Private: exists only for its owner and admins");

const Title = userText(255);
const Description = userText(5000, 0);
const count = z.number().int().min(0);

export const Video = z
  .object({
    id: z.number().int(),
    ownerId: UserId,
    owner: PersonBrief,
    title: z.string(),
    description: z.string().nullable(),
    videoUrl: z.string(),
    thumbUrl: z.string().nullable(),
    visibility: Visibility,
    duration: z.number().nullable().describe("Seconds"),
    views: count,
    likes: count,
    comments: count,
    shares: count,
    isLiked: z.boolean().describe("By whoever asks; false without a token"),
    createdAt: Timestamp,
  })
  .meta({ id: "Video" });
export type Video = z.infer<typeof Video>;

export const CreateVideo = z.object({
  title: Title,
  description: Description.nullish(),
  visibility: Visibility.default("public"),
  videoUrl: Link,
  thumbUrl: Link.nullish(),
  duration: z.number().min(0).max(1_000_000).nullish().describe("Seconds"),
});
export type CreateVideo = z.output<typeof CreateVideo>;

/** A form's fields are text; an empty one is as none. */
const seconds = z
  .string()
  .regex(/^(\d{1,7}(\.\d{1,16})?)?$/, "must be a number of seconds")
  .transform((text) => (text === "" ? undefined : Number(text)))
  .pipe(z.number().max(1_000_000).optional());

/** The fields of a video's form, beside `file` and `thumb`. */
export const VideoFields = CreateVideo.pick({ title: true, visibility: true }).extend({
  description: Description.optional(),
  duration: seconds.optional(),
});
export type VideoFields = z.output<typeof VideoFields>;

/** The form as it is sent; its files are read as streams. */
export const VideoForm = VideoFields.extend({ file: Binary, thumb: Binary.optional() });

/** A file that was uploaded before (`POST /files/upload`, or by tus) becomes a video. */
export type PublishFile = Omit<CreateVideo, "videoUrl" | "thumbUrl"> & { fileId: string };

/** One object, so that each bad field is named. */
export const NewVideo = CreateVideo.extend({
  videoUrl: Link.optional().describe("Where it lies, if elsewhere"),
  fileId: z.string().max(64).optional().describe("A file of mine, if here"),
}).refine(({ videoUrl, fileId }) => (videoUrl === undefined) !== (fileId === undefined), {
  path: ["videoUrl"],
  message: "or fileId is needed, and not both",
});
export type NewVideo = z.output<typeof NewVideo>;

export const UpdateVideo = z.object({
  title: Title.optional(),
  description: Description.nullable().optional(),
  visibility: Visibility.optional(),
});
export type UpdateVideo = z.output<typeof UpdateVideo>;

export const VideoList = z.object({ videos: z.array(Video), pagination: Pagination });
export const LikeState = z.object({ liked: z.boolean(), likes: count });
export const ViewState = z.object({
  counted: z.boolean().describe("False within 30 minutes of the last view that counted"),
  views: count,
});
export const ShareState = z.object({ shares: count });
export { PageQuery };
