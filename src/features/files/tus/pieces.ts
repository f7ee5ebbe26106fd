/** What of an upload is in R2 before it is whole: parts of a multipart upload, and a tail that is too small to be one. */
import { z } from "zod";

/** The column `parts`. */
export const Parts = z.array(z.object({ partNumber: z.number().int(), etag: z.string() }));
export type Parts = z.infer<typeof Parts>;

/** Where the tail is; the row's `tailPlace` says which of the two counts. */
export const tailKey = (key: string, place: number): string => `${key}.tail-${place}`;
