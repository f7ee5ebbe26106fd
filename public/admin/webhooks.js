/** Endpoints that hear what happens here: list, make, change, try; and who is asked before a message. */
import { call, Refusal, withQuery } from "/api.js";
import { h } from "/dom.js";
import { confirmed, openForm } from "/ui/dialog.js";
import { choices, chosen, field } from "/ui/form.js";
import { counted } from "/ui/format.js";
import { actButton, recordList } from "/ui/table.js";
import { beforeMessage } from "./before-message.js";
import { outcome } from "./deliveries.js";
import { addressField, badge, byStatus, MADE, SEARCH, showOnce } from "./parts.js";
import { EVENTS } from "./vocabulary.js";
import { openWebhook } from "./webhook.js";

const SECRET_USE = "Your backend checks the signature of every call with it, by Standard Webhooks.";

const fieldsOf = (webhook) => [
  addressField(webhook?.url),
  field("Description", { name: "description", maxlength: 500, value: webhook?.description ?? "" }),
  field(
    "Events of one call",
    { name: "batchSize", type: "number", required: true, min: 1, max: 100, value: webhook?.batchSize ?? 1 },
    { hint: "Up to 100. With more than 1, a call carries a list." },
  ),
  choices(
    "Events",
    "events",
    EVENTS.map((type) => [type, type]),
    webhook?.events ?? [],
  ),
];

function inputOf(form, { url, description, batchSize }) {
  const events = chosen(form, "events");
  if (events.length === 0) throw new Refusal("INVALID_REQUEST", "Choose at least one event.");
  return { url, events, description: description.trim() || null, batchSize: Number(batchSize) };
}

export function webhooks(page) {
  function create() {
    let made;
    const { form } = openForm(
      "Create an endpoint",
      {
        label: "Create",
        send: async (fields) => {
          made = await call("POST", "/admin/webhooks", inputOf(form, fields));
          list.load();
        },
        onClose: (isDone) =>
          isDone && showOnce("The endpoint's secret", { label: "Secret", secret: made.secret, use: SECRET_USE }),
      },
      ...fieldsOf(),
    );
  }

  /** Acts on one endpoint; each answers when it is done, so that a panel can show what came of it. */
  const acts = {
    test: ({ id }) =>
      page.act(async () => {
        const delivery = await call("POST", `/admin/webhooks/${id}/test`);
        if (delivery.state !== "delivered")
          throw new Refusal("NOT_TAKEN", `The test was not taken: ${outcome(delivery)}`);
        return { message: `The endpoint took the test: ${outcome(delivery)}` };
      }),
    setActive: ({ id }, isActive) =>
      page.act(async () => {
        await call("PATCH", `/admin/webhooks/${id}`, { isActive });
        return { message: isActive ? "The endpoint is on" : "The endpoint is off" };
      }),
    remove: async ({ id, url }) => {
      const text = `${url} hears of nothing any more, and what waits for it is given up. This cannot be undone.`;
      if (!(await confirmed("Delete this endpoint?", text, "Delete"))) return false;
      return page.act(() => call("DELETE", `/admin/webhooks/${id}`));
    },
    edit: (webhook) =>
      new Promise((resolve) => {
        const { form } = openForm(
          "Edit the endpoint",
          {
            label: "Save",
            send: async (fields) => {
              await call("PATCH", `/admin/webhooks/${webhook.id}`, inputOf(form, fields));
              list.load();
            },
            onClose: resolve,
          },
          ...fieldsOf(webhook),
        );
      }),
  };

  const list = recordList({
    title: "Webhooks",
    make: h("button", { type: "button", class: "primary", onclick: create }, "Create an endpoint"),
    nothing: "There is no endpoint yet. Your own backend hears through one what happens here.",
    read: (query) => call("GET", withQuery("/admin/webhooks", query)),
    items: "webhooks",
    filters: [SEARCH, byStatus(["on", "On"], ["off", "Off"])],
    columns: [
      {
        label: "Endpoint",
        isName: true,
        cell: ({ url, description, isActive }) => [
          h("span", { class: "address" }, h("b", {}, url), " ", badge(isActive ? "on" : "off")),
          description && h("span", { class: "muted cut" }, description),
        ],
      },
      {
        label: "Events",
        cell: ({ events }) => [h("span", { title: events.join(", ") }, counted(events.length, "type"))],
      },
      { label: "Of one call", isNumber: true, cell: ({ batchSize }) => [String(batchSize)] },
      MADE,
    ],
    acts: (webhook) => [
      actButton("Open", () => openWebhook(webhook.id, acts)),
      actButton("Send a test", () => acts.test(webhook)),
      webhook.isActive
        ? actButton("Switch off", () => acts.setActive(webhook, false))
        : actButton("Switch on", () => acts.setActive(webhook, true)),
    ],
  });
  const hook = beforeMessage(page);
  return {
    node: h("div", { class: "webhooks" }, list.node, hook.node),
    load: () => Promise.all([list.load(), hook.load()]),
  };
}
