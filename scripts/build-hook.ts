/**
 * wrangler.toml's `[build]`: lets a plain `npx wrangler dev` serve in a fresh clone, as `npm start` does. Does nothing for a
 * deployment, nor where one of our scripts has prepared everything.
 */
import { migrateLocally, writeDevelopmentSecrets } from "./development.ts";
import { PREPARED } from "./tools.ts";

if (process.env.WRANGLER_COMMAND === "dev" && !process.env[PREPARED]) {
  writeDevelopmentSecrets();
  migrateLocally();
}
