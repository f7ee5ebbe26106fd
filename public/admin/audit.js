/** What admins did. Nothing here can be changed. */
import { call, withQuery } from "/api.js";
import { h } from "/dom.js";
import { time } from "/ui/format.js";
import { recordList } from "/ui/table.js";
import { badge } from "./parts.js";

const ACTIONS = [
  "ban",
  "unban",
  "verify",
  "deactivate",
  "restore",
  "role",
  "delete",
  "visibility",
  "resolve",
  "reject",
  "end",
  "sign_out",
];

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
      { name: "action", label: "Action", options: [["", "Any"], ...ACTIONS.map((name) => [name, name])] },
      {
        name: "targetType",
        label: "On",
        options: [
          ["", "Anything"],
          ["user", "Users"],
          ["video", "Videos"],
          ["report", "Reports"],
          ["room", "Rooms"],
          ["stream", "Streams"],
          ["call", "Calls"],
          ["file", "Files"],
        ],
      },
      { name: "targetId", label: "Id", type: "search" },
      { name: "adminId", label: "Admin's id", type: "number" },
    ],
    columns: [
      { label: "When", cell: (entry) => [time(entry.createdAt)] },
      { label: "Admin", cell: (entry) => [entry.adminUsername] },
      { label: "Action", cell: (entry) => [badge(entry.action, "accent")] },
      { label: "On", cell: (entry) => [`${entry.targetType} ${entry.targetId}`] },
      { label: "Reason", cell: (entry) => [h("span", { class: "long" }, entry.reason ?? "")] },
      { label: "Details", cell: (entry) => [h("span", { class: "muted long" }, detailText(entry.details))] },
    ],
  });
