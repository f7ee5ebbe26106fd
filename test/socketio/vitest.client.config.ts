import { defineProject } from "vitest/config";

/** The Socket.IO layer from outside: the stock client against a server of its own. */
export default defineProject({
  root: import.meta.dirname,
  test: {
    name: "socketio-client",
    include: ["client-*.test.ts"],
    globalSetup: ["../../scripts/lab-server.ts"],
    testTimeout: 20_000,
  },
});
