/** How much one user's files may take (QUOTA_FILES_MEGABYTES). What they take is counted by triggers (migrations/0017). */
import { type SQL, sql } from "drizzle-orm";
import type { Config } from "../config.ts";
import { AppError } from "../errors.ts";

/** What an upload holds of its owner's quota until it is a file: what it may come to. */
export type Reservation = { userId: number; bytes: number };

/** In bytes; null: any amount. */
export const quotaOf = ({ QUOTA_FILES_MEGABYTES }: Config): number | null =>
  QUOTA_FILES_MEGABYTES === 0 ? null : QUOTA_FILES_MEGABYTES * 1024 * 1024;

/**
 * Condition: the quota has room for so many bytes more. In the statement that takes them: of any number of uploads at once,
 * those that fit get in.
 */
export function fitsQuota(config: Config, userId: number, bytes: SQL | number): SQL {
  const quota = quotaOf(config);
  if (quota === null) return sql`1`;
  return sql`coalesce((SELECT q.bytes + q.reserved FROM file_usage q WHERE q.user_id = ${userId}), 0) + ${bytes} <= ${quota}`;
}

/** 413, not 409, which clients of tus take for a lock and try again (tus-js-client, `onShouldRetry`). */
export const overQuota = ({ QUOTA_FILES_MEGABYTES }: Config): AppError =>
  new AppError("PAYLOAD_TOO_LARGE", `Your files may take ${QUOTA_FILES_MEGABYTES} MB in all. Delete some first.`);
