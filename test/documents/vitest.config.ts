import { defineProject } from "vitest/config";

/** The two documents, the pages and the traces, as programs of others read them. In Node, where those run. */
export default defineProject({
  root: import.meta.dirname,
  test: { name: "documents", include: ["*.test.ts"], testTimeout: 60_000 },
});
