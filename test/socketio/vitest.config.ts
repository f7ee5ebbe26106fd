import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** The layer on its own: raw protocol and evictions inside workerd, and the stock client from outside. */
export default defineConfig({
  test: {
    projects: [
      {
        root: import.meta.dirname,
        plugins: [cloudflareTest({ wrangler: { configPath: "./wrangler.toml" } })],
        test: {
          name: "socketio-protocol",
          include: ["*.test.ts"],
          exclude: ["client-*.test.ts"],
          testTimeout: 10_000,
        },
      },
      {
        root: import.meta.dirname,
        test: {
          name: "socketio-client",
          include: ["client-*.test.ts"],
          globalSetup: ["../../scripts/lab-server.ts"],
          testTimeout: 20_000,
        },
      },
    ],
  },
});
