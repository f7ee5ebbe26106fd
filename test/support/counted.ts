/**
 * The source with Istanbul's counters in it, for `npm run coverage`. Files are counted before they are bundled, so that tests
 * run on one file as without counters; types are blanked out rather than compiled, so that what is counted stands where it
 * stands in the source, and no source map is needed.
 */
import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { createInstrumenter } from "@vitest/istanbul-lib-instrument";
import type { Plugin } from "esbuild";

/** Where Vitest's provider of coverage looks for the counters of a runtime. */
const COVERAGE_VARIABLE = "__VITEST_COVERAGE__";

/** @param folder the absolute path of the folder whose files are counted, with a slash at its end */
export const counted = (folder: string): Plugin => ({
  name: "roomcast-counted",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      if (!path.startsWith(folder)) return undefined;
      const instrumenter = createInstrumenter({
        esModules: true,
        ignoreLines: true,
        coverageVariable: COVERAGE_VARIABLE,
        coverageGlobalScope: "globalThis",
        coverageGlobalScopeFunc: false,
      });
      return {
        contents: instrumenter.instrumentSync(stripTypeScriptTypes(await readFile(path, "utf8")), path),
        loader: "js",
      };
    });
  },
});
