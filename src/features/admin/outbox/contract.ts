/** What could not be delivered and was put aside (SPEC 4, 11). */
import { z } from "zod";
import { PageQuery, Pagination } from "../../../db/page.ts";
import { Timestamp } from "../../../realtime/protocol.ts";
import { Search } from "../base-contract.ts";

export const ParkedDelivery = z
  .object({
    id: z.number().int(),
    target: z.string().describe("Who should have been told: `user:12`, `room:…`, `stream:3`"),
    bytes: z
      .number()
      .int()
      .describe("Size of what should have been told. It is not shown: it may be a private message"),
    attempts: z.number().int(),
    reason: z.string().describe("Why the last attempt failed"),
    createdAt: Timestamp,
    parkedAt: Timestamp,
  })
  .meta({ id: "ParkedDelivery" });
export type ParkedDelivery = z.infer<typeof ParkedDelivery>;

export const ParkedQuery = PageQuery.extend({ search: Search.describe("A part of the target, or of the reason") });
export type ParkedQuery = z.output<typeof ParkedQuery>;

export const ParkedList = z.object({ parked: z.array(ParkedDelivery), pagination: Pagination });
