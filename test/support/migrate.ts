/**
 * Every test file starts with nothing but an empty, migrated database; how it is migrated is tested in test/schema.test.ts.
 * Where the files of a worker share a runtime (vitest.config.ts), what the file before left is deleted, and the modules, which
 * remember things of it, are loaded anew.
 */
import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, vi } from "vitest";

/** Twice the longest that callObject waits before it tries again, src/platform/objects.ts. */
const LATE_MS = 240;

const LAST_USER = "SELECT seq FROM sqlite_sequence WHERE name = 'users'";

const isMade = async (): Promise<boolean> =>
  (await env.DB.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'users'").first()) !== null;

/** What the file before has under way may be tried again, up to three times, and make things anew that were deleted. */
async function deleteAll(): Promise<void> {
  do {
    await reset();
    await scheduler.wait(LATE_MS);
    await reset();
  } while (await isMade());
}

const isFirst = !(await isMade());
const lastUser = isFirst ? null : await env.DB.prepare(LAST_USER).first<number>("seq");
if (!isFirst) {
  vi.resetModules();
  await deleteAll();
}
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
