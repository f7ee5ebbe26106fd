/** Who is connected, and where (SPEC 4): what the database knows at once, and what one user's object knows of them. */
import { z } from "zod";
import { PageQuery, Pagination } from "../../../db/page.ts";
import { Timestamp } from "../../../realtime/protocol.ts";
import { UserId } from "../../users/contract.ts";
import { Search } from "../base-contract.ts";

const Count = z.number().int();

export const LiveQuery = PageQuery.extend({
  search: Search.describe("Any part of the username, of the email or of the full name"),
});
export type LiveQuery = z.output<typeof LiveQuery>;

const LivePerson = z.object({
  id: UserId,
  username: z.string(),
  fullName: z.string().nullable(),
  connectedAt: Timestamp.describe("Of the first connection of this stay"),
});

export const Live = z
  .object({
    figures: z.object({
      connected: Count.describe("People with a connection to their own object"),
      live_streams: Count,
      viewers: Count.describe("Of all live streams: in the room, or players if those are more"),
      open_calls: Count.describe("Not ended, whether or not anybody is there"),
      busy_rooms: Count.describe("In which something was said in the last moments"),
    }),
    people: z
      .array(LivePerson)
      .describe("The latest first. Who vanished without a close stays until their object notices"),
    pagination: Pagination,
  })
  .meta({ id: "AdminLive" });
export type Live = z.infer<typeof Live>;

export const Place = z.object({
  kind: z.enum(["room", "course", "stream", "call", "topic"]),
  id: z.string().describe("What clients call it"),
  name: z.string().nullable(),
});
export type Place = z.infer<typeof Place>;

export const Whereabouts = z
  .object({
    id: UserId,
    username: z.string(),
    connectedAt: Timestamp.nullable(),
    connections: Count.describe("To their own object that are alive; 0: nobody is here"),
    places: z.array(Place).describe("Where else they are connected, at most 100"),
  })
  .meta({ id: "AdminWhereabouts" });
export type Whereabouts = z.infer<typeof Whereabouts>;
