/** What an endpoint was sent: state, attempts, answers; each can be sent again. */
import { call, logFault, withQuery } from "/api.js";
import { h } from "/dom.js";
import { counted, time } from "/ui/format.js";
import { notify, notifyFailure } from "/ui/notice.js";
import { actButton, onceTyped } from "/ui/table.js";
import { badge } from "./parts.js";

const LIMIT = 20;
const STATES = [
  ["", "All"],
  ["waiting", "Waiting"],
  ["delivered", "Delivered"],
  ["parked", "Parked"],
];

/** What the endpoint said last, in words. */
export const outcome = ({ status, reason }) =>
  [status === null ? null : `answered ${status}`, reason].filter(Boolean).join(", ") || "no answer yet";

/** `{node, load}`: the newest deliveries of endpoint `id`; `load` reads them anew. */
export function deliveries(id) {
  const rows = h("ul", {});
  const said = h("p", { class: "muted", role: "status" });
  const older = h("button", { type: "button", hidden: true }, "Show older");
  const choice = h(
    "select",
    { onchange: () => load() },
    ...STATES.map(([value, text]) => h("option", { value }, text)),
  );
  const search = h("input", {
    type: "search",
    maxlength: 100,
    oninput: onceTyped(() => load()),
  });
  const node = h(
    "section",
    { class: "deliveries" },
    h(
      "div",
      { class: "head" },
      h("h3", {}, "Deliveries"),
      h(
        "div",
        { class: "buttons" },
        h("label", { class: "role" }, "Search", search),
        h("label", { class: "role" }, "State", choice),
        actButton("Refresh", () => load()),
      ),
    ),
    said,
    rows,
    h("div", { class: "buttons" }, older),
  );

  function row(delivery) {
    const { attempts, nextAttemptAt, settledAt } = delivery;
    const item = h(
      "li",
      {},
      h(
        "div",
        {},
        h("p", {}, badge(delivery.state), " ", h("b", {}, delivery.type), " ", delivery.subject),
        h(
          "p",
          { class: "muted" },
          attempts === 0 ? "to be sent" : `${counted(attempts, "attempt")}: ${outcome(delivery)}`,
        ),
        h(
          "p",
          { class: "muted" },
          time(delivery.createdAt),
          nextAttemptAt && " · next try ",
          nextAttemptAt && time(nextAttemptAt),
          settledAt && " · settled ",
          settledAt && time(settledAt),
        ),
      ),
      actButton("Redeliver", () => redeliver(delivery, item)),
      h(
        "details",
        {},
        h("summary", {}, "What is sent"),
        h("pre", { tabindex: 0 }, `webhook-id: ${delivery.eventId}\n${JSON.stringify(delivery.body, null, 2)}`),
      ),
    );
    return item;
  }

  /** What is shown of it changes in its place, so that the keyboard stays there. */
  async function redeliver({ id: deliveryId }, item) {
    try {
      const path = `/admin/webhooks/${id}/deliveries/${encodeURIComponent(deliveryId)}/redeliver`;
      const next = row(await call("POST", path));
      item.replaceWith(next);
      next.querySelector("button").focus();
      notify("It is sent again");
    } catch (error) {
      notifyFailure(error);
    }
  }

  let asked = 0;
  let cursor = null;

  /** Reads the newest ones, or with `before` those that follow. An answer that another question has overtaken is dropped. */
  async function load(before = null) {
    asked += 1;
    const mine = asked;
    if (before === null) said.textContent = "Loading…";
    try {
      const query = { limit: LIMIT, state: choice.value, search: search.value.trim(), before };
      const answer = await call("GET", withQuery(`/admin/webhooks/${id}/deliveries`, query));
      if (mine !== asked) return;
      const shown = answer.deliveries.map(row);
      if (before === null) rows.replaceChildren(...shown);
      else rows.append(...shown);
      cursor = answer.nextCursor;
      older.hidden = cursor === null;
      said.textContent = rows.childElementCount > 0 ? "" : nothing();
    } catch (error) {
      logFault(error);
      if (mine === asked) said.textContent = error.message;
    }
  }

  const nothing = () => (choice.value || search.value.trim() ? "Nothing matches." : "Nothing was sent to it yet.");
  older.addEventListener("click", () => load(cursor));
  load();
  return { node, load: () => load() };
}
