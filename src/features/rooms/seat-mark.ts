/** What a room keeps in each of its sockets' attachments. */
import { z } from "zod";

/** How far its user has read, and whether the database knows. */
export const SeatMark = z.object({ readSeq: z.number().int(), isSaved: z.boolean() });
export type SeatMark = z.infer<typeof SeatMark>;
