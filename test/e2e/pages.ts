/**
 * `npm run test:pages`: types what the pages say may be typed, as it stands there, in a fresh copy of the repository: each page's blocks,
 * beside the server that `npm start` started there, then the commands in sentences. What it does not type, it names, with the reason.
 * Needs the package registry, or npm's cache of it. `-- --port 8970`: in the place of 8787;
 * `-- --only livestream`: those pages alone whose names have it, or `sentences`.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { option } from "../../scripts/tools.ts";
import { check, finish } from "./checks.ts";
import { copyRepository } from "./repository-copy.ts";
import { serves, Terminal } from "./terminal.ts";
import { FOLLOWED, type PageToType, pagesToType, reasonNotToType, sentencesToType, type Typed } from "./typed.ts";

const port = option(process.argv, "port") ?? "8787";
const isMeant = (name: string): boolean => name.includes(option(process.argv, "only") ?? "");
const API = `http://localhost:${port}/api/v1`;
const home = mkdtempSync(join(tmpdir(), "roomcast-pages-"));
const clone = join(home, "clone");
const terminal = new Terminal(clone, port);

/** What a page says that one sees. */
const SEEN: Record<string, RegExp> = {
  "README.md": /"type":"message:new".*I'm here <3/,
  "docs/getting-started.md": /friend: Loud and clear/,
};

/** Other languages of the pages: what runs a file of each, whether that is here, and what stands before the pages' lines. */
const LANGUAGES = [
  {
    language: "python",
    runs: "python3",
    isThere: "python3 -c 'import requests'",
    begin: 'import os\nAPI, KEY = os.environ["API"], os.environ["KEY"]',
  },
  { language: "php", runs: "php", isThere: "php -v", begin: "<?php" },
];

const PDF = "%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n";
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

const Signed = z.object({ token: z.string() });
const Key = z.object({ key: z.string() });
const Stream = z.object({ id: z.number(), streamKey: z.string() });
const Stored = z.object({ data: z.object({ folder: z.string(), name: z.string() }) });

async function post<T>(path: string, token: string, body: object | FormData, answer: z.ZodType<T>): Promise<T> {
  const isForm = body instanceof FormData;
  const response = await fetch(API + path, {
    method: "POST",
    headers: {
      ...(token === "" ? {} : { Authorization: `Bearer ${token}` }),
      ...(isForm ? {} : { "Content-Type": "application/json" }),
    },
    body: isForm ? body : JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return answer.parse(await response.json());
}

/** What the sentences around say that variables hold, and the files that are uploaded. */
async function prepare(): Promise<Record<string, string>> {
  await terminal.type("preparation", ["npm run admin -- demo"]);
  const { token } = await post("/auth/login", "", { username: "demo", password: "demo-password" }, Signed);
  const scopes = ["users", "tokens", "publish", "rooms", "read"];
  const { key } = await post("/admin/keys", token, { name: "pages", scopes }, Key);
  await fetch(`${API}/server/users/seller-3`, {
    method: "PUT",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: "{}",
  });
  const [stream, live] = [
    await post("/streams", token, { title: "Kept" }, Stream),
    await post("/streams", token, { title: "Live" }, Stream),
  ];
  const form = new FormData();
  form.set("file", new Blob([PDF]), "prepared.pdf");
  form.set("folder", "prepared");
  const { data } = await post("/files/upload", token, form, Stored);
  writeFileSync(join(clone, "lecture.pdf"), PDF);
  for (const name of ["photo.png", "one.png", "two.png"]) writeFileSync(join(clone, name), PNG);
  const [, secret = ""] = /^WEBHOOK_SECRET=(.+)$/m.exec(readFileSync(join(clone, ".dev.vars"), "utf8")) ?? [];
  return {
    API,
    TOKEN: token,
    ADMIN: token,
    KEY: key,
    STREAM: String(stream.id),
    STREAM_KEY: live.streamKey,
    FOLDER: data.folder,
    FILE: data.name,
    WEBHOOK_SECRET: secret,
    ROOMCAST_API: API,
    ROOMCAST_KEY: key,
  };
}

let variables: Record<string, string> | undefined;
let typed = 0;
const notTyped: string[] = [];
const served = new Set<string>();
const inBlocks = new Set<string>();

const placeOf = ({ page, line, text }: Typed): string => `${page}:${line}: ${text.split("\n")[0]}`;

function isTyped(one: Typed): boolean {
  const why = reasonNotToType(one);
  if (why) notTyped.push(`${placeOf(one)} — ${why}`);
  else typed += 1;
  return !why;
}

/** Parts of a block: a statement that starts a server stands alone. */
function partsOf(block: Typed[]): Typed[][] {
  const parts: Typed[][] = [];
  for (const one of block.filter(isTyped)) {
    const last = parts.at(-1);
    if (last && ![one, ...last].some(({ text }) => serves(text))) last.push(one);
    else parts.push([one]);
  }
  return parts;
}

async function serve(text: string): Promise<void> {
  await terminal.serve(text);
  served.add(text);
  variables ??= await prepare();
}

/** @returns what it printed */
async function typeIn(page: string, part: Typed[]): Promise<string> {
  const [first] = part;
  if (!first) return "";
  if (serves(first.text)) {
    // What was installed and serves is not installed again under it.
    if (!served.has(first.text) || terminal.serving === undefined) await serve(first.text);
    return "";
  }
  const texts = part.map(({ text }) => text);
  // It takes the packages away from under whatever runs.
  if (texts.some((text) => text.includes("npm ci"))) await terminal.stop();
  else if (!terminal.serving?.includes("npm start"))
    await serve(served.size === 0 ? "npm ci && npm start" : "npm start");
  try {
    return await terminal.type(page, texts, variables);
  } catch (error) {
    throw new Error(`${part.map(placeOf).join("\n")}\n${error instanceof Error ? error.message : error}`);
  }
}

const works = (text: string): Promise<boolean> =>
  terminal.type("programs", [text]).then(
    () => true,
    () => false,
  );

/** Prometheus' tools are Debian's, and not on every machine. */
async function isHere(one: Typed): Promise<boolean> {
  const [program] = /^(prom|am)tool/.exec(one.text) ?? [];
  if (program === undefined || (await works(`command -v ${program}`))) return true;
  typed -= 1;
  notTyped.push(`${placeOf(one)} — there is no ${program} here`);
  return false;
}

async function runPrograms({ page, codeIn }: PageToType): Promise<void> {
  for (const { language, runs, isThere, begin } of LANGUAGES) {
    const code = codeIn(language);
    if (code === "") continue;
    if (!(await works(isThere))) {
      notTyped.push(`${page}: its ${language} — there is none here, or it lacks what the page imports`);
      continue;
    }
    writeFileSync(join(home, language), `${begin}\n${code}\n`);
    await terminal.type("programs", [`${runs} ${join(home, language)}`], variables);
    typed += 1;
  }
}

// Also when somebody ends this: a server that was left behind would answer in the place of the next one.
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => terminal.close().finally(() => process.exit(1)));
try {
  mkdirSync(clone);
  copyRepository(clone);
  // As a clone is one: what looks for files asks git.
  execFileSync("git", ["init", "--quiet"], { cwd: clone });
  for (const one of pagesToType().filter(({ page }) => isMeant(page))) {
    const { page, blocks, files } = one;
    await check(page, async () => {
      for (const { path, code } of files) terminal.make(path, code);
      const printed: string[] = [];
      for (const block of blocks) for (const part of partsOf(block)) printed.push(await typeIn(page, part));
      for (const { text } of blocks.flat()) inBlocks.add(text.replace(/ +#.*$/, ""));
      await runPrograms(one);
      const seen = SEEN[page];
      if (seen && !seen.test(printed.join(""))) throw new Error(`${page} did not show ${seen}:\n${printed.join("")}`);
    });
  }
  const sentences = isMeant("sentences") ? sentencesToType().filter(({ text }) => !inBlocks.has(text)) : [];
  if (sentences.length > 0 && served.size === 0) await serve("npm ci && npm start");
  for (const one of sentences.filter(isTyped)) {
    if (!(await isHere(one))) continue;
    await check(placeOf(one), async () => void (await typeIn("sentences", [one])));
    // Others are typed beside the server that all pages speak of.
    if (serves(one.text)) await terminal.stop();
  }
} finally {
  await terminal.close();
  rmSync(home, { recursive: true, force: true });
}
console.log(`${typed} typed. Not typed:\n  ${notTyped.join("\n  ")}`);
for (const [page, test] of Object.entries(FOLLOWED)) console.log(`  ${page} — followed by ${test}`);
finish();
