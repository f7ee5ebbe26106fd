/** Rooms as admins see and end them (SPEC 4): who talks with whom and how much, never what is said. */
import { z } from "zod";
import { Pagination } from "../../../db/page.ts";
import { Timestamp } from "../../../realtime/protocol.ts";
import { UserId } from "../../users/contract.ts";
import { ListQuery, Search } from "../base-contract.ts";

export const RoomKind = z.enum(["group", "private", "course"]);

export const RoomItem = z
  .object({
    id: z.string().describe("What clients call it; of a course room, its own id"),
    kind: RoomKind,
    name: z.string().nullable().describe("null: a private room, or a course that its first use made"),
    courseId: z.string().nullable(),
    ownerId: UserId.nullable(),
    ownerUsername: z.string().nullable(),
    people: z.array(z.string()).describe("A private room's two usernames, in the order of their ids"),
    memberCount: z.number().int(),
    messageCount: z.number().int().describe("As the room last told; of a busy room some seconds old"),
    isBusy: z.boolean().describe("Something was said in the last moments"),
    lastActiveAt: Timestamp.describe("When something was last said; before that, when it was made"),
    createdAt: Timestamp,
  })
  .meta({ id: "AdminRoomItem" });
export type RoomItem = z.infer<typeof RoomItem>;

export const RoomListQuery = ListQuery.extend({
  search: Search.describe(
    "Any part of the name, of the id or course id, or of the owner's or the two people's usernames",
  ),
  kind: z.enum(["group", "private", "course", "all"]).default("all"),
  sort_by: z
    .enum(["created_at", "last_active_at", "member_count", "message_count"])
    .default("created_at")
    .describe("By anything but created_at, every room is read"),
});
export type RoomListQuery = z.output<typeof RoomListQuery>;

export const RoomList = z.object({ rooms: z.array(RoomItem), pagination: Pagination });

export const RoomParam = z.object({ id: z.string().min(1).max(64).describe("`id` of the list") });

export const RoomMemberItem = z
  .object({
    id: UserId,
    username: z.string(),
    fullName: z.string().nullable(),
    isOwner: z.boolean(),
    joinedAt: Timestamp,
  })
  .meta({ id: "AdminRoomMember" });

export const RoomMemberList = z.object({
  members: z.array(RoomMemberItem).describe("By their ids. Of an open course, those who were added"),
  pagination: Pagination,
});
