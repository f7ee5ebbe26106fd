/** Comments as admins see and delete them (SPEC 4). */
import { z } from "zod";
import { Pagination } from "../../../db/page.ts";
import { Timestamp } from "../../../realtime/protocol.ts";
import { UserId } from "../../users/contract.ts";
import { ListQuery, Search } from "../base-contract.ts";

export const CommentItem = z
  .object({
    id: z.number().int(),
    content: z.string(),
    authorId: UserId,
    authorUsername: z.string().nullable(),
    videoId: z.number().int(),
    videoTitle: z.string().nullable(),
    parentId: z.number().int().nullable().describe("The comment that this one replies to"),
    createdAt: Timestamp,
  })
  .meta({ id: "AdminCommentItem" });
export type CommentItem = z.infer<typeof CommentItem>;

export const CommentListQuery = ListQuery.extend({
  search: Search.describe("Any part of the text, of the author's username, or of the video's title"),
  video_id: z.number().int().min(1).optional(),
});
export type CommentListQuery = z.output<typeof CommentListQuery>;

export const CommentItems = z.object({ comments: z.array(CommentItem), pagination: Pagination });
