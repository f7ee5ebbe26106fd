/** Which pages there are: the README, docs/, and the READMEs of what people install, copy, run on their machines or measure with. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const FOLDERS = ["packages", "examples", "ops", "bench"];

/** All pages, as paths below `root`. */
export function pagesBelow(root: string): string[] {
  const docs = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
  const readmes = FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}/README.md`),
  );
  const pages = [...docs.map((name) => `docs/${name}`), ...readmes.filter((page) => existsSync(join(root, page)))];
  return ["README.md", ...pages];
}
