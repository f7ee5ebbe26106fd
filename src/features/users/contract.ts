/** People as others see them. Nobody sees another's email or phone (SPEC 3). */
import { z } from "zod";
import { IntegerId } from "../../http/answers.ts";
import { Timestamp } from "../../realtime/protocol.ts";

export const UserId = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
export const UserIdParam = z.object({ userId: IntegerId });

/** Enough to show who did something. */
export const PersonBrief = z
  .object({ id: UserId, username: z.string(), displayName: z.string().nullable(), avatarUrl: z.string().nullable() })
  .meta({ id: "PersonBrief" });
export type PersonBrief = z.infer<typeof PersonBrief>;

export const UserStatus = z.object({ isOnline: z.boolean(), lastSeen: Timestamp.nullable() });
