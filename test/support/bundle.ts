/** The Worker in one file, as it is deployed: a test file that loads its hundreds of modules one by one waits seconds. */
import { build } from "esbuild";

/** Builds `entry` into `file`, with the names of the source in stack traces. @returns `file` */
export async function bundleWorker(entry: string, file: string): Promise<string> {
  await build({
    entryPoints: [entry],
    outfile: file,
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    keepNames: true,
  });
  return file;
}
