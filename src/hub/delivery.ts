/** What the outbox has for a user's hub. */
import { z } from "zod";
import { Person } from "../realtime/connection-state.ts";

/** What an outbox row for `user:<id>` holds. Frames are logged, numbered and sent; then the rest is done. */
export const HubDelivery = z.object({
  frames: z.array(z.object({ type: z.string(), data: z.unknown() })).default([]),
  /** Close the user's connections, here and in every room. */
  cut: z
    .object({
      code: z.number().int(),
      reason: z.string(),
      sessionId: z.string().optional(),
      exceptSessionId: z.string().optional(),
    })
    .optional(),
  /** A cut-off that no longer counts: the ban was lifted. */
  welcome: z.boolean().optional(),
  /** What changed about the user, for the connections that are open. */
  person: Person.partial().optional(),
});
export type HubDelivery = z.infer<typeof HubDelivery>;
export type HubPayload = z.input<typeof HubDelivery>;
