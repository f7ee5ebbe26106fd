/** The descriptions, as they are written in the schemas. */
import { h } from "/dom.js";

/** Text with `code` and [links](/path) in it. */
export function prose(text) {
  return text.split(/(`[^`]+`|\[[^\]]+\]\([^)\s]+\))/).map((part) => {
    if (part.startsWith("`")) return h("code", {}, part.slice(1, -1));
    const [, words, href] = /^\[([^\]]+)\]\(((?:https?:\/\/|\/|#)[^)\s]*)\)$/.exec(part) ?? [];
    return href ? h("a", { href }, words) : part;
  });
}
