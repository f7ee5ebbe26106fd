/** Comments on videos (SPEC 3). */
import { z } from "zod";
import { PageQuery, Pagination } from "../../db/page.ts";
import { Timestamp } from "../../realtime/protocol.ts";
import { userText } from "../../text.ts";
import { PersonBrief, UserId } from "../users/contract.ts";

const Id = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);

export const Comment = z
  .object({
    id: Id,
    videoId: Id,
    authorId: UserId,
    author: PersonBrief,
    parentId: Id.nullable().describe("The comment that this one replies to"),
    content: z.string(),
    createdAt: Timestamp,
  })
  .meta({ id: "Comment" });
export type Comment = z.infer<typeof Comment>;

export const WriteComment = z.object({
  videoId: Id,
  content: userText(5000).describe("`@username` tells that person"),
  parentId: Id.nullish().describe("A comment on the same video"),
});
export type WriteComment = z.output<typeof WriteComment>;

export const CommentList = z.object({ comments: z.array(Comment), pagination: Pagination });
export { PageQuery };
