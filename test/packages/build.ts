/** Vitest's global setup: every package built and packed. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { packPackages } from "./pack.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Package name → its tarball. */
    tarballs: Record<string, string>;
  }
}

export default function buildPackages({ provide }: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), "roomcast-packages-"));
  provide("tarballs", packPackages(folder));
  return () => rmSync(folder, { recursive: true, force: true });
}
