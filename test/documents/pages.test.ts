/** The pages of docs/ and the READMEs: their code compiles against the packages, and their links lead somewhere. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, normalize } from "node:path";
import { transformSync } from "esbuild";
import { describe, expect, it } from "vitest";
import { pagesBelow } from "../support/page-files.ts";
import { anchorsOf, type Block, blocksOf, linksOf } from "../support/pages.ts";

const root = join(import.meta.dirname, "../..");
const PAGES = pagesBelow(root);
const read = (page: string): string => readFileSync(join(root, page), "utf8");
const blocks = PAGES.flatMap((page) => blocksOf(page, read(page)));

const LOADERS: Record<string, "tsx" | "ts" | "jsx"> = { ts: "ts", tsx: "tsx", js: "jsx" };
const isCode = ({ language }: Block): boolean => language in LOADERS;
/** What others' programs were like before; and the steps of docs/extending.md, which test/e2e/extending.ts follows. */
const isOthers = ({ mark }: Block): boolean => mark === "before";
const isStep = ({ page }: Block): boolean => page === "docs/extending.md";

const messageOf = (error: unknown): string =>
  error instanceof Error ? (error.message.split("\n")[1] ?? error.message) : String(error);

describe("code on the pages", () => {
  const code = blocks.filter(isCode);

  it("parses", () => {
    expect(code.length).toBeGreaterThan(30);
    const wrong = code.flatMap(({ language, page, line, code: text }) => {
      try {
        transformSync(text, { loader: LOADERS[language] ?? "ts", format: "esm", target: "es2024" });
        return [];
      } catch (error) {
        return [`${page}:${line}: ${messageOf(error)}`];
      }
    });
    expect(wrong).toEqual([]);
  });

  it("imports what is there", () => {
    const isThere = (name: string): boolean =>
      builtinModules.includes(name.replace(/^node:/, "")) ||
      existsSync(join(root, "node_modules", name, "package.json"));
    const wrong = code
      .filter((block) => !isOthers(block) && !isStep(block))
      .flatMap(({ page, line, code: text }) =>
        [...text.matchAll(/^import .*"([^"]+)";$/gm)].flatMap(([, name = ""]) =>
          isThere(name) ? [] : [`${page}:${line}: imports ${name}, which is not installed`],
        ),
      );
    expect(wrong).toEqual([]);
  });

  it("in TypeScript fits the types of the packages", () => {
    const folder = join(root, "dist/pages");
    rmSync(folder, { recursive: true, force: true });
    const typed = code.filter((block) => block.language.startsWith("ts") && !isOthers(block) && !isStep(block));
    expect(typed.length).toBeGreaterThan(12);
    for (const { page, line, language, code: text } of typed) {
      const file = join(folder, page, `${line}.${language}`);
      mkdirSync(dirname(file), { recursive: true });
      // On the lines that it has on the page, so that the compiler names those.
      writeFileSync(file, `${"\n".repeat(line - 1)}${text}\nexport {};\n`);
    }
    const found = compile(folder);
    const wrong = [...found.matchAll(/^dist\/pages\/(\S+)\/\d+\.tsx?\((\d+),\d+\): (.*)$/gm)];
    expect(wrong.map(([, page, line, why]) => `${page}:${line}: ${why}`)).toEqual([]);
  });
});

/** @returns what the compiler says of it; what the pages' code speaks of without saying where it is from stands in ambient.d.ts */
function compile(folder: string): string {
  const packages = readdirSync(join(root, "packages"));
  const config = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: {
      types: ["node"],
      lib: ["esnext", "dom", "dom.iterable"],
      jsx: "react-jsx",
      noUnusedLocals: false,
      noUnusedParameters: false,
      paths: Object.fromEntries(
        packages.map((name) => [`@roomcast/${name}`, [join(root, "packages", name, "src/index.ts")]]),
      ),
    },
    include: [folder, join(import.meta.dirname, "examples")],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  try {
    return execFileSync("tsc", ["--noEmit", "--pretty", "false", "-p", folder], {
      cwd: root,
      encoding: "utf8",
      stdio: "pipe",
    });
  } catch (error) {
    if (error instanceof Error && "stdout" in error) return String(error.stdout);
    throw error;
  }
}

describe("links", () => {
  it("lead to files and headings that are there", () => {
    const wrong = PAGES.flatMap((page) =>
      linksOf(read(page))
        .filter(({ target }) => !/^https?:/.test(target))
        .flatMap(({ line, target }) => {
          const [path = "", anchor] = target.split("#");
          const file = path === "" ? page : normalize(join(dirname(page), path));
          if (file.startsWith("..") || !existsSync(join(root, file))) return [`${page}:${line}: there is no ${file}`];
          if (anchor === undefined || anchorsOf(read(file)).includes(anchor)) return [];
          return [`${page}:${line}: ${file} has no heading #${anchor}`];
        }),
    );
    expect(wrong).toEqual([]);
  });

  it("lead from the index to every page", () => {
    const index = "docs/README.md";
    const linked = linksOf(read(index)).map(({ target }) => normalize(join("docs", target.split("#")[0] ?? "")));
    expect(PAGES.filter((page) => page !== index && !linked.includes(page))).toEqual([]);
  });
});

describe("paths and tests that pages name", () => {
  it("are there", () => {
    // On the page of an example or a package, paths are below a folder of its reader's.
    const named = PAGES.filter((page) => !/^(examples|packages)\//.test(page)).flatMap((page) =>
      [
        ...read(page).matchAll(/`((?:src|migrations|public|bench|docs|packages|test|ops|examples|scripts)\/[^`\s]*)`/g),
      ].map(([, path = ""]) => ({ page, path })),
    );
    expect(named.length).toBeGreaterThan(150);
    // `<noun>` and `*` stand for any; the steps of docs/extending.md make files.
    const wrong = named.filter(
      ({ page, path }) => page !== "docs/extending.md" && !/[<*]/.test(path) && !existsSync(join(root, path)),
    );
    expect(wrong).toEqual([]);
  });

  it("have the tests that docs/security.md says they have", () => {
    const rows = [...read("docs/security.md").matchAll(/`(test\/[^`]+\.ts)`: (.+?) \|$/gm)];
    expect(rows.length).toBeGreaterThan(50);
    const wrong = rows.filter(([, file = "", name = ""]) => !read(file).includes(name));
    expect(wrong.map(([, file, name]) => `${file} has no test "${name}"`)).toEqual([]);
  });
});
