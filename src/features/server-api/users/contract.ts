/** The product's own people, by the product's own ids (SPEC 12). */
import { z } from "zod";
import { Timestamp, UserId } from "../../../realtime/protocol.ts";
import { Link, userText } from "../../../text.ts";
import { Email, ExternalId, Username } from "../base-contract.ts";

export const ExternalIdParam = z.object({ externalId: ExternalId });

export const PutUser = z.object({
  username: Username.optional(),
  displayName: userText(100).nullable().optional(),
  avatarUrl: Link.nullable().optional(),
  email: Email.optional(),
});
export type PutUser = z.output<typeof PutUser>;

export const ServerUser = z
  .object({
    id: UserId,
    externalId: ExternalId,
    username: z.string(),
    displayName: z.string().nullable(),
    avatarUrl: z.string().nullable(),
    email: z.string().nullable(),
    isBanned: z.boolean(),
    accountStatus: z.enum(["active", "not_active", "deleted"]),
    createdAt: Timestamp,
  })
  .meta({ id: "ServerUser" });
export type ServerUser = z.infer<typeof ServerUser>;
