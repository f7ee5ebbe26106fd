/**
 * `npm run build:pages`: the pages that are built, and not committed. Does nothing while what they are made of is as it was;
 * `npm start`, a deployment and wrangler's build hook run it, too.
 */
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./tools.ts";

const MESSENGER = join(root, "examples/messenger");
/** What the messenger is made of. Types make no difference. */
const SOURCES = [
  "examples/messenger/{src/**/*.{ts,tsx,css},index.html,vite.config.ts}",
  "packages/{client,react}/src/*.ts",
  "package-lock.json",
];
/** Beside what was built: the hash of its sources. */
const STAMP = join(root, "public/chat/.sources");

function hashOfSources(): string {
  const hash = createHash("sha256");
  for (const file of globSync(SOURCES, { cwd: root }).sort()) hash.update(file).update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

export async function buildPages(): Promise<void> {
  const sources = hashOfSources();
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === sources) return;
  // Loaded when it is needed: that alone takes half a second.
  const { build } = await import("vite");
  await build({ root: MESSENGER, configFile: join(MESSENGER, "vite.config.ts"), logLevel: "warn" });
  writeFileSync(STAMP, sources);
}

if (import.meta.main) await buildPages();
