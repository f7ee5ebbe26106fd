/** Whether somebody is here (SPEC 3). */
import { z } from "zod";
import { Timestamp, UserId } from "../../realtime/protocol.ts";

export const UserStatus = z.object({ isOnline: z.boolean(), lastSeen: Timestamp.nullable() });
export type UserStatus = z.infer<typeof UserStatus>;

/** Server → client, of accepted friends; without a `seq`. */
export const PresenceFrames = {
  "presence:changed": UserStatus.extend({ userId: UserId }).describe("Of one friend, at most every 30 s"),
};
