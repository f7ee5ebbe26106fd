import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineProject } from "vitest/config";

/** The Socket.IO layer on its own: raw protocol and evictions, inside workerd. */
export default defineProject({
  root: import.meta.dirname,
  plugins: [cloudflareTest({ wrangler: { configPath: "./wrangler.toml" } })],
  test: {
    name: "socketio-protocol",
    include: ["*.test.ts"],
    exclude: ["client-*.test.ts", "roomcast-*.test.ts"],
    testTimeout: 10_000,
  },
});
