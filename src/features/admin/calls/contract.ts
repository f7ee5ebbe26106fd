/** Video sessions as admins see and end them (SPEC 4), and who was there. */
import { z } from "zod";
import { Pagination } from "../../../db/page.ts";
import { AttendanceRecord, Session, SessionParam } from "../../webrtc/contract.ts";
import { ListQuery, Search } from "../base-contract.ts";

export const CallParam = SessionParam;

export const CallItem = Session.extend({
  hostUsername: z.string().nullable().describe("null: made by its first use"),
}).meta({ id: "AdminCallItem" });
export type CallItem = z.infer<typeof CallItem>;

export const CallListQuery = ListQuery.extend({
  search: Search.describe("Any part of the title, of the id or course id, or of the host's username"),
  status: z.enum(["open", "ended", "all"]).default("all").describe("open: not ended, whether or not anybody is there"),
});
export type CallListQuery = z.output<typeof CallListQuery>;

export const CallList = z.object({ calls: z.array(CallItem), pagination: Pagination });

export const AttendanceItem = AttendanceRecord.extend({
  username: z.string().nullable().describe("null: the account was erased"),
  fullName: z.string().nullable(),
}).meta({ id: "AdminAttendanceItem" });
export type AttendanceItem = z.infer<typeof AttendanceItem>;

export const AttendanceList = z.object({
  attendance: z.array(AttendanceItem).describe("One row per stay, in the order of joining"),
  pagination: Pagination,
});
