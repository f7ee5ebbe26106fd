declare namespace Cloudflare {
  interface Env {
    /** All migrations, and what they leave behind: see test/support/database.ts. */
    TEST_MIGRATIONS: import("cloudflare:test").D1Migration[];
    TEST_DATABASE: string[];
    EMPTY_DB: D1Database;
  }
  interface GlobalProps {
    mainModule: typeof import("../../src/index.ts");
  }
}
