/**
 * wrangler.toml's `[build]`: lets a plain `npx wrangler dev` serve in a fresh clone, as `npm start` does, and a deployment have
 * its pages. Does nothing where one of our scripts has prepared everything.
 */
import { migrateLocally, writeDevelopmentSecrets } from "./development.ts";
import { buildPages } from "./pages.ts";
import { PREPARED } from "./tools.ts";

if (!process.env[PREPARED]) {
  buildPages();
  if (process.env.WRANGLER_COMMAND === "dev") {
    writeDevelopmentSecrets();
    migrateLocally();
  }
}
