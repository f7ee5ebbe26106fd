/** A panel about one endpoint: what it is, what can be done with it, what it was sent. */
import { call } from "/api.js";
import { h } from "/dom.js";
import { number, time } from "/ui/format.js";
import { actButton } from "/ui/table.js";
import { deliveries } from "./deliveries.js";
import { badge, facts, openRecord, panelTitle } from "./parts.js";

/** `acts`: what can be done with it (`test`, `edit`, `setActive`, `remove`), each resolving to whether it was done. */
export const openWebhook = (id, acts) =>
  openRecord(
    "Endpoint",
    () => call("GET", `/admin/webhooks/${id}`),
    (webhook, panel) => {
      const sent = deliveries(id);
      const after = async (work) => (await work) && panel.refresh();
      return [
        h(
          "div",
          {},
          panelTitle(webhook.url, badge(webhook.isActive ? "on" : "off")),
          webhook.description && h("p", { class: "muted" }, webhook.description),
        ),
        webhook.offReason && h("p", { class: "note warn" }, webhook.offReason),
        facts({
          "Events of one call": number(webhook.batchSize),
          Made: time(webhook.createdAt),
        }),
        h("div", { class: "buttons" }, ...webhook.events.map((type) => badge(type))),
        h(
          "div",
          { class: "buttons" },
          // Whatever the endpoint answered, the test is among the deliveries.
          actButton("Send a test", () => acts.test(webhook).then(sent.load)),
          actButton("Edit", () => after(acts.edit(webhook))),
          webhook.isActive
            ? actButton("Switch off", () => after(acts.setActive(webhook, false)))
            : actButton("Switch on", () => after(acts.setActive(webhook, true))),
          actButton("Delete…", async () => (await acts.remove(webhook)) && panel.close(), "danger"),
        ),
        sent.node,
      ];
    },
  );
