/** What a page loads of a package, compressed: a package's build prints it (`node ../../scripts/package-sizes.ts`), and test/packages holds it to a limit. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "rolldown";
import { z } from "zod";

const Package = z.object({ name: z.string(), exports: z.record(z.string(), z.unknown()) });
const ENTRY = "\0everything";

/** Minified and compressed, with all it depends on but React. `folder`: where it is installed, or lies in a workspace. */
export async function compressedBytes(entry: string, folder: string): Promise<number> {
  const everything = {
    name: "everything",
    resolveId: (id: string) => (id === ENTRY ? id : null),
    load: (id: string) => (id === ENTRY ? `export * from ${JSON.stringify(entry)};` : null),
  };
  const { output } = await build({
    input: ENTRY,
    write: false,
    output: { minify: true },
    cwd: folder,
    platform: "browser",
    external: [/^react(\/|$)/],
    plugins: [everything],
  });
  return gzipSync(output[0].code).byteLength;
}

export const inKilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB compressed`;

if (import.meta.main) {
  const { name, exports } = Package.parse(JSON.parse(readFileSync("package.json", "utf8")));
  for (const path of Object.keys(exports)) {
    const entry = name + path.slice(1);
    console.log(`${entry}: ${inKilobytes(await compressedBytes(entry, process.cwd()))}`);
  }
}
