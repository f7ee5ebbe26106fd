/** Reports as admins see and close them (SPEC 4). */
import { z } from "zod";
import { Pagination } from "../../../db/page.ts";
import { Timestamp } from "../../../realtime/protocol.ts";
import { UserId } from "../../users/contract.ts";
import { BulkIds, ListQuery, Reason, Search } from "../base-contract.ts";

export const TargetType = z.enum(["video", "comment", "user"]);
export const ReportStatus = z.enum(["pending", "resolved", "rejected"]);

const TargetInfo = z.union([
  z.object({ title: z.string(), ownerUsername: z.string().nullable() }).describe("A video"),
  z.object({ content: z.string(), authorUsername: z.string().nullable() }).describe("A comment's first 50 characters"),
  z.object({ username: z.string() }).describe("A user"),
]);
export type TargetInfo = z.infer<typeof TargetInfo>;

export const ReportItem = z
  .object({
    id: z.number().int(),
    reporterId: UserId,
    reporterUsername: z.string().nullable(),
    targetType: TargetType,
    targetId: z.number().int(),
    reason: z.string(),
    details: z.string().nullable(),
    status: ReportStatus,
    result: z.string().nullable().describe("Of a rejection: its reason"),
    resolvedBy: UserId.nullable(),
    resolvedAt: Timestamp.nullable(),
    createdAt: Timestamp,
    targetInfo: TargetInfo.nullable().describe("null when the target is gone"),
  })
  .meta({ id: "AdminReportItem" });
export type ReportItem = z.infer<typeof ReportItem>;

export const ReportListQuery = ListQuery.extend({
  search: Search.describe(
    "Any part of the reason, of the details, of the result, or of the reporter's username. Reads every report that the other filters leave",
  ),
  status: z.enum(["pending", "resolved", "rejected", "all"]).default("all"),
  target_type: z.enum(["video", "comment", "user", "all"]).default("all"),
  target_id: z
    .number()
    .int()
    .min(1)
    .optional()
    .describe("With `target_type`: the reports of one video, comment or user"),
  sort_by: z.enum(["created_at"]).default("created_at"),
});
export type ReportListQuery = z.output<typeof ReportListQuery>;

export const ReportList = z.object({ reports: z.array(ReportItem), pagination: Pagination });

const Person = z.object({ id: UserId, username: z.string(), avatarUrl: z.string().nullable() });

export const ReportDetails = z
  .object({
    report: ReportItem,
    reporter: Person.nullable(),
    target: z
      .union([
        z
          .object({
            id: z.number().int(),
            title: z.string(),
            description: z.string().nullable(),
            videoUrl: z.string(),
            thumbUrl: z.string().nullable(),
            visibility: z.enum(["public", "private"]),
            ownerId: UserId,
            ownerUsername: z.string().nullable(),
          })
          .describe("A video"),
        z
          .object({
            id: z.number().int(),
            videoId: z.number().int(),
            content: z.string(),
            authorId: UserId,
            authorUsername: z.string().nullable(),
            createdAt: Timestamp,
          })
          .describe("A comment"),
        Person.extend({ bio: z.string().nullable(), isBanned: z.boolean() }).describe("A user"),
      ])
      .nullable()
      .describe("null when it is gone"),
  })
  .meta({ id: "AdminReportDetails" });
export type ReportDetails = z.infer<typeof ReportDetails>;

export const Resolve = z.object({ result: Reason });
export const BulkResolve = z.object({ report_ids: BulkIds, result: Reason });

/** Server → client, on the event socket (SPEC 2). */
export const AdminReportFrames = {
  "admin:report_resolved": z.object({
    reportId: z.number().int(),
    status: z.enum(["resolved", "rejected"]),
    result: z.string(),
    resolvedAt: Timestamp,
  }),
};
