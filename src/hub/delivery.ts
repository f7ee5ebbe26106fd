/** What the outbox has for a user's hub. */
import { z } from "zod";
import { Person } from "../realtime/connection-state.ts";

/** What an outbox row for `user:<id>` holds. Frames are logged, numbered and sent; then the rest is done. */
const Current = z.object({
  frames: z.array(z.object({ type: z.string(), data: z.unknown() })).default([]),
  /** Close the user's connections, here and in every room. */
  revocation: z
    .object({
      code: z.number().int(),
      reason: z.string(),
      sessionId: z.string().optional(),
      exceptSessionId: z.string().optional(),
    })
    .optional(),
  /** Revocations so far no longer count: the ban was lifted. */
  isReinstated: z.boolean().optional(),
  /** What changed about the user, for the connections that are open. */
  person: Person.partial().optional(),
});

/** Rows that an older version wrote call these by other names; a deploy must not lose a ban that still waits. */
const OLDER_NAMES: [old: string, current: string][] = [
  ["cut", "revocation"],
  ["welcome", "isReinstated"],
];

export const HubDelivery = z.preprocess((payload) => {
  const renamed = new Map(Object.entries(Object(payload)));
  for (const [old, current] of OLDER_NAMES) if (renamed.has(old)) renamed.set(current, renamed.get(old));
  return Object.fromEntries(renamed);
}, Current);
export type HubDelivery = z.infer<typeof HubDelivery>;
export type HubPayload = z.input<typeof Current>;
