/**
 * `npm run smoke -- https://api.example.com [--timeout 60]`: whether a deployed service works, from outside. Makes two accounts, sends
 * and hears a message, talks in a room and in a stream's chat, uploads by tus and downloads, connects by Socket.IO, and cleans up:
 * files and rooms are deleted, the accounts closed. Says what it did; exits with 1 if anything failed, or took too long in all.
 *
 * Where nobody may register (REQUIRE_VERIFIED_EMAIL, USER_IDS=subject), give the tokens of two accounts: `SMOKE_TOKENS=…,…`.
 * Those are not closed.
 */
import { randomBytes } from "node:crypto";
import { answerOf, roomcast } from "../packages/client/src/index.ts";
import { type Account, accountOf } from "./api.ts";
import { file, message, room, type Scene, socketIo, stream } from "./smoke/steps.ts";
import { option } from "./tools.ts";

const args = process.argv.slice(2);
const address = args.find((arg) => /^https?:\/\//.test(arg));
const timeoutSeconds = Number(option(args, "timeout") ?? "60");
if (!address || !(timeoutSeconds > 0)) {
  console.error("Usage: npm run smoke -- https://api.example.com [--timeout SECONDS]");
  process.exit(2);
}
const { origin } = new URL(address);

let failed = 0;

/** @returns what the step made, or undefined if it failed */
async function step<T>(
  name: string,
  work: () => Promise<T>,
  told = (made: T): string => String(made),
): Promise<T | undefined> {
  const started = Date.now();
  try {
    const made = await work();
    console.log(`ok    ${name}: ${told(made)} (${Date.now() - started} ms)`);
    return made;
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}: ${error instanceof Error ? error.message : error} (${Date.now() - started} ms)`);
    return undefined;
  }
}

async function health(): Promise<string> {
  const answer = await fetch(`${origin}/healthz`);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status} ${text}`);
  return text;
}

/** In a domain that gets no mail (RFC 2606). */
async function register(): Promise<Account> {
  const username = `smoke_${randomBytes(6).toString("hex")}`;
  const password = randomBytes(16).toString("hex");
  const json = { username, email: `${username}@roomcast.invalid`, password };
  const made = await answerOf(roomcast(origin).auth.register.$post({ json }));
  if (!("token" in made)) throw new Error("An account needs a verified email here: give SMOKE_TOKENS");
  return accountOf(origin, made);
}

async function known(token: string): Promise<Account> {
  const user = await answerOf(roomcast(origin, { token }).auth.me.$get());
  return accountOf(origin, { user, token });
}

/** Two people: those whose tokens were given, or new ones, which are closed at the end. */
async function people(undo: Scene["undo"]): Promise<[Account, Account]> {
  const [one, other] = process.env.SMOKE_TOKENS?.split(",") ?? [];
  if (one && other) return [await known(one.trim()), await known(other.trim())];
  const make = async () => {
    const account = await register();
    undo.push(() => answerOf(account.api.auth.me.$delete()));
    return account;
  };
  return [await make(), await make()];
}

async function cleanUp({ undo }: Pick<Scene, "undo">): Promise<string> {
  const left: string[] = [];
  for (const one of undo.toReversed()) {
    await one().catch((error: unknown) => left.push(error instanceof Error ? error.message : String(error)));
  }
  if (left.length > 0) throw new Error(left.join("; "));
  return `${undo.length} things`;
}

async function run(): Promise<void> {
  const undo: Scene["undo"] = [];
  if ((await step("health", health)) === undefined) return;
  try {
    const both = await step(
      "accounts",
      () => people(undo),
      (made) => made.map(({ username }) => username).join(", "),
    );
    if (!both) return;
    const [ann, bob] = both;
    const scene = { origin, ann, bob, undo };
    const steps = { message, room, stream, file, "Socket.IO": socketIo };
    for (const [name, work] of Object.entries(steps)) await step(name, () => work(scene));
  } finally {
    await step("cleaning up", () => cleanUp({ undo }));
  }
}

const late = setTimeout(() => {
  console.log(`FAIL  it was not done after ${timeoutSeconds} s; what was made may be left: accounts smoke_…`);
  process.exit(1);
}, timeoutSeconds * 1000);
await run();
clearTimeout(late);
console.log(failed === 0 ? `${origin} works.` : `${origin}: ${failed} failed.`);
// Sockets that were closed a moment ago would hold the process for their last words.
process.exit(failed === 0 ? 0 : 1);
