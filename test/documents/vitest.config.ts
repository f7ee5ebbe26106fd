import { defineProject } from "vitest/config";

/** The service's two documents, as programs of others read them. In Node, where their validators run. */
export default defineProject({
  root: import.meta.dirname,
  test: { name: "documents", include: ["*.test.ts"], testTimeout: 60_000 },
});
