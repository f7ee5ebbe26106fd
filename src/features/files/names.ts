/** What a file is called in paths: its original name made safe, or with six random characters more if that was ever used. */
import type { Kind } from "../../bytes/kinds.ts";
import { hashPath } from "../../db/file-paths.ts";
import { fold } from "../../text.ts";

/** Of the contract's 150, without the random characters and the longest extension. */
const STEM_MAX_LENGTH = 135;

/** A name, as it is looked up, and what stands for its path once it is used. */
export type Naming = { name: string; folded: string; hash: string };

export async function namingOf(folder: string, name: string): Promise<Naming> {
  return { name, folded: fold(name), hash: await hashPath(folder, name) };
}

/** The name that is wanted, and the one instead of it. */
export async function namingsFor(folder: string, stem: string, { extension }: Kind): Promise<[Naming, Naming]> {
  return [
    await namingOf(folder, `${stem}.${extension}`),
    await namingOf(folder, `${stem}-${randomCharacters()}.${extension}`),
  ];
}

const randomCharacters = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => (byte % 36).toString(36)).join("");

/** A name without its extension, of what the contract's `FileName` takes. */
export function safeStem(originalName: string): string {
  const stem = originalName
    .replace(/\.[^.]*$/, "")
    .replace(/[^\p{L}\p{M}\p{N} ._-]+/gu, "-")
    .replace(/^[^\p{L}\p{N}_]+/u, "");
  const cut = stem
    .slice(0, STEM_MAX_LENGTH)
    .toWellFormed()
    .replace(/[\uFFFD .-]+$/, "");
  return cut === "" ? "file" : cut;
}
