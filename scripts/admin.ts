/**
 * `npm run admin -- <username>`: makes an admin, also beside the running server. With `--remote`, in production.
 * It counts for tokens already given; open sockets learn it from the outbox.
 */
import { z } from "zod";
import { runWrangler, whereOf } from "./tools.ts";

const args = process.argv.slice(2);
const username = args.find((arg) => /^[A-Za-z0-9_.]{3,30}$/.test(arg));
if (!username) {
  console.error("Usage: npm run admin -- <username> [--remote]");
  process.exit(2);
}
// The pattern above leaves nothing that SQL could take for anything but text.
const command = `
  UPDATE users SET role = 'admin' WHERE username = '${username}' COLLATE NOCASE;
  INSERT INTO outbox (target, payload, created_at)
    SELECT 'user:' || id, '{"person":{"role":"admin"}}', unixepoch() * 1000 FROM users WHERE username = '${username}' COLLATE NOCASE;
  SELECT id, username, role FROM users WHERE username = '${username}' COLLATE NOCASE;`;

const Output = z.array(z.object({ results: z.array(z.record(z.string(), z.unknown())).default([]) }));
const output = runWrangler(["d1", "execute", "DB", ...whereOf(args), "--json", "--command", command]);
const [user] = Output.parse(JSON.parse(output)).at(-1)?.results ?? [];
if (!user) {
  console.error(`There is no user ${username}. Register the account first.`);
  process.exit(1);
}
console.log(`${user.username} (id ${user.id}) is an admin now.`);
