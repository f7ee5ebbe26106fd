/**
 * Every test file starts with nothing but an empty, migrated database; how it is migrated is tested in test/schema.test.ts.
 * The files of a worker run one after the other in one runtime (vitest.config.ts), since starting one takes longer than most
 * files do: what the file before left is deleted, and the modules, which remember things of it, are loaded anew.
 */
import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, vi } from "vitest";

const LAST_USER = "SELECT seq FROM sqlite_sequence WHERE name = 'users'";

const isMade = async (): Promise<boolean> =>
  (await env.DB.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'users'").first()) !== null;

/** Work of the file before may still be under way, and open the database again while it is being deleted. */
async function deleteAll(): Promise<void> {
  do await reset();
  while (await isMade());
}

vi.resetModules();
const lastUser = (await isMade()) ? await env.DB.prepare(LAST_USER).first<number>("seq") : null;
await deleteAll();
await env.DB.batch(env.TEST_DATABASE.map((statement) => env.DB.prepare(statement)));
// Nor does that work meet people whom it knows.
if (lastUser !== null) {
  await env.DB.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('users', ?)").bind(lastUser).run();
}

afterAll(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});
