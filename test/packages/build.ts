/** Vitest's global setup: every package built and packed, as `npm publish` would send it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { z } from "zod";
import { root } from "../../scripts/tools.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Package name → its tarball. */
    tarballs: Record<string, string>;
  }
}

const Packed = z.tuple([z.object({ name: z.string(), filename: z.string() })]);

export default function buildPackages({ provide }: TestProject): () => void {
  const run = (args: string[]) => execFileSync("npm", args, { cwd: root, encoding: "utf8" });
  run(["run", "--silent", "build:packages"]);
  const folder = mkdtempSync(join(tmpdir(), "roomcast-packages-"));
  const packed = readdirSync(join(root, "packages")).map((name) =>
    Packed.parse(JSON.parse(run(["pack", "--json", "--pack-destination", folder, "-w", `packages/${name}`]))),
  );
  provide("tarballs", Object.fromEntries(packed.map(([{ name, filename }]) => [name, join(folder, filename)])));
  return () => rmSync(folder, { recursive: true, force: true });
}
