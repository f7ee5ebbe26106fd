/** Keys of a product's own backend (SPEC 12). */
import { z } from "zod";
import { Pagination, WholeListQuery } from "../../../db/page.ts";
import { Timestamp } from "../../../realtime/protocol.ts";
import { SCOPES } from "../../../scopes.ts";
import { userText } from "../../../text.ts";
import { UserId } from "../../users/contract.ts";
import { Search } from "../base-contract.ts";

export const KeyScope = z
  .enum(SCOPES)
  .describe(
    "users: the product's own people · tokens: sign them in, let them into topics · publish · rooms: the messenger's rooms · read: who is here",
  );

export const KeyId = z.string().min(1).max(64).describe("The part of the key between its underscores");
export const KeyParam = z.object({ id: KeyId });

export const CreateKey = z.object({
  name: userText(100).describe("For people: which backend has it"),
  scopes: z
    .array(KeyScope)
    .min(1)
    .max(SCOPES.length)
    .transform((scopes) => [...new Set(scopes)]),
  expiresAt: Timestamp.optional().describe("Good without end if left out"),
});
export type CreateKey = z.output<typeof CreateKey>;

const common = {
  id: KeyId,
  name: z.string(),
  scopes: z.array(KeyScope),
  expiresAt: Timestamp.nullable(),
};

export const NewKey = z
  .object({ ...common, key: z.string().describe("`rc_<id>_<secret>`: shown once, and not kept") })
  .meta({ id: "NewServerKey" });
export type NewKey = z.infer<typeof NewKey>;

export const ServerKey = z
  .object({
    ...common,
    createdBy: UserId.describe("The admin who made it"),
    createdAt: Timestamp,
    lastUsedAt: Timestamp.nullable().describe("Written at most once an hour"),
  })
  .meta({ id: "ServerKey" });
export type ServerKey = z.infer<typeof ServerKey>;

export const KeyListQuery = WholeListQuery.extend({
  search: Search.describe("Any part of the name, or of `rc_<id>`"),
  status: z.enum(["active", "expired", "all"]).default("all"),
});
export type KeyListQuery = z.output<typeof KeyListQuery>;

export const KeyList = z.object({ keys: z.array(ServerKey).describe("Newest first"), pagination: Pagination });
