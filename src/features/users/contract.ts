/** People as others see them. Nobody sees another's email or phone (SPEC 3). */
import { z } from "zod";
import { PageQuery, Pagination } from "../../db/page.ts";
import { AuthorId, Timestamp, UserId, UserRef } from "../../realtime/protocol.ts";
import { searchText } from "../../text.ts";

export { AuthorId, UserId, UserRef };

/** Enough to show who did something. */
export const PersonBrief = z
  .object({ id: UserId, username: z.string(), displayName: z.string().nullable(), avatarUrl: z.string().nullable() })
  .meta({ id: "PersonBrief" });
export type PersonBrief = z.infer<typeof PersonBrief>;

/** A person in a list of people. */
export const PersonListed = PersonBrief.extend({
  fullName: z.string().nullable(),
  isVerified: z.boolean(),
  followerCount: z.number().int(),
}).meta({ id: "PersonListed" });
export type PersonListed = z.infer<typeof PersonListed>;

export const Profile = PersonListed.extend({
  bio: z.string().nullable(),
  followingCount: z.number().int(),
  videoCount: z.number().int().describe("Of the videos that whoever asks may see"),
  isFollowing: z.boolean().describe("Whether whoever asks follows them; false without a token"),
  createdAt: Timestamp,
}).meta({ id: "Profile" });
export type Profile = z.infer<typeof Profile>;

export const PeopleQuery = PageQuery.extend({
  search: searchText()
    .optional()
    .describe("In username, display name and full name; finds 1000 at most. Empty: everybody"),
});
export type PeopleQuery = z.output<typeof PeopleQuery>;

export const PeopleList = z.object({ users: z.array(PersonListed), pagination: Pagination });
