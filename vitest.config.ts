import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

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
  WEBHOOK_SECRET: "test-webhook-secret,test-webhook-secret-next",
  FILES_SIGNING_KEY: "test-only-signing-key-of-32-bytes-min",
  METRICS_TOKEN: "test-metrics-token",
  // A test's socket starts from an empty page, whatever came before; test/offline-queue.test.ts has it on.
  OFFLINE_QUEUE: "0",
  // A cheap hash, so that a test can mint a user in a millisecond; production refuses it.
  PASSWORD_SCRYPT_LOG_N: "8",
};

/** Tests that assume that nothing is made by its first use. All others run as development does. */
const NOTHING_MADE = ["courses", "room-messages", "room-socket", "socketio-app", "webrtc-sessions"].map(
  (name) => `test/${name}.test.ts`,
);

const QUEUES = ["test/offline-queue.test.ts", "test/replays.test.ts"];

const project = async (
  name: string,
  more: Record<string, string>,
  files: { include: string[]; exclude?: string[] },
) => ({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: "./wrangler.toml" },
      miniflare: { bindings: { ...settings, ...more, TEST_MIGRATIONS: await readD1Migrations("migrations") } },
    }),
  ],
  test: {
    ...files,
    name,
    setupFiles: ["test/support/migrate.ts"],
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});

export default defineConfig(async () => ({
  test: {
    // Two at a time: each test file starts a workerd of its own.
    maxWorkers: 2,
    silent: "passed-only" as const,
    projects: [
      await project("roomcast", {}, { include: ["test/*.test.ts"], exclude: [...NOTHING_MADE, ...QUEUES] }),
      await project("roomcast-nothing-made", { AUTO_CREATE: "none" }, { include: NOTHING_MADE }),
      await project("roomcast-offline-queue", { OFFLINE_QUEUE: "1" }, { include: QUEUES }),
      "test/socketio/vitest.protocol.config.ts",
      "test/socketio/vitest.client.config.ts",
      "test/socketio/vitest.roomcast.config.ts",
      "test/packages/vitest.config.ts",
      "test/documents/vitest.config.ts",
    ],
  },
}));
