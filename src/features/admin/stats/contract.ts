/** What the dashboard polls (SPEC 4). Keys in snake_case are the contract's own. */
import { z } from "zod";
import { Timestamp } from "../../../realtime/protocol.ts";
import { UserId } from "../../users/contract.ts";

const Count = z.number().int();
const Day = z.iso.date().describe("A UTC day, YYYY-MM-DD");

export const Overview = z
  .object({
    users: z.object({
      total: Count,
      active_7d: Count.describe("Active today or on the 6 days before"),
      active: Count.describe("The same, by the name that a dashboard has for it"),
      new_today: Count,
      banned: Count,
    }),
    videos: z.object({ total: Count, public: Count, private: Count, new_today: Count }),
    reports: z.object({
      total: Count,
      pending: Count,
      resolved: Count,
      rejected: Count,
      resolved_today: Count.describe("Resolved, not rejected, today"),
    }),
    engagement: z.object({ total_likes: Count, total_comments: Count, total_follows: Count, total_views: Count }),
  })
  .meta({ id: "AdminOverview" });
export type Overview = z.infer<typeof Overview>;

/** The last 7 UTC days, oldest first, no day missing. */
export const Charts = z
  .object({
    users_chart: z.array(
      z.object({ date: Day, count: Count.describe("New"), active: Count.describe("Active on that day") }),
    ),
    videos_chart: z.array(
      z.object({ date: Day, count: Count.describe("New"), views: Count.describe("Views counted on that day") }),
    ),
    reports_chart: z
      .array(z.object({ date: Day, pending: Count, resolved: Count, rejected: Count }))
      .describe("By the day of creation and the status now"),
    engagement_chart: z.array(z.object({ date: Day, likes: Count, comments: Count, follows: Count })),
  })
  .meta({ id: "AdminCharts" });
export type Charts = z.infer<typeof Charts>;

export const RecentQuery = z.object({
  limit: z.number().int().min(1).max(100).default(10).describe("Items in each list, 1 to 100"),
});

export const RecentActivity = z
  .object({
    recent_users: z.array(
      z.object({
        id: UserId,
        username: z.string(),
        email: z.string(),
        createdAt: Timestamp,
        avatarUrl: z.string().nullable(),
      }),
    ),
    recent_videos: z.array(
      z.object({
        id: Count,
        title: z.string(),
        ownerId: UserId,
        ownerName: z.string().nullable(),
        createdAt: Timestamp,
        views: Count,
        likes: Count,
        visibility: z.enum(["public", "private"]),
      }),
    ),
    recent_reports: z.array(
      z.object({
        id: Count,
        reporterId: UserId,
        reporterName: z.string().nullable(),
        targetType: z.enum(["video", "comment", "user"]),
        targetId: Count,
        reason: z.string(),
        status: z.enum(["pending", "resolved", "rejected"]),
        createdAt: Timestamp,
      }),
    ),
  })
  .meta({ id: "AdminRecentActivity" });
export type RecentActivity = z.infer<typeof RecentActivity>;
