import { readdirSync } from "node:fs";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { buildPages } from "./scripts/pages.ts";
import { bundleWorker } from "./test/support/bundle.ts";
import { migratedDatabase } from "./test/support/database.ts";

/** Played by test/support/oidc.ts. */
const provider = (name: string, issuer: string) => ({
  name,
  issuer,
  clientId: `us-at-${name}`,
  clientSecret: "s3cret",
});

const settings = {
  ENVIRONMENT: "development",
  DEBUG_COST: "1",
  JWT_SECRET_KEY: "test-only-secret-of-at-least-32-bytes",
  JWT_SECRET_KEY_PREVIOUS: "the-key-before-of-at-least-32-bytes",
  JWT_JWKS_URL: "https://id.example.com/jwks.json",
  JWT_ISSUER: "https://id.example.com",
  JWT_AUDIENCE: "roomcast-tests",
  JWT_SHARED_SECRET: "the-secret-of-a-backend-that-was-there-before",
  JWT_SHARED_REQUIRE: "type=access",
  OIDC_PROVIDERS: JSON.stringify([
    provider("acme", "https://acme.example.com"),
    provider("other", "https://other.example.com/realms/main"),
    provider("github", "https://github.com"),
  ]),
  VAPID_PUBLIC_KEY: "BBJ0rpx4Aap9TRi8I7hTY9g4gMXqIqYWSD7D0zEfj-fKRNsRM70roCOdbzsshCRyx1Xeq62e3rug5y2b-Y6yESM",
  VAPID_PRIVATE_KEY: "vpxTX9sy57tYzDNQ_9Hz8jQyFU8hdaPl0AIUXcpmmBs",
  PUSH_HOSTS: "push.example.com",
  WEBHOOK_SECRET: "test-webhook-secret,test-webhook-secret-next",
  FILES_SIGNING_KEY: "test-only-signing-key-of-32-bytes-min",
  METRICS_TOKEN: "test-metrics-token",
  TOPICS_OPEN: "open.*,news",
  // A test's socket starts from an empty page, whatever came before; test/offline-queue.test.ts has it on.
  OFFLINE_QUEUE: "0",
  // A cheap hash, so that a test can mint a user in a millisecond; production refuses it.
  PASSWORD_SCRYPT_LOG_N: "8",
};

const TESTS = readdirSync("test")
  .filter((name) => name.endsWith(".test.ts"))
  .map((name) => `test/${name}`);

/** Tests that assume that nothing is made by its first use. All others run as development does. */
const NOTHING_MADE = ["courses", "room-messages", "room-socket", "socketio-app", "webrtc-sessions"].map(
  (name) => `test/${name}.test.ts`,
);

/** In runtimes of their own, since they look into every object: objects that were emptied are still there to be looked into. */
const ALONE = ["test/erasure.test.ts", "test/erasure-whole.test.ts"];

const AUDIENCES = ["test/audience.test.ts"];

const QUEUES = ["test/offline-queue.test.ts", "test/replays.test.ts"];

const OTHERS = [...NOTHING_MADE, ...ALONE, ...AUDIENCES, ...QUEUES];
const DEVELOPMENT = TESTS.filter((file) => !OTHERS.includes(file));

const database = {
  TEST_MIGRATIONS: await readD1Migrations("migrations"),
  TEST_DATABASE: migratedDatabase("migrations"),
};

buildPages();

const isCounted = process.argv.includes("--coverage");
const worker = await bundleWorker(import.meta.dirname, "dist/test/worker.js", isCounted);

const TIMEOUT_MS = 20_000;

/**
 * `npm run test:quick`: all files of a worker in one runtime, which test/support/migrate.ts empties in between. A runtime takes
 * seconds to start; but what a test leaves under way may meet the next file's, so `npm test` gives each file its own.
 */
const isShared = process.argv.includes("--no-isolate");

/** Tests under settings of their own. */
const project = (name: string, more: Record<string, string>, include: string[]) => ({
  plugins: [
    worker.plugin,
    cloudflareTest({
      main: worker.file,
      wrangler: { configPath: "./wrangler.toml" },
      miniflare: {
        bindings: { ...settings, ...more, ...database },
        // The runtime itself reads the Worker; what Vitest hands it, it reads letter by letter, a second a file.
        modulesRules: isShared ? [] : [{ type: "ESModule", include: ["dist/test/worker.js"] }],
        // Nothing is in it: for the test of the migrations themselves.
        d1Databases: { EMPTY_DB: "empty" },
      },
    }),
  ],
  test: {
    include,
    name,
    isolate: !isShared || include === ALONE,
    setupFiles: ["test/support/migrate.ts", "test/support/patience.ts", "test/support/quiet.ts"],
    expect: { poll: { timeout: 10_000 } },
    testTimeout: TIMEOUT_MS,
    hookTimeout: TIMEOUT_MS,
  },
});

export default defineConfig({
  test: {
    // A workerd each.
    maxWorkers: isShared ? 3 : 2,
    silent: "passed-only" as const,
    // `npm run coverage`. By Istanbul: workerd has no counters of V8's.
    coverage: {
      provider: "istanbul" as const,
      include: ["src/**/*.ts"],
      exclude: ["**/*.d.ts"],
      reporter: ["text-summary", "json-summary", "html"],
      reportsDirectory: "dist/coverage",
      reportOnFailure: true,
      thresholds: { lines: 80, branches: 80 },
    },
    projects: [
      project("roomcast", {}, DEVELOPMENT),
      project("roomcast-alone", {}, ALONE),
      project("roomcast-nothing-made", { AUTO_CREATE: "none" }, NOTHING_MADE),
      project("roomcast-audience", { AUDIENCE_OBJECT_MAX: "3" }, AUDIENCES),
      // The same tests as without audience objects: nobody can tell where they sit.
      project("roomcast-audience-of-one", { AUDIENCE_OBJECT_MAX: "1" }, ["test/stream-chat.test.ts"]),
      project("roomcast-offline-queue", { OFFLINE_QUEUE: "1" }, QUEUES),
      "test/socketio/vitest.protocol.config.ts",
      "test/socketio/vitest.client.config.ts",
      "test/socketio/vitest.roomcast.config.ts",
      "test/packages/vitest.config.ts",
      "test/documents/vitest.config.ts",
    ],
  },
});
