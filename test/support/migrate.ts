/** Every test file starts with an empty, migrated database; how it is migrated is tested in test/schema.test.ts. */
import { env } from "cloudflare:workers";

await env.DB.batch(env.TEST_DATABASE.map((statement) => env.DB.prepare(statement)));
