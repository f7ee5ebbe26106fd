/**
 * `npm run admin -- <username>`: makes an admin, also beside the running server. With `--remote`, in production; with `--env staging` as
 * well, there.
 */
import { z } from "zod";
import { adminSql, USERNAME } from "./admin-sql.ts";
import { positionals, runWrangler, whereOf } from "./tools.ts";

const args = process.argv.slice(2);
const [username] = positionals(args, ["env", "persist-to"]);
if (!username || !USERNAME.test(username)) {
  console.error("Usage: npm run admin -- <username> [--remote [--env staging]]");
  process.exit(2);
}
const command = `${adminSql(username)}
  SELECT id, username, role FROM users WHERE username = '${username}' COLLATE NOCASE;`;

const Output = z.array(z.object({ results: z.array(z.record(z.string(), z.unknown())).default([]) }));
const output = runWrangler(["d1", "execute", "DB", ...whereOf(args), "--json", "--command", command]);
const [user] = Output.parse(JSON.parse(output)).at(-1)?.results ?? [];
if (!user) {
  console.error(`There is no user ${username}. Register the account first.`);
  process.exit(1);
}
console.log(`${user.username} (id ${user.id}) is an admin now.`);
