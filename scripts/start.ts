/**
 * `npm start`: built pages, a development secret, a migrated local database, the server, two demo accounts.
 * `--demo` makes a world to look at, too. Further arguments go to `wrangler dev`: `npm start -- --port 9000 --var NAME:value`.
 */
import { makeDemo } from "./demo.ts";
import { migrateLocally, writeDevelopmentSecrets } from "./development.ts";
import { buildPages } from "./pages.ts";
import { option, persistence, startWrangler } from "./tools.ts";

const given = process.argv.slice(2);
const args = given.filter((arg) => arg !== "--demo");
const port = option(args, "port") ?? "8787";
const host = option(args, "ip") ?? "localhost";
const origin = `http://${host}:${port}`;
const DEMO = [
  { username: "demo", password: "demo-password" },
  { username: "friend", password: "demo-password" },
];

async function untilReady(): Promise<void> {
  for (;;) {
    const answer = await fetch(`${origin}/healthz`).catch(() => undefined);
    if (answer) {
      if (answer.ok) return;
      console.error(await answer.text());
      throw new Error("The server answers, but is not well; see above.");
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function makeDemoAccounts(): Promise<void> {
  for (const account of DEMO) {
    const response = await fetch(`${origin}/api/v1/auth/register`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...account, email: `${account.username}@example.com` }),
    });
    if (![201, 202, 409].includes(response.status)) console.error(await response.text());
    await response.body?.cancel();
  }
}

/** The platform's cron does not tick under `wrangler dev`; this does, so that the sweeps run here too. */
function tickCron(): void {
  setInterval(() => void fetch(`${origin}/cdn-cgi/local/scheduled`).catch(() => undefined), 60_000).unref();
}

buildPages();
writeDevelopmentSecrets();
migrateLocally(persistence(args));
const server = startWrangler(["dev", ...(option(args, "port") ? [] : ["--port", port]), ...args]);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => server.kill(signal));
// Also when this fails: a server that was left behind would answer in the place of the next one.
process.on("exit", () => server.kill());
server.on("exit", (code) => process.exit(code ?? 0));

await untilReady();
await makeDemoAccounts();
const demo = given.includes("--demo") ? await makeDemo(origin, args) : undefined;
tickCron();
console.log(`
  Roomcast is ready.

    Home        ${origin}/
    Messenger   ${origin}/chat
    API docs    ${origin}/docs
    Dashboard   ${origin}/admin   (after: npm run admin -- demo)
    Livestream  ${origin}/live
    Video call  ${origin}/call
    Mail        ${origin}/dev/mail

    Demo account: ${DEMO[0]?.username} / ${DEMO[0]?.password}   (and a second one: ${DEMO[1]?.username} / ${DEMO[1]?.password})
`);
if (demo) console.log(demo);
