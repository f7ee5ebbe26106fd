/**
 * `npm run bundle [-- --to FOLDER]`: all that runs Roomcast on a machine of one's own, in `dist/self-host`: copy the folder there,
 * `npm ci`, and see ops/self-host/README.md. Packages are those of our own lock file.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { unstable_splitSqlQuery } from "wrangler";
import { z } from "zod";
import type { Bundle } from "../ops/self-host/migrate.ts";
import { buildWorker, COMPATIBILITY, durableObjects } from "./miniflare.ts";
import { buildPages } from "./pages.ts";
import { option, root } from "./tools.ts";

/** What the server needs beside its own file: the runtime, and a Node that it is known to work with. */
const NEEDED = ["miniflare", "undici", "node"];

const LockFile = z.looseObject({
  packages: z.record(
    z.string(),
    z.looseObject({
      version: z.string().optional(),
      dependencies: z.record(z.string(), z.string()).optional(),
      optionalDependencies: z.record(z.string(), z.string()).optional(),
    }),
  ),
});
type Packages = z.infer<typeof LockFile>["packages"];

/** Where Node finds `name` from `path`: in its own folder, or in one further up. */
function find(packages: Packages, path: string, name: string): string | undefined {
  const own = `${path}${path === "" ? "" : "/"}node_modules/${name}`;
  if (packages[own]) return own;
  if (path === "") return undefined;
  return find(packages, path.slice(0, Math.max(0, path.lastIndexOf("/node_modules/"))), name);
}

/** The part of a lock file that these packages need. */
function pruned(packages: Packages, names: string[]): Packages {
  const kept: Packages = {};
  const keep = (from: string, name: string): void => {
    const path = find(packages, from, name);
    const entry = path === undefined ? undefined : packages[path];
    if (path === undefined || entry === undefined || kept[path]) return;
    const { dev: _dev, devOptional: _devOptional, ...rest } = entry;
    kept[path] = rest;
    for (const next of Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })) keep(path, next);
  };
  for (const name of names) keep("", name);
  return kept;
}

function writePackage(folder: string): void {
  const lock = LockFile.parse(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")));
  const kept = pruned(lock.packages, NEEDED);
  const dependencies = Object.fromEntries(NEEDED.map((name) => [name, kept[`node_modules/${name}`]?.version ?? ""]));
  const about = { name: "roomcast-self-host", version: "0.1.0", private: true, type: "module", dependencies };
  const start = { start: "node server.mjs" };
  const manifest = { ...about, scripts: start, allowScripts: { node: true, workerd: true } };
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  const { name, version } = about;
  const locked = {
    name,
    version,
    lockfileVersion: 3,
    requires: true,
    packages: { "": { name, version, dependencies }, ...kept },
  };
  writeFileSync(join(folder, "package-lock.json"), `${JSON.stringify(locked, null, 2)}\n`);
}

function migrations(): Bundle["migrations"] {
  const folder = join(root, "migrations");
  return readdirSync(folder)
    .sort()
    .map((name) => ({ name, statements: unstable_splitSqlQuery(readFileSync(join(folder, name), "utf8")) }));
}

/** Builds the bundle into `folder`, in place of what is there. */
export async function bundle(folder: string): Promise<void> {
  buildPages();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const built = mkdtempSync(join(tmpdir(), "roomcast-bundle-"));
  cpSync(buildWorker(built), join(folder, "worker.js"));
  rmSync(built, { recursive: true });
  cpSync(join(root, "public"), join(folder, "public"), { recursive: true });
  const about: Bundle = { compatibility: COMPATIBILITY, durableObjects: durableObjects(), migrations: migrations() };
  writeFileSync(join(folder, "bundle.json"), JSON.stringify(about));
  await build({
    entryPoints: ["server", "admin"].map((name) => join(root, `ops/self-host/${name}.ts`)),
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node22",
    external: ["miniflare", "undici"],
    logLevel: "warning",
  });
  writePackage(folder);
}

if (import.meta.main) {
  const folder = resolve(option(process.argv, "to") ?? join(root, "dist/self-host"));
  await bundle(folder);
  console.log(`${folder} has all that a machine of your own needs: ops/self-host/README.md says how it is run.`);
}
