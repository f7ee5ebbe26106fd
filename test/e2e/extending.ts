/**
 * `npm run test:extending`: follows docs/extending.md word for word in a copy of the repository: makes its files and its
 * changes, and runs types, lint, format, the page's tests and those that walk over what it adds there; with `-- --all`, all tests.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { root } from "../../scripts/tools.ts";
import { type Block, blocksOf, fileAbove } from "../support/pages.ts";
import { check, finish } from "./checks.ts";
import { copyRepository } from "./repository-copy.ts";

const PAGE = "docs/extending.md";
const text = readFileSync(join(root, PAGE), "utf8");

/** @throws Error a block that no file stands above */
function fileOf(block: Block): string | undefined {
  const file = fileAbove(text, block);
  if (!file && block.language !== "sh") throw new Error(`${PAGE}:${block.line}: no file stands above this block`);
  return file;
}

/** @throws Error the lines that stay or go are not there, or not there once */
function changed(before: string, { code, line }: Block): string {
  return code.split(/^@@$/m).reduce((file, hunk) => {
    const lines = hunk.replace(/^\n|\n$/g, "").split("\n");
    const of = (...marks: string[]) =>
      lines
        .filter((one) => marks.includes(one[0] ?? " "))
        .map((one) => `${one.slice(1)}\n`)
        .join("");
    const [old, fresh] = [of(" ", "-"), of(" ", "+")];
    const parts = `\n${file}`.split(`\n${old}`);
    if (parts.length !== 2) throw new Error(`${PAGE}:${line}: its lines are there ${parts.length - 1} times:\n${old}`);
    return parts.join(`\n${fresh}`).slice(1);
  }, before);
}

const copy = mkdtempSync(join(tmpdir(), "roomcast-extending-"));
copyRepository(copy);
symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
const steps = blocksOf(PAGE, text).flatMap((block) => {
  const file = fileOf(block);
  return file ? [{ block, file }] : [];
});
const made = steps.filter(({ block }) => block.language !== "diff").map(({ file }) => file);
const tests = made.filter((file) => file.endsWith(".test.ts"));
/** They know every route, table, object and setting. */
const WALKING = ["docs", "docs-pages", "schema", "sessions", "spelling", "documents/release"].map(
  (name) => `test/${name}.test.ts`,
);
const isAll = process.argv.includes("--all");

/** Of what a program said, the end. */
const SHOWN_CHARACTERS = 6000;

/** @throws Error with what the program said, if it fails */
function run(program: string, ...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: copy,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}\n${`${stdout}${stderr}`.slice(-SHOWN_CHARACTERS)}`);
}

try {
  await check(`the ${steps.length} files and changes of the page fit`, async () => {
    for (const { block, file } of steps) {
      const path = join(copy, file);
      mkdirSync(dirname(path), { recursive: true });
      if (block.language === "diff") writeFileSync(path, changed(readFileSync(path, "utf8"), block));
      else writeFileSync(path, `${block.code}\n`);
    }
    run("npm", "run", "--silent", "schema");
  });
  await check("format and lint have nothing to say", async () => {
    run(
      "npx",
      "--no-install",
      "biome",
      "format",
      ...steps.map(({ file }) => file).filter((file) => file.endsWith(".ts")),
    );
    run("npm", "run", "--silent", "lint");
  });
  await check("types fit", async () => run("npm", "run", "--silent", "types"));
  await check(
    isAll ? "all tests are green" : "the page's tests are green, and those that walk over all there is",
    async () => {
      run("npx", "--no-install", "vitest", "run", "--silent=true", ...(isAll ? [] : [...tests, ...WALKING]));
    },
  );
} finally {
  rmSync(copy, { recursive: true, force: true });
}
finish();
