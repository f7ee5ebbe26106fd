/** The pages of docs/ and the READMEs, as their tests read them: blocks of code, links, headings. */

/** A block between fences. `line`: of its first line of code, from 1. `mark`: what stands after the language. */
export type Block = { page: string; line: number; language: string; mark: string; code: string };

const FENCE = /^```(\w*) ?(.*)$/;

/** @throws Error a fence that is not closed */
export function blocksOf(page: string, text: string): Block[] {
  const blocks: Block[] = [];
  let open: (Block & { lines: string[] }) | undefined;
  for (const [at, line] of text.split("\n").entries()) {
    const fence = FENCE.exec(line);
    if (open && line === "```") {
      const { lines, ...block } = open;
      blocks.push({ ...block, code: lines.join("\n") });
      open = undefined;
    } else if (open) open.lines.push(line);
    else if (fence) open = { page, line: at + 2, language: fence[1] ?? "", mark: fence[2] ?? "", code: "", lines: [] };
  }
  if (open) throw new Error(`${page}:${open.line - 1}: a block that does not end`);
  return blocks;
}

/** The file that stands above a block, in bold, or undefined. */
export function fileAbove(text: string, { line }: Block): string | undefined {
  const above = text
    .split("\n")
    .slice(0, line - 2)
    .findLast((other) => other.trim() !== "");
  return /^\*\*`([^`]+)`\*\*$/.exec(above ?? "")?.[1];
}

/** The page with nothing where its blocks of code are, so that lines keep their numbers. */
export function proseOf(text: string): string {
  let isCode = false;
  const prose = text.split("\n").map((line) => {
    const isFence = line.startsWith("```");
    if (isFence) isCode = !isCode;
    return isCode || isFence ? "" : line;
  });
  return prose.join("\n");
}

/** What the headings are called in links, as GitHub makes them. */
export function anchorsOf(text: string): string[] {
  return [...proseOf(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** Links of a page, with their line. */
export function linksOf(text: string): { line: number; target: string }[] {
  return proseOf(text)
    .split("\n")
    .flatMap((line, at) =>
      [...line.matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map(([, target = ""]) => ({ line: at + 1, target })),
    );
}
