/** What a local server needs before it starts: secrets of this machine, and a migrated database. */
import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, runWrangler } from "./tools.ts";

const secret = () => randomBytes(32).toString("base64url");

export function writeDevelopmentSecrets(): void {
  const file = join(root, ".dev.vars");
  if (existsSync(file)) return;
  const lines = [
    "# Made for this machine alone, at its first start. Production's secrets are set with `wrangler secret put`.",
    "ENVIRONMENT=development",
    `JWT_SECRET_KEY=${secret()}`,
    `WEBHOOK_SECRET=${secret()}`,
    `FILES_SIGNING_KEY=${secret()}`,
    "",
  ];
  writeFileSync(file, lines.join("\n"), { mode: 0o600 });
}

/** @param where wrangler's arguments that say where the local database is; none: at its usual place */
export function migrateLocally(where: string[] = []): void {
  runWrangler(["d1", "migrations", "apply", "DB", "--local", ...where]);
}
