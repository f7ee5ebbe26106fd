import { defineProject } from "vitest/config";

/** What people install: built, packed, and used in an empty project against the Worker. */
export default defineProject({
  root: import.meta.dirname,
  test: {
    name: "packages",
    include: ["*.test.ts"],
    globalSetup: ["build.ts", "../socketio/roomcast-server.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
