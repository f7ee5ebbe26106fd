/** What a product's own backend publishes in an object, as it goes there. */
import { z } from "zod";

/** `id`: what the publication is known by, so that it is done once however often it comes; none: it comes once. */
export type PublicationFrame = { type: string; data: unknown; keep: boolean; id?: string | undefined };

/** `seq`: where it stands in the object's log, if it is kept. */
export const PublicationPosition = z.object({ seq: z.number().int().optional() });
export type PublicationPosition = z.infer<typeof PublicationPosition>;
