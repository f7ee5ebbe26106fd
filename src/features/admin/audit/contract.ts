/** What was done by the right of a role or of a key (SPEC 4). */
import { z } from "zod";
import { PageQuery, Pagination } from "../../../db/page.ts";
import { Timestamp } from "../../../realtime/protocol.ts";
import { UserId, UserRef } from "../../users/contract.ts";
import { Search } from "../base-contract.ts";

export const AuditQuery = PageQuery.extend({
  search: Search.describe(
    "Any part of the doer's name, of the reason, of the details, of the target's id, or of the request's id. Reads every entry that the other filters leave",
  ),
  action: z.string().max(40).optional(),
  adminId: UserRef.optional(),
  keyId: z.string().max(64).optional(),
  targetType: z.string().max(40).optional(),
  targetId: z.string().max(100).optional(),
});
export type AuditQuery = z.output<typeof AuditQuery>;

export const AuditEntry = z
  .object({
    id: z.number().int(),
    adminId: UserId.nullable().describe("null: the product's own backend did it"),
    adminUsername: z.string().describe("As it was then; of a backend, the name of its key"),
    keyId: z.string().nullable().describe("The backend's key"),
    action: z.string(),
    targetType: z.string(),
    targetId: z.string(),
    reason: z.string().nullable(),
    details: z.record(z.string(), z.unknown()).nullable().describe("What it was before, and is now"),
    requestId: z.string().describe("As in X-Request-Id, and in the logs; a socket's frame has none but this"),
    createdAt: Timestamp,
  })
  .meta({ id: "AuditEntry" });
export type AuditEntry = z.infer<typeof AuditEntry>;

export const AuditList = z.object({ entries: z.array(AuditEntry), pagination: Pagination });
