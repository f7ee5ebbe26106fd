/** Videos as admins see and change them (SPEC 4). */
import { z } from "zod";
import { Pagination } from "../../../db/page.ts";
import { Timestamp } from "../../../realtime/protocol.ts";
import { UserId, UserRef } from "../../users/contract.ts";
import { BulkIds, ListQuery, Reason, Search } from "../base-contract.ts";
import { ReportItem } from "../reports/contract.ts";

export const Visibility = z.enum(["public", "private"]);

const VideoId = z.number().int();

export const VideoItem = z
  .object({
    id: VideoId,
    title: z.string(),
    description: z.string().nullable(),
    videoUrl: z.string(),
    thumbUrl: z.string().nullable(),
    visibility: Visibility,
    ownerId: UserId,
    ownerUsername: z.string().nullable(),
    ownerAvatar: z.string().nullable(),
    views: z.number().int(),
    likes: z.number().int(),
    comments: z.number().int(),
    shares: z.number().int(),
    createdAt: Timestamp,
    duration: z.number().nullable().describe("Seconds"),
  })
  .meta({ id: "AdminVideoItem" });
export type VideoItem = z.infer<typeof VideoItem>;

export const VideoListQuery = ListQuery.extend({
  search: Search.describe("In the title and the description"),
  visibility: z.enum(["public", "private", "all"]).default("all"),
  owner_id: UserRef.optional(),
  sort_by: z.enum(["created_at", "views", "likes", "comments"]).default("created_at"),
});
export type VideoListQuery = z.output<typeof VideoListQuery>;

export const VideoList = z.object({ videos: z.array(VideoItem), pagination: Pagination });

export const VideoDetails = z
  .object({
    video: VideoItem,
    owner: z.object({ id: UserId, username: z.string(), avatarUrl: z.string().nullable() }).nullable(),
    stats: z.object({
      views: z.number().int(),
      likes: z.number().int(),
      comments: z.number().int(),
      shares: z.number().int(),
      reports: z.number().int(),
    }),
    recent_comments: z
      .array(
        z.object({
          id: z.number().int(),
          authorId: UserId,
          authorUsername: z.string().nullable(),
          parentId: z.number().int().nullable(),
          content: z.string(),
          createdAt: Timestamp,
        }),
      )
      .describe("The newest 20"),
    reports: z.array(ReportItem).describe("The newest 20"),
  })
  .meta({ id: "AdminVideoDetails" });
export type VideoDetails = z.infer<typeof VideoDetails>;

export const SetVisibility = z.object({ visibility: Visibility });
export const BulkDelete = z.object({ video_ids: BulkIds, reason: Reason });

/** Server → client, on the event socket (SPEC 2). */
export const AdminVideoFrames = {
  "admin:video_deleted": z.object({ videoId: VideoId, reason: z.string(), deletedAt: Timestamp }),
};
