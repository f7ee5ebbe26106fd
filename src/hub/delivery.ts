/** What the outbox has for a user's hub. */
import { z } from "zod";
import { Anonymise } from "../db/user-references.ts";
import { Person } from "../realtime/connection-state.ts";
import { Revocation } from "../realtime/room-ref.ts";

/** What an outbox row for `user:<id>` holds. Frames are logged, numbered and sent; then the rest is done. */
const Current = z.object({
  frames: z.array(z.object({ type: z.string(), data: z.unknown() })).default([]),
  /** Close the user's connections, here and in every room. */
  revocation: Revocation.omit({ userId: true, asOf: true, generation: true }).optional(),
  /** Bans so far no longer count, not even where a room has not heard of them yet. */
  isReinstated: z.boolean().optional(),
  /** Users whose words are in the frames, besides those whom the frames name. */
  about: z.array(z.number().int().nullable()).default([]),
  /** The frames are a product's own: no key of theirs means a user of ours. */
  namesNobody: z.literal(true).optional(),
  /** The account is erased, and with it all that is kept here. */
  isErased: z.literal(true).optional(),
  /** The row's first id, if it was put aside and is tried again under another. */
  asOf: z.number().int().optional(),
  /** What changed about the user, for the connections that are open. */
  person: Person.partial().optional(),
  /** A browser of the user's was registered for Web Push. */
  hasPush: z.literal(true).optional(),
});

/** Rows that an older version wrote call these by other names; a deploy must not lose a ban that still waits. */
const OLDER_NAMES: [old: string, current: string][] = [
  ["cut", "revocation"],
  ["welcome", "isReinstated"],
];

export const HubDelivery = z.preprocess(
  (payload) => {
    const renamed = new Map(Object.entries(Object(payload)));
    for (const [old, current] of OLDER_NAMES) if (renamed.has(old)) renamed.set(current, renamed.get(old));
    return Object.fromEntries(renamed);
  },
  z.union([Anonymise, Current]),
);
export type HubDelivery = z.infer<typeof HubDelivery>;
export type HubPayload = z.input<typeof Current>;
