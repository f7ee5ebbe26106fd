/** Livestreams as admins see, end and delete them (SPEC 4). */
import { z } from "zod";
import { Pagination } from "../../../db/page.ts";
import { Timestamp } from "../../../realtime/protocol.ts";
import { Stream } from "../../streams/contract.ts";
import { ListQuery, Search } from "../base-contract.ts";

export const StreamItem = Stream.extend({
  ownerUsername: z.string().nullable(),
  players: z.number().int().describe("Players that the media server reports"),
  roomViewers: z.number().int().describe("People in the stream's room"),
  peakViewers: z.number().int().describe("The most of this session, or of the last one"),
  lastSeenAt: Timestamp.nullable().describe("When the media server was last heard of"),
  endReason: z.string().nullable().describe("Why the last session ended, as `stream.ended` tells"),
}).meta({ id: "AdminStreamItem" });
export type StreamItem = z.infer<typeof StreamItem>;

export const StreamListQuery = ListQuery.extend({
  search: Search.describe("Any part of the title, of the description, or of the owner's username"),
  status: z.enum(["live", "ended", "all"]).default("all").describe("ended: or never begun"),
  sort_by: z.enum(["created_at", "started_at"]).default("created_at").describe("started_at: by the last session"),
});
export type StreamListQuery = z.output<typeof StreamListQuery>;

export const StreamList = z.object({ streams: z.array(StreamItem), pagination: Pagination });
