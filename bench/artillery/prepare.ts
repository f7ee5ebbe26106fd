/**
 * `node bench/artillery/prepare.ts http://127.0.0.1:8787 [username password]`: what the scenarios beside it need. Makes a hundred
 * accounts and a stream at that address, and writes them to dist/artillery; with an admin's name and password also the admin's token.
 * The accounts stay: never against a service with people in it.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { answerOf, roomcast } from "../../packages/client/src/index.ts";
import { root } from "../../scripts/tools.ts";

/** One message a second of each is within RATE_LIMIT_MESSAGES, ten sockets of each within what an object takes of one user. */
const ACCOUNTS = 100;
const AT_ONCE = 5;

const [address, admin, adminPassword] = process.argv.slice(2);
if (!address) {
  console.error("Usage: node bench/artillery/prepare.ts http://127.0.0.1:8787 [admin's username, and password]");
  process.exit(2);
}
const folder = join(root, "dist/artillery");
mkdirSync(folder, { recursive: true });
const api = roomcast(address);
const run = randomBytes(4).toString("hex");

async function register(at: number): Promise<string> {
  const username = `load_${run}_${at}`;
  const json = { username, email: `${username}@roomcast.invalid`, password: randomBytes(16).toString("hex") };
  const made = await answerOf(api.auth.register.$post({ json }));
  if (!("token" in made)) throw new Error("An account needs a verified email there.");
  return made.token;
}

const tokens: string[] = [];
for (let at = 0; at < ACCOUNTS; at += AT_ONCE) {
  tokens.push(...(await Promise.all(Array.from({ length: AT_ONCE }, (_, more) => register(at + more)))));
}
const [token = ""] = tokens;
const { id } = await answerOf(roomcast(address, { token }).streams.$post({ json: { title: "Load" } }));
writeFileSync(join(folder, "accounts.csv"), tokens.map((one) => `${id},${one}\n`).join(""), { mode: 0o600 });
console.log(`${ACCOUNTS} accounts, and stream ${id}.`);

if (admin && adminPassword) {
  const signedIn = await answerOf(api.auth.login.$post({ json: { username: admin, password: adminPassword } }));
  writeFileSync(join(folder, "admin.csv"), `${signedIn.token}\n`, { mode: 0o600 });
  console.log(`${admin} asks for the dashboard's figures.`);
}
