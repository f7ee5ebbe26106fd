/** What an outbox row for `webrtc:<session>` holds. What a session's object is told twice it does once. */
import { z } from "zod";
import { Anonymise } from "../../db/user-references.ts";

export const SessionEnd = z.object({ endedAt: z.number().int() });
export type SessionEnd = z.infer<typeof SessionEnd>;

/** This user may not take part any more. */
const Expulsion = z.object({ expelled: z.number().int() });

export const SessionDelivery = z.union([Anonymise, SessionEnd, Expulsion]);
