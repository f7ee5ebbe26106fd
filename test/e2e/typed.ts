/** What the pages say may be typed: statements of their blocks, and commands in their sentences; and what of it is not typed here. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/tools.ts";
import { pagesBelow } from "../support/page-files.ts";
import { type Block, blocksOf, fileAbove, proseOf } from "../support/pages.ts";
import { statementsIn } from "../support/shell.ts";

/** `line`: on its page, from 1. */
export type Typed = { page: string; line: number; text: string };

/** Pages that a test of their own follows, step by step. */
export const FOLLOWED: Record<string, string> = {
  "docs/extending.md": "npm run test:extending",
  "examples/existing-backend/README.md": "npm run test:backend",
  "examples/protocol-client/README.md": "npm test (test/packages/protocol-client.test.ts)",
  "packages/react/README.md": "npm run test:packed",
};

const NOT_TYPED: { what: RegExp; why: string }[] = [
  { what: /(?<!\[)--remote|npm run deploy|npx wrangler (?!dev)/, why: "needs an account at the platform" },
  {
    what: /\bsudo\b|^docker |^git pull/,
    why: "needs root, or a Docker engine; npm run test:self-host runs what they start",
  },
  { what: /^npm run smoke -- https:/, why: "needs a deployed service; npm run test:self-host runs it against one" },
  { what: /\bnpm (run )?(test|check|coverage|lint|conformance)\b/, why: "is a test, or runs in one" },
  { what: /^npm run (backup|restore|smoke)$/, why: "is named there; with what it needs it stands in blocks" },
  {
    what: /^(export npm_config_ignore_scripts|npx artillery@)|node bench\/\w+\.ts/,
    why: "loads a machine, for minutes",
  },
];

/** @returns why it is not typed, or undefined */
export const reasonNotToType = ({ text }: Typed): string | undefined =>
  NOT_TYPED.find(({ what }) => what.test(text))?.why;

const isShell = ({ language }: Block): boolean => language === "sh" || language === "bash";

export type PageToType = {
  page: string;
  /** Of the shell, each as its statements. */
  blocks: Typed[][];
  /** Those that it says to make. */
  files: { path: string; code: string }[];
  /** What it has in this language, one after the other. */
  codeIn: (language: string) => string;
};

/** The pages that begin first. */
export function pagesToType(): PageToType[] {
  const first = ["README.md", "docs/getting-started.md"];
  const pages = [...first, ...pagesBelow(root).filter((page) => !first.includes(page))];
  return pages
    .filter((page) => !(page in FOLLOWED))
    .map((page) => {
      const text = readFileSync(join(root, page), "utf8");
      const all = blocksOf(page, text);
      const files = all.flatMap((block) => {
        const path = fileAbove(text, block);
        return path ? [{ path, code: block.code }] : [];
      });
      const blocks = all
        .filter(isShell)
        .map(({ line, code }) =>
          statementsIn(code).map((one) => ({ page, line: line + one.line - 1, text: one.text })),
        );
      const codeIn = (language: string) =>
        all
          .filter((block) => block.language === language)
          .map(({ code }) => code)
          .join("\n");
      return { page, blocks, files, codeIn };
    })
    .filter(({ blocks }) => blocks.length > 0);
}

const COMMAND = /`((?:\w+=\S+ )?(?:npm (?:run \S|start)|npx \S|promtool \S|amtool \S)[^`]*)`/g;

/** Commands in sentences, each once. */
export function sentencesToType(): Typed[] {
  const found = pagesBelow(root)
    .filter((page) => !(page in FOLLOWED))
    .flatMap((page) =>
      proseOf(readFileSync(join(root, page), "utf8"))
        .split("\n")
        .flatMap((line, at) => [...line.matchAll(COMMAND)].map(([, text = ""]) => ({ page, line: at + 1, text }))),
    );
  return [...new Map(found.toReversed().map((one) => [one.text, one])).values()].toReversed();
}
