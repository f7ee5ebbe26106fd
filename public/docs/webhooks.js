/** What the service POSTs to a product's backend, event by event. */

import { prose } from "/docs/prose.js";
import { exampleOf, fieldTable, resolve } from "/docs/schema.js";
import { h } from "/dom.js";
import { codeBlock } from "/ui/copy.js";

/** The events of an endpoint, and what is asked before a message. */
const EVENTS = ["WebhookEvent", "MessageQuestion"];

export function webhooks(api) {
  const events = EVENTS.map((name) => api.components.schemas[name]).flatMap((schema) => schema.oneOf ?? [schema]);
  return h(
    "section",
    { id: "webhooks" },
    h("h2", { class: "title" }, h("a", { class: "anchor", href: "#webhooks" }, "webhooks")),
    ...Object.values(api.webhooks).map(({ post: { summary, description } }) =>
      h("p", { class: "muted" }, ...prose(`${summary} ${description}`)),
    ),
    ...events.map((schema) => event(schema, api)),
  );
}

function event(schema, api) {
  const [name] = resolve(schema.properties.type, api).enum;
  const item = h(
    "details",
    { class: "item", id: `webhook-${name}` },
    h("summary", {}, h("span", { class: "badge verb good" }, "POST"), h("code", { class: "path" }, name)),
  );
  item.dataset.words = `webhook ${name}`;
  item.addEventListener(
    "toggle",
    () =>
      item.append(
        h(
          "div",
          { class: "inside" },
          h("h3", {}, "Fields"),
          fieldTable(schema, api),
          h("h3", {}, "Example"),
          codeBlock(JSON.stringify(exampleOf(schema, api), null, 2)),
        ),
      ),
    { once: true },
  );
  return item;
}
