/** Deliveries that failed time after time: look at why, have them delivered again, or give them up. */
import { call, withQuery } from "/api.js";
import { h } from "/dom.js";
import { number, time } from "/ui/format.js";
import { actButton, recordList } from "/ui/table.js";
import { endWithReason, SEARCH } from "./parts.js";

export function parked(page) {
  const retry = ({ id }) => page.act(() => call("POST", `/admin/outbox/parked/${id}/retry`));

  const discard = ({ id, target }) =>
    endWithReason(page, {
      title: `Give up delivery ${id}?`,
      warning: `${target} is never told of it. This cannot be undone.`,
      confirm: "Give up",
      send: (reason) => call("DELETE", `/admin/outbox/parked/${id}`, { reason }),
    });

  return recordList({
    title: "Parked",
    nothing: "Nothing is parked: everything that was accepted has been delivered, or is on its way.",
    read: (query) => call("GET", withQuery("/admin/outbox/parked", query)),
    items: "parked",
    filters: [SEARCH],
    columns: [
      { label: "For", isName: true, cell: ({ target }) => [h("code", {}, target)] },
      { label: "Why", cell: ({ reason }) => [h("span", { class: "long" }, reason)] },
      { label: "Tries", isNumber: true, cell: ({ attempts }) => [number(attempts)] },
      { label: "Bytes", isNumber: true, cell: ({ bytes }) => [number(bytes)] },
      { label: "Made", cell: ({ createdAt }) => [time(createdAt)] },
      { label: "Parked", cell: ({ parkedAt }) => [time(parkedAt)] },
    ],
    acts: (delivery) => [
      actButton("Retry", () => retry(delivery)),
      actButton("Give up", () => discard(delivery), "danger"),
    ],
  });
}
