/** People as admins see and change them (SPEC 4). */
import { z } from "zod";
import { Pagination } from "../../../db/page.ts";
import { Timestamp } from "../../../realtime/protocol.ts";
import { ROLES } from "../../../roles.ts";
import { UserId } from "../../users/contract.ts";
import { ListQuery, Search } from "../base-contract.ts";
import { ReportItem } from "../reports/contract.ts";
import { VideoItem } from "../videos/contract.ts";

export const UserItem = z
  .object({
    id: UserId,
    username: z.string(),
    email: z.string(),
    fullName: z.string().nullable(),
    avatarUrl: z.string().nullable(),
    bio: z.string().nullable(),
    followerCount: z.number().int(),
    followingCount: z.number().int(),
    videoCount: z.number().int(),
    isVerified: z.boolean(),
    isBanned: z.boolean(),
    banReason: z.string().nullable(),
    createdAt: Timestamp,
    lastActive: Timestamp.nullable(),
  })
  .meta({ id: "AdminUserItem" });
export type UserItem = z.infer<typeof UserItem>;

export const UserListQuery = ListQuery.extend({
  search: Search,
  status: z.enum(["active", "banned", "all"]).default("all").describe("active: neither banned nor deactivated"),
  sort_by: z.enum(["created_at", "username", "follower_count"]).default("created_at"),
});
export type UserListQuery = z.output<typeof UserListQuery>;

export const UserList = z.object({ users: z.array(UserItem), pagination: Pagination });

export const Role = z.enum(ROLES);
export const SetRole = z.object({ role: Role });

const FullUser = UserItem.extend({
  phone: z.string().nullable(),
  displayName: z.string().nullable(),
  role: Role,
  accountStatus: z.enum(["active", "not_active", "deleted"]),
  bannedAt: Timestamp.nullable(),
  lastSeen: Timestamp.nullable(),
});

export const UserDetails = z
  .object({
    user: FullUser,
    stats: z.object({
      videos: z.number().int(),
      followers: z.number().int(),
      following: z.number().int(),
      total_likes: z.number().int().describe("Of their videos"),
      total_views: z.number().int().describe("Of their videos"),
      reports_by_user: z.number().int(),
      reports_against_user: z.number().int(),
    }),
    storage: z.object({
      files: z.number().int(),
      bytes: z.number().int().describe("What their files take"),
      reserved: z.number().int().describe("What their uploads that are under way may come to, bytes"),
      quota: z.number().int().nullable().describe("QUOTA_FILES_MEGABYTES, in bytes; null: any amount"),
    }),
    recent_videos: z.array(VideoItem).describe("The newest 10"),
    recent_reports_by: z.array(ReportItem).describe("The newest 10"),
    recent_reports_against: z.array(ReportItem).describe("The newest 10 about the account"),
  })
  .meta({ id: "AdminUserDetails" });
export type UserDetails = z.infer<typeof UserDetails>;

/** Server → client, on the event socket (SPEC 2); the socket then closes with 4003. */
export const AdminUserFrames = {
  "admin:user_banned": z.object({ userId: UserId, reason: z.string(), bannedAt: Timestamp }),
};
