/** Packages as `npm publish` would send them. */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { root } from "../../scripts/tools.ts";

const Packed = z.tuple([z.object({ name: z.string(), filename: z.string() })]);

/** Builds and packs all of them into a folder. @returns package name → its tarball */
export function packPackages(folder: string): Record<string, string> {
  const run = (args: string[]) => execFileSync("npm", args, { cwd: root, encoding: "utf8" });
  run(["run", "--silent", "build:packages"]);
  const packed = readdirSync(join(root, "packages")).map((name) =>
    Packed.parse(JSON.parse(run(["pack", "--json", "--pack-destination", folder, "-w", `packages/${name}`]))),
  );
  return Object.fromEntries(packed.map(([{ name, filename }]) => [name, join(folder, filename)]));
}
