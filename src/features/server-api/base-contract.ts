/** What the server API's contracts share. */
import { z } from "zod";
import { chosenId } from "../../chosen-id.ts";
import { UserId, UserRef } from "../../realtime/protocol.ts";

export { Email, FreshToken, Username } from "../auth/contract.ts";

export const ExternalId = z
  .string()
  .min(1)
  .max(255)
  .refine((text) => text.isWellFormed(), "must be well-formed text")
  .describe("The product's own id, any text; compared letter by letter");

export const Topic = chosenId(128).describe("1 to 128 of letters, digits and `_ . : -`");

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

/** Somebody in a path or a query, where there are no objects. */
export const SomebodyById = z
  .union([UserId, ExternalId])
  .describe("Our id, or the product's own; digits alone are our id");

/** Somebody in a list, or as `actAs`. */
export const Somebody = z
  .union([
    UserId,
    ExternalId,
    z.object({ userId: UserId.optional(), externalId: ExternalId.optional() }).refine(namesOne, ONE_IS_NAMED),
  ])
  .describe("Our id, the product's own id, or `{userId}` or `{externalId}`; digits alone are our id")
  .meta({ id: "Somebody" });
export type Somebody = z.output<typeof Somebody>;
