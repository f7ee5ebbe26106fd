/** What the admin's lists and actions share (SPEC 4). */
import { z } from "zod";
import { PageQuery } from "../../db/page.ts";
import { IntegerId } from "../../http/answers.ts";
import { searchText, userText } from "../../text.ts";

export const Reason = userText(500).describe("1 to 500 characters");
export const WithReason = z.object({ reason: Reason });

export const Order = z.enum(["asc", "desc"]).default("desc");
export const ListQuery = PageQuery.extend({ order: Order });
export type ListQuery = z.output<typeof ListQuery>;

export const Search = searchText()
  .optional()
  .transform((text) => text?.trim() ?? "")
  .describe("Any part of the text, compared as people read it. `%` and `_` are ordinary characters");

/** Of a list of people. */
export const PeopleQuery = PageQuery.extend({
  search: Search.describe("Any part of the username or of the full name"),
});
export type PeopleQuery = z.output<typeof PeopleQuery>;

/** Up to 100 ids, each once. */
export const BulkIds = z
  .array(IntegerId)
  .min(1)
  .max(100)
  .transform((ids) => [...new Set(ids)]);

export const BulkDone = z
  .object({
    success: z.literal(true),
    message: z.string(),
    notFound: z.array(z.number().int()).describe("Ids that there are not"),
    skipped: z.array(z.number().int()).describe("Closed already"),
  })
  .meta({ id: "BulkDone" });
export type BulkDone = z.infer<typeof BulkDone>;
