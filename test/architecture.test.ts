/** docs/architecture.md and README's map are true: what they name is there. */
import { describe, expect, it } from "vitest";
import architecture from "../docs/architecture.md?raw";
import readme from "../README.md?raw";

const FILES = import.meta.glob<string>(
  ["../src/**/*", "../migrations/*", "../public/**/*", "../bench/**/*", "../docs/*", "../packages/*/src/*"],
  {
    query: "?raw",
    import: "default",
  },
);
const PATHS = Object.keys(FILES).map((path) => path.slice(3));

/** Paths in backquotes that begin in a folder of the house; `<noun>` stands for any. */
const named = (page: string): string[] =>
  [...page.matchAll(/`((?:src|migrations|public|bench|docs|packages)\/[^`\s]*)`/g)].flatMap(([, path]) => path ?? []);

const isThere = (path: string): boolean => {
  const pattern = RegExp.escape(path).replaceAll(/\\x3c\w+\\x3e|<\w+>/g, "[^/]+");
  return PATHS.some((there) => new RegExp(path.endsWith("/") ? `^${pattern}` : `^${pattern}$`).test(there));
};

describe.each([
  ["docs/architecture.md", architecture],
  ["README.md", readme],
])("%s", (_, page) => {
  it("names only paths that are there", () => {
    const paths = named(page);
    expect(paths.length).toBeGreaterThan(15);
    expect(paths.filter((path) => !isThere(path))).toEqual([]);
  });
});

describe("docs/architecture.md", () => {
  it("names what its files have: each `name` in brackets after a path, or before `in` or `of` one", async () => {
    const after = [...architecture.matchAll(/`(src\/[^`]+\.ts)` \(((?:`\w+`(?:, )?)+)\)/g)].flatMap(
      ([, path = "", names = ""]) => [...names.matchAll(/`(\w+)`/g)].map(([, name = ""]) => ({ path, name })),
    );
    const before = [...architecture.matchAll(/`(\w+)` (?:of|in) `(src\/[^`]+\.ts)`/g)].map(
      ([, name = "", path = ""]) => ({ path, name }),
    );
    const claims = [...after, ...before];
    expect(claims.length).toBeGreaterThan(6);
    for (const { path, name } of claims) {
      const text = await FILES[`../${path}`]?.();
      expect(new RegExp(`\\b${name}\\b`).test(text ?? ""), `${name} in ${path}`).toBe(true);
    }
  });
});
