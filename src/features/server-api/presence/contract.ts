/** Who is here, many at a time (SPEC 12). */
import { z } from "zod";
import { Timestamp, UserId } from "../../../realtime/protocol.ts";
import { ExternalId } from "../base-contract.ts";

/** People of one question. */
const MOST = 100;

export const PresenceQuery = z.object({
  users: z
    .union([z.array(z.string()), z.string().transform((text) => text.split(","))])
    .transform((names) => names.flatMap((name) => (name === "" ? [] : /^\d+$/.test(name) ? Number(name) : name)))
    .pipe(
      z
        .array(z.union([UserId, ExternalId]))
        .min(1)
        .max(MOST),
    )
    .meta({
      type: "array",
      items: { type: "string" },
      minItems: 1,
      maxItems: MOST,
      description: "Up to 100, `users` once for each, or one with commas: our ids, or the product's own",
    }),
});

export const PresenceList = z.object({
  presence: z
    .array(
      z.object({
        userId: UserId,
        externalId: ExternalId.nullable(),
        isOnline: z.boolean(),
        lastSeen: Timestamp.nullable(),
      }),
    )
    .describe("Whoever is not known is left out"),
});
export type PresenceList = z.infer<typeof PresenceList>;
