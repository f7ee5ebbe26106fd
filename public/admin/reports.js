/** The reports: look into, resolve, reject, resolve many. */
import { api } from "./api.js";
import { askReason, openPanel } from "./dialogs.js";
import { badge, el, link, time } from "./dom.js";
import { table } from "./table.js";
import { facts, ORDER } from "./users.js";

const button = (text, onclick, kind = "") => el("button", { type: "button", class: kind, text, onclick });

/** What a report is about, in words. */
function about({ targetType, targetId, targetInfo }) {
  if (targetInfo === null) return `${targetType} ${targetId}, which is gone`;
  if ("title" in targetInfo) return `video "${targetInfo.title}" by ${targetInfo.ownerUsername ?? "nobody"}`;
  if ("content" in targetInfo) return `comment "${targetInfo.content}" by ${targetInfo.authorUsername ?? "nobody"}`;
  return `user ${targetInfo.username}`;
}

export function reports(page) {
  async function close(report, verb) {
    const isResolved = verb === "resolve";
    const text = await askReason({
      title: isResolved ? "Resolve this report?" : "Reject this report?",
      label: isResolved ? "What was done" : "Why it is rejected",
      warning: "The reporter is told this.",
      confirm: isResolved ? "Resolve" : "Reject",
    });
    if (text === null) return;
    const body = isResolved ? { result: text } : { reason: text };
    await page.act(() => api(`/admin/reports/${report.id}/${verb}`, { method: "POST", body }));
  }

  async function resolveMany(ids) {
    const result = await askReason({
      title: `Resolve ${ids.length} reports?`,
      label: "What was done",
      warning: "Each reporter is told this. What is closed already stays as it is.",
      confirm: "Resolve",
    });
    if (result === null) return;
    await page.act(() => api("/admin/reports/bulk-resolve", { method: "POST", body: { report_ids: ids, result } }));
  }

  async function show(id) {
    try {
      const { report, reporter, target } = await api(`/admin/reports/${id}`);
      openPanel(
        "Report",
        el(
          "div",
          { class: "panel-body" },
          el("p", { class: "person" }, el("b", { text: report.reason }), " ", badge(report.status, report.status)),
          report.details && el("p", { class: "prose", text: report.details }),
          facts({
            By: reporter?.username ?? "nobody",
            About: about(report),
            Made: time(report.createdAt),
            Closed: time(report.resolvedAt),
            Result: report.result ?? "none yet",
          }),
          target?.content && el("p", { class: "prose", text: target.content }),
          target?.videoUrl && el("p", {}, link(target.videoUrl, "Open the video")),
        ),
      );
    } catch (error) {
      page.fail(error);
    }
  }

  return table({
    title: "Reports",
    path: "/admin/reports",
    items: "reports",
    page,
    filters: [
      {
        name: "status",
        label: "Status",
        options: [
          ["pending", "Pending"],
          ["resolved", "Resolved"],
          ["rejected", "Rejected"],
          ["all", "All"],
        ],
      },
      {
        name: "target_type",
        label: "About",
        options: [
          ["all", "Anything"],
          ["video", "Videos"],
          ["comment", "Comments"],
          ["user", "Users"],
        ],
      },
      ORDER,
    ],
    columns: [
      {
        label: "Report",
        cell: (report) => [el("b", { class: "cut", text: report.reason }), " ", badge(report.status, report.status)],
      },
      { label: "About", cell: (report) => [el("span", { class: "cut wide", text: about(report) })] },
      { label: "By", cell: (report) => [report.reporterUsername ?? "nobody"] },
      { label: "Made", cell: (report) => [time(report.createdAt)] },
    ],
    actions: (report) => [
      button("Open", () => show(report.id)),
      ...(report.status === "pending"
        ? [
            button("Resolve", () => close(report, "resolve"), "primary"),
            button("Reject", () => close(report, "reject")),
          ]
        : []),
    ],
    bulk: { label: "Resolve chosen", run: resolveMany },
  });
}
