/** Which version of the code this is. Old and new run side by side for some minutes after a deploy (docs/deploys.md). */
import { z } from "zod";

/** `at`: when it was uploaded, ms. */
export const Version = z.object({ id: z.string(), at: z.number() });
export type Version = z.infer<typeof Version>;

/** Undefined where the platform does not say. */
export function versionOf({ CF_VERSION_METADATA: metadata }: Env): Version | undefined {
  return metadata?.id ? { id: metadata.id, at: Date.parse(metadata.timestamp) || 0 } : undefined;
}
