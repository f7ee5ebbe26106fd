/** The paths that files have or had (migrations/0017). None is given to another file: an old link would show its bytes. */
import { type SQL, sql } from "drizzle-orm";
import { fingerprint } from "../platform/digest.ts";
import { fold } from "../text.ts";

/** What stands for a path: a hash, so that nothing is kept of names that were erased. A folder's name has no slash. */
export const hashPath = (folder: string, name: string): Promise<string> => fingerprint(`${fold(folder)}/${fold(name)}`);

/** Condition: a file other than `fileId` has or had the path. */
export const wasTaken = (hash: string, fileId: SQL | string): SQL =>
  sql`EXISTS (SELECT 1 FROM file_paths p WHERE p.hash = ${hash} AND p.file_id <> ${fileId})`;
