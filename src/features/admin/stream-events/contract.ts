/** What media servers sent, as admins see it (SPEC 4, 7). */
import { z } from "zod";
import { PageQuery, Pagination } from "../../../db/page.ts";
import { Timestamp } from "../../../realtime/protocol.ts";
import { StreamId } from "../../streams/contract.ts";
import { Search } from "../base-contract.ts";

export const StreamEvent = z
  .object({
    id: z.number().int(),
    streamId: StreamId.nullable(),
    source: z.string(),
    event: z.string().describe("As the media server calls it"),
    session: z.string(),
    outcome: z.string(),
    requestId: z.string(),
    createdAt: Timestamp,
  })
  .meta({ id: "StreamEvent" });

export const StreamEventQuery = PageQuery.extend({
  streamId: z.number().int().min(1).optional(),
  search: Search.describe("Any part of the event, its source, its session, its outcome, or the request's id"),
});
export type StreamEventQuery = z.output<typeof StreamEventQuery>;
export const StreamEventList = z.object({ events: z.array(StreamEvent), pagination: Pagination });
