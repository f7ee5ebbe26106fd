/** A line of the lists on this page that folds out: a call, a frame, an event. */
import { exampleOf, fieldTable } from "/docs/schema.js";
import { h } from "/dom.js";
import { codeBlock } from "/ui/copy.js";

/**
 * `summary`: what the line shows · `inside()`: what it shows when it is opened. It is made then: hundreds of tables would
 * make the page slow to show.
 */
export function foldOut(id, summary, inside) {
  const item = h("details", { class: "item", id }, h("summary", {}, ...summary));
  item.addEventListener("toggle", () => item.append(h("div", { class: "inside" }, ...inside())), { once: true });
  return item;
}

export const fieldsAndExample = (schema, root) => [
  h("h3", {}, "Fields"),
  fieldTable(schema, root),
  h("h3", {}, "Example"),
  codeBlock(JSON.stringify(exampleOf(schema, root), null, 2)),
];
