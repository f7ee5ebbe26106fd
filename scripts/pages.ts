/**
 * `npm run build:pages`: the pages that are built, and not committed. Does nothing while what they are made of is as it was;
 * `npm start`, a deployment and wrangler's build hook run it, too.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { InlineConfig } from "vite";
import { root } from "./tools.ts";

const MESSENGER = join(root, "examples/messenger");
/** One module for pages that import it as it is: `/<folder>/<name>.js`, made of a file and what that imports. */
const moduleOf = (entry: string, folder: string, name: string): InlineConfig => ({
  configFile: false,
  publicDir: false,
  build: {
    lib: { entry: join(root, entry), formats: ["es"], fileName: name },
    outDir: join(root, "public", folder),
    emptyOutDir: true,
    minify: true,
    target: "es2023",
  },
});

/** What is built into which folder of `public`, and of what. Types make no difference. */
const BUILT = [
  {
    folder: "client",
    sources: ["packages/client/src/*.ts"],
    config: moduleOf("packages/client/src/socket.ts", "client", "socket"),
  },
  // The charts of the dashboard. Of which version, the lock file says.
  { folder: "uplot", sources: [], config: moduleOf("node_modules/uplot/dist/uPlot.esm.js", "uplot", "uplot") },
  {
    folder: "chat",
    sources: [
      "packages/{client,react}/src/*.ts",
      "examples/messenger/{src/**/*.{ts,tsx,css},index.html,vite.config.ts}",
    ],
    config: { root: MESSENGER, configFile: join(MESSENGER, "vite.config.ts") },
  },
];
/** The tools and libraries of all of them. */
const ALWAYS = ["package-lock.json", "scripts/pages.ts"];

function hashOf(sources: string[]): string {
  const hash = createHash("sha256");
  const files = globSync([...sources, ...ALWAYS], { cwd: root }).sort();
  for (const file of files) hash.update(file).update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

/** Beside what was built: the hash of its sources. */
const stampOf = (folder: string): string => join(root, "public", folder, ".sources");

const stale = () =>
  BUILT.map((one) => ({ ...one, stamp: stampOf(one.folder), hash: hashOf(one.sources) })).filter(
    ({ stamp, hash }) => !existsSync(stamp) || readFileSync(stamp, "utf8") !== hash,
  );

/** In a process of its own, for production whatever this one is for: tests have another NODE_ENV, which React heeds. */
export function buildPages(): void {
  if (stale().length === 0) return;
  const env = { ...process.env, NODE_ENV: "production" };
  execFileSync(process.execPath, ["--no-warnings", import.meta.filename], { stdio: "inherit", env });
}

if (import.meta.main) {
  process.env.NODE_ENV = "production";
  const due = stale();
  // Loaded when it is needed: that alone takes half a second.
  if (due.length > 0) {
    const { build } = await import("vite");
    for (const { stamp, hash, config } of due) {
      await build({ ...config, logLevel: "warn" });
      writeFileSync(stamp, hash);
    }
  }
}
