/** The product's own people, by the product's own ids (SPEC 12). */
import { z } from "zod";
import { Timestamp, UserId, UserRef } from "../../../realtime/protocol.ts";
import { Link, userText } from "../../../text.ts";
import { Email, Username } from "../base-contract.ts";

export const ExternalId = z
  .string()
  .min(1)
  .max(255)
  .refine((text) => text.isWellFormed(), "must be well-formed text")
  .describe("The product's own id, any text; compared letter by letter");

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

/** How a server call names somebody. */
export const whom = {
  userId: UserRef.optional().describe("This, or `externalId`"),
  externalId: ExternalId.optional(),
};

/** Somebody, by one of the two. */
export type Whom = { userId?: number | undefined; externalId?: string | undefined };

export const namesOne = ({ userId, externalId }: Whom): boolean =>
  (userId === undefined) !== (externalId === undefined);
export const ONE_IS_NAMED = { path: ["externalId"], message: "name somebody by userId or by externalId" };

export const SomeUser = z.object(whom).refine(namesOne, ONE_IS_NAMED);
