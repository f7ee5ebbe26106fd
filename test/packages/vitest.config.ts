import { defineProject } from "vitest/config";

/** What people install: built, packed, and used in an empty project against the Worker. */
export default defineProject({
  root: import.meta.dirname,
  // As a browser resolves it; hooks run in one.
  resolve: { alias: { "tus-js-client": "tus-js-client/lib.esm/browser/index.js" } },
  test: {
    name: "packages",
    include: ["*.test.ts"],
    globalSetup: ["build.ts", "../socketio/roomcast-server.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
