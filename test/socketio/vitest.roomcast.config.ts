import { defineProject } from "vitest/config";

/** Roomcast from outside: the stock client against the Worker as it is deployed. */
export default defineProject({
  root: import.meta.dirname,
  test: {
    name: "socketio-roomcast",
    include: ["roomcast-*.test.ts"],
    globalSetup: ["roomcast-server.ts"],
    testTimeout: 20_000,
  },
});
