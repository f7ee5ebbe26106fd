/** What admins did. Nothing here can be changed. */
import { badge, el, time } from "./dom.js";
import { table } from "./table.js";

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
];

const detailText = (details) =>
  Object.entries(details ?? {})
    .map(([key, value]) => `${key}: ${value}`)
    .join(", ");

export const audit = (page) =>
  table({
    title: "Audit",
    path: "/admin/audit",
    items: "entries",
    page,
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
        ],
      },
      { name: "targetId", label: "Id", type: "number" },
      { name: "adminId", label: "Admin's id", type: "number" },
    ],
    columns: [
      { label: "When", cell: (entry) => [time(entry.createdAt)] },
      { label: "Admin", cell: (entry) => [entry.adminUsername] },
      { label: "Action", cell: (entry) => [badge(entry.action, "role")] },
      { label: "On", cell: (entry) => [`${entry.targetType} ${entry.targetId}`] },
      { label: "Reason", cell: (entry) => [el("span", { class: "wrap", text: entry.reason ?? "" })] },
      { label: "Details", cell: (entry) => [el("span", { class: "muted wrap", text: detailText(entry.details) })] },
    ],
  });
