/**
 * `npm run deploy [-- --env staging]`: makes what is missing (database, bucket, secrets), migrates, deploys; production, unless another
 * environment of wrangler.toml is named. Needs `npx wrangler login` once; `--dry-run` needs no account: it builds what would be
 * deployed, says what it is bound to, and changes nothing.
 * ALLOWED_ORIGINS has to be said: `ALLOWED_ORIGINS=https://app.example.com npm run deploy`.
 */
import { randomBytes } from "node:crypto";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unstable_readConfig } from "wrangler";
import { z } from "zod";
import { buildPages } from "./pages.ts";
import { option, root, runWrangler } from "./tools.ts";
import { makeVapidKeys } from "./vapid-keys.ts";

const PRODUCTION = "production";
const environment = option(process.argv, "env") ?? PRODUCTION;
const inEnvironment = ["--env", environment];
const configFile = join(root, "wrangler.toml");
const GENERATED = ["JWT_SECRET_KEY", "WEBHOOK_SECRET", "FILES_SIGNING_KEY"];

const Bindings = z.object({
  d1_databases: z.tuple([z.object({ database_name: z.string() })]),
  r2_buckets: z.tuple([z.object({ bucket_name: z.string() })]),
});
const bindings = Bindings.parse(unstable_readConfig({ config: configFile, env: environment }));
const DATABASE = bindings.d1_databases[0].database_name;
const BUCKET = bindings.r2_buckets[0].bucket_name;

const Databases = z.array(z.object({ uuid: z.string(), name: z.string() }));
const Secrets = z.array(z.object({ name: z.string() }));

function listDatabases() {
  return Databases.parse(JSON.parse(runWrangler(["d1", "list", "--json"])));
}

/** The database's id belongs to the account, so it is written into wrangler.toml on the first deployment. */
function prepareDatabase(): void {
  const find = () => listDatabases().find(({ name }) => name === DATABASE);
  if (!find()) runWrangler(["d1", "create", DATABASE]);
  const found = find();
  if (!found) throw new Error("The database was not made; see above.");
  const text = readFileSync(configFile, "utf8");
  const itsId = new RegExp(`^(database_name = "${DATABASE}"\\ndatabase_id = )".*"$`, "gm");
  writeFileSync(configFile, text.replace(itsId, `$1"${found.uuid}"`));
}

function prepareBucket(): void {
  const listed = runWrangler(["r2", "bucket", "list"]);
  if (!new RegExp(`\\b${BUCKET}\\b`).test(listed)) runWrangler(["r2", "bucket", "create", BUCKET]);
}

/** Secrets that were never set get a random value; those that are there are left alone. */
function prepareSecrets(): void {
  const present = new Set(
    Secrets.parse(JSON.parse(runWrangler(["secret", "list", ...inEnvironment]))).map(({ name }) => name),
  );
  const wanted: Record<string, string> = {};
  for (const name of GENERATED) {
    if (!present.has(name)) wanted[name] = process.env[name] ?? randomBytes(32).toString("base64url");
  }
  // Web Push needs somebody to write to, so its keys are made where that is known.
  const subject = process.env.VAPID_SUBJECT;
  if (subject && !present.has("VAPID_PUBLIC_KEY")) Object.assign(wanted, makeVapidKeys(), { VAPID_SUBJECT: subject });
  const origins = process.env.ALLOWED_ORIGINS;
  if (origins) wanted.ALLOWED_ORIGINS = origins;
  else if (!present.has("ALLOWED_ORIGINS")) {
    console.error("Say which pages may use the API: ALLOWED_ORIGINS=https://app.example.com npm run deploy");
    process.exit(2);
  }
  if (Object.keys(wanted).length > 0) runWrangler(["secret", "bulk", ...inEnvironment], JSON.stringify(wanted));
}

if (process.argv.includes("--dry-run")) {
  buildPages();
  console.log(runWrangler(["deploy", "--dry-run", ...inEnvironment]));
  process.exit(0);
}
prepareDatabase();
prepareBucket();
runWrangler(["d1", "migrations", "apply", "DB", "--remote", ...inEnvironment]);
buildPages();
// The Worker must exist before it can have secrets; without them it answers with the name of the missing setting.
console.log(runWrangler(["deploy", ...inEnvironment]));
prepareSecrets();
if (environment === PRODUCTION) {
  // The next version's migrations are held to what runs there now (test/documents/release.test.ts).
  copyFileSync(join(root, "src/db/schema.sql"), join(root, "src/db/released.sql"));
}
const suffix = environment === PRODUCTION ? "" : ` --env ${environment}`;
console.log(`Deployed. See whether it works: npm run smoke -- https://<its address>
Make yourself an admin: npm run admin -- <username> --remote${suffix}`);
