/** What admins, moderators and backends did. Nothing here can be changed. */
import { call, withQuery } from "/api.js";
import { h } from "/dom.js";
import { time } from "/ui/format.js";
import { recordList } from "/ui/table.js";
import { badge, SEARCH } from "./parts.js";
import { AUDIT_ACTIONS, AUDIT_TARGETS } from "./vocabulary.js";

const named = (word) => word.replace("_", " ");
const options = (any, names) => [["", any], ...names.map((name) => [name, named(name)])];

const detailText = (details) =>
  Object.entries(details ?? {})
    .map(([key, value]) => `${key}: ${value}`)
    .join(", ");

export const audit = () =>
  recordList({
    title: "Audit",
    read: (query) => call("GET", withQuery("/admin/audit", query)),
    items: "entries",
    filters: [
      SEARCH,
      { name: "action", label: "Action", options: options("Any", AUDIT_ACTIONS) },
      { name: "targetType", label: "On", options: options("Anything", AUDIT_TARGETS) },
      { name: "targetId", label: "Id", type: "search" },
      { name: "adminId", label: "Admin's id", type: "number" },
    ],
    columns: [
      { label: "When", cell: (entry) => [time(entry.createdAt)] },
      { label: "Admin", cell: (entry) => [entry.adminUsername] },
      { label: "Action", cell: (entry) => [badge(named(entry.action), "accent")] },
      { label: "On", cell: (entry) => [`${named(entry.targetType)} ${entry.targetId}`] },
      { label: "Reason", cell: (entry) => [h("span", { class: "long" }, entry.reason ?? "")] },
      { label: "Details", cell: (entry) => [h("span", { class: "muted long" }, detailText(entry.details))] },
    ],
  });
