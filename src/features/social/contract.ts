/** Follows, friendships and blocks (SPEC 3). */
import { z } from "zod";
import { PageQuery, Pagination } from "../../db/page.ts";
import { Timestamp } from "../../realtime/protocol.ts";
import { PersonBrief, PersonListed, UserRef } from "../users/contract.ts";

export const FollowState = z.object({ following: z.boolean(), followerCount: z.number().int() });
export const FollowerList = z.object({ followers: z.array(PersonListed), pagination: Pagination });
export const FollowingList = z.object({ following: z.array(PersonListed), pagination: Pagination });

export const AskFriend = z.object({ friendId: UserRef });
export type AskFriend = z.output<typeof AskFriend>;

export const Friend = z
  .object({
    user: PersonBrief,
    status: z.enum(["pending", "accepted", "blocked"]),
    direction: z.enum(["incoming", "outgoing"]).describe("Who asked (or blocked): they, or I"),
    since: Timestamp.describe("Of the request while it is pending, of the friendship once it is accepted"),
  })
  .meta({ id: "Friend" });
export type Friend = z.infer<typeof Friend>;

export const FriendQuery = PageQuery.extend({
  status: z.enum(["accepted", "pending", "blocked"]).default("accepted").describe("blocked: whom I blocked"),
});
export type FriendQuery = z.output<typeof FriendQuery>;

export const FriendList = z.object({ friends: z.array(Friend), pagination: Pagination });
export const BlockState = z.object({ blocked: z.boolean() });
export { PageQuery };
