/** `node admin.mjs <username>`: makes an admin, in the database below `DATA`, also beside the running service. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { adminSql, USERNAME } from "../../scripts/admin-sql.ts";

const [username] = process.argv.slice(2);
if (!username || !USERNAME.test(username)) {
  console.error("Usage: DATA=<the service's> node admin.mjs <username>");
  process.exit(2);
}
const folder = join(process.env.DATA ?? "data", "state/d1/miniflare-D1DatabaseObject");
/** The one D1 database; beside it lies a file about all of them. */
const [file] = readdirSync(folder).filter((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
if (!file) throw new Error(`There is no database in ${folder}.`);

const WAIT_MS = 5000;
const database = new DatabaseSync(join(folder, file), { timeout: WAIT_MS });
database.exec(`BEGIN IMMEDIATE; ${adminSql(username)} COMMIT;`);
const user = database
  .prepare("SELECT id, username FROM users WHERE username = ? COLLATE NOCASE AND role = 'admin'")
  .get(username);
database.close();
if (!user) {
  console.error(`There is no user ${username}. Register the account first.`);
  process.exit(1);
}
console.log(`${user.username} (id ${user.id}) is an admin now.`);
