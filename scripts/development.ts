/** What a local server needs before it starts: secrets of this machine, and a migrated database. */
import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, runWrangler } from "./tools.ts";
import { makeVapidKeys } from "./vapid-keys.ts";

const secret = () => randomBytes(32).toString("base64url");

export function writeDevelopmentSecrets(): void {
  const file = join(root, ".dev.vars");
  if (existsSync(file)) return addPushKeys(file);
  const lines = [
    "# Made for this machine alone, at its first start. Production's secrets are set with `wrangler secret put`.",
    "ENVIRONMENT=development",
    `JWT_SECRET_KEY=${secret()}`,
    `WEBHOOK_SECRET=${secret()}`,
    `FILES_SIGNING_KEY=${secret()}`,
    "",
  ];
  writeFileSync(file, lines.join("\n"), { mode: 0o600 });
  addPushKeys(file);
}

/** A file of an earlier release has none. */
function addPushKeys(file: string): void {
  const text = readFileSync(file, "utf8");
  if (/^VAPID_/m.test(text)) return;
  const lines = Object.entries(makeVapidKeys()).map(([name, value]) => `${name}=${value}\n`);
  appendFileSync(file, `${text === "" || text.endsWith("\n") ? "" : "\n"}${lines.join("")}`);
}

/** @param where wrangler's arguments that say where the local database is; none: at its usual place */
export function migrateLocally(where: string[] = []): void {
  runWrangler(["d1", "migrations", "apply", "DB", "--local", ...where]);
}
