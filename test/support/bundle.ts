/**
 * The Worker in one file, as it is deployed: a test file that loads its hundreds of modules one by one waits seconds. Tests
 * that look into the source are given the modules that the Worker itself runs on, out of that file.
 */
import { globSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { build } from "esbuild";
import type { Plugin } from "vite";
import { counted } from "./counted.ts";

const PREFIX = "\0in-bundle:";
/** What tests and the Worker must have one of: each knows its own classes by `instanceof`. */
const PACKAGES = ["hono", "hono/http-exception", "zod"];

export type WorkerBundle = { file: string; plugin: Plugin };

/**
 * Builds `src/index.ts` into `file`, with the names of the source in stack traces.
 * @param root the project's folder
 * @param isCounted whether it counts which of its lines and branches ran
 * @returns the file, and a plugin by which `test/` imports from `src/` what is in it
 */
export async function bundleWorker(root: string, file: string, isCounted: boolean): Promise<WorkerBundle> {
  const outfile = join(root, file);
  const sources = globSync("src/**/*.ts", { cwd: root }).filter((path) => !path.endsWith(".d.ts"));
  await build({
    stdin: { contents: entryOf(sources), resolveDir: root, loader: "ts" },
    outfile,
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    keepNames: true,
    // Lines stay short enough for a stack trace to say where.
    minifyWhitespace: true,
    lineLimit: 120,
    // Packages of the older kind ask for Node's modules by it.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire("/");' },
    plugins: isCounted ? [counted(join(root, "src/"))] : [],
  });
  const names = new Map([...(await namesOfSources(root, sources)), ...(await namesOfPackages())]);
  const plugin: Plugin = {
    name: "roomcast-bundle",
    enforce: "pre",
    resolveId(source, importer) {
      if (!importer?.startsWith(join(root, "test/"))) return undefined;
      const path = source.startsWith(".") ? relative(root, resolve(importer, "..", source)) : source;
      return names.has(path) ? `${PREFIX}${path}` : undefined;
    },
    load(id) {
      if (!id.startsWith(PREFIX)) return undefined;
      const path = id.slice(PREFIX.length);
      return importing(outfile, path, names.get(path) ?? []);
    },
  };
  return { file: outfile, plugin };
}

function entryOf(sources: string[]): string {
  const modules = [
    ...sources.map((path) => ({ path, from: `./${path}` })),
    ...PACKAGES.map((path) => ({ path, from: path })),
  ];
  return [
    `export * from "./src/index.ts";`,
    `export { default } from "./src/index.ts";`,
    ...modules.map(({ from }, at) => `import * as m${at} from "${from}";`),
    `export const modules = { ${modules.map(({ path }, at) => `"${path}": m${at}`).join(", ")} };`,
  ].join("\n");
}

/** A module that gives on what the bundle has of `path`. Names go by numbers: some are words of the language. */
const importing = (bundle: string, path: string, names: string[]): string =>
  [
    `import { modules } from ${JSON.stringify(bundle)};`,
    `const from = modules[${JSON.stringify(path)}];`,
    ...names.map((name, at) => `const e${at} = from.${name};`),
    `export { ${names.map((name, at) => `e${at} as ${name}`).join(", ")} };`,
  ].join("\n");

/** What each file exports, types left out. */
async function namesOfSources(root: string, sources: string[]): Promise<[path: string, names: string[]][]> {
  const { metafile } = await build({
    entryPoints: sources,
    absWorkingDir: root,
    outdir: "dist/test/names",
    outbase: ".",
    format: "esm",
    write: false,
    metafile: true,
  });
  return Object.values(metafile.outputs).map(({ entryPoint = "", exports }) => [entryPoint, named(exports)]);
}

const namesOfPackages = async (): Promise<[path: string, names: string[]][]> =>
  Promise.all(PACKAGES.map(async (path) => [path, named(Object.keys(await import(path)))]));

const named = (names: string[]): string[] => names.filter((name) => name !== "default");
