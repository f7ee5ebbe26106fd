/** Whether somebody is here (SPEC 3). */
import { z } from "zod";
import { Timestamp } from "../../realtime/protocol.ts";

export const UserStatus = z.object({ isOnline: z.boolean(), lastSeen: Timestamp.nullable() });
export type UserStatus = z.infer<typeof UserStatus>;
