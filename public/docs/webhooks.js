/** What the service POSTs to a product's backend, event by event. */

import { fieldsAndExample, foldOut } from "/docs/item.js";
import { prose } from "/docs/prose.js";
import { resolve } from "/docs/schema.js";
import { h } from "/dom.js";

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
  const [name] = resolve(schema, api).properties.type.enum;
  const summary = [h("span", { class: "badge verb good" }, "POST"), h("code", { class: "path" }, name)];
  const item = foldOut(`webhook-${name}`, summary, () => fieldsAndExample(schema, api));
  item.dataset.words = `webhook ${name}`;
  return item;
}
