/** Reports of videos, comments and people (SPEC 3). What becomes of them is the admin's (SPEC 4). */
import { z } from "zod";
import { Timestamp, UserRef } from "../../realtime/protocol.ts";
import { userText } from "../../text.ts";
import { UserId } from "../users/contract.ts";

export const ReportTarget = z.enum(["video", "comment", "user"]);
const TargetId = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);

const words = { reason: userText(500), details: userText(5000, 0).nullish() };

export const MakeReport = z.discriminatedUnion("targetType", [
  z.object({ targetType: z.literal("user"), targetId: UserRef, ...words }).meta({ id: "MakeReportOfUser" }),
  z
    .object({ targetType: ReportTarget.exclude(["user"]), targetId: TargetId, ...words })
    .meta({ id: "MakeReportOfContent" }),
]);
export type MakeReport = z.output<typeof MakeReport>;

export const Report = z
  .object({
    id: z.number().int(),
    reporterId: UserId,
    targetType: ReportTarget,
    targetId: TargetId,
    reason: z.string(),
    details: z.string().nullable(),
    status: z.enum(["pending", "resolved", "rejected"]),
    result: z.string().nullable(),
    resolvedAt: Timestamp.nullable(),
    createdAt: Timestamp,
  })
  .meta({ id: "Report" });
export type Report = z.infer<typeof Report>;
