/** The service's documents as text, made by the Worker's own code in a Node of its own. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

/** @param name `openapi.json` or `asyncapi.json` */
export function documentOf(name: string): string {
  const program = `import { documentOf } from "./scripts/documents.ts";
    process.stdout.write(JSON.stringify(await documentOf(${JSON.stringify(name)})));`;
  return execFileSync(process.execPath, ["--input-type=module", "--no-warnings", "--eval", program], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
}
