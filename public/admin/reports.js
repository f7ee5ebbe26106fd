/** The reports: look into, resolve, reject, resolve many. */
import { call, withQuery } from "/api.js";
import { h } from "/dom.js";
import { askReason } from "/ui/dialog.js";
import { time } from "/ui/format.js";
import { actButton, recordList } from "/ui/table.js";
import { removeComment } from "./comments.js";
import { badge, facts, link, MADE, nameCell, ORDER, openRecord, panelTitle, SEARCH } from "./parts.js";

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
    await page.act(() => call("POST", `/admin/reports/${report.id}/${verb}`, body));
  }

  async function resolveMany(ids) {
    const result = await askReason({
      title: `Resolve ${ids.length} reports?`,
      label: "What was done",
      warning: "Each reporter is told this. What is closed already stays as it is.",
      confirm: "Resolve",
    });
    if (result === null) return false;
    return page.act(() => call("POST", "/admin/reports/bulk-resolve", { report_ids: ids, result }));
  }

  const show = (id) =>
    openRecord(
      "Report",
      () => call("GET", `/admin/reports/${id}`),
      ({ report, reporter, target }, panel) => [
        panelTitle(report.reason, badge(report.status)),
        report.details && h("p", { class: "prose" }, report.details),
        facts({
          By: reporter?.username ?? "nobody",
          About: about(report),
          Made: time(report.createdAt),
          Closed: time(report.resolvedAt),
          Result: report.result ?? "none yet",
        }),
        target?.content && h("p", { class: "prose" }, target.content),
        target?.content &&
          h(
            "div",
            { class: "buttons" },
            actButton("Delete the comment…", () => removeComment(page, target).then(panel.refresh), "danger"),
          ),
        target?.videoUrl && h("p", {}, link(target.videoUrl, "Open the video")),
      ],
    );

  return recordList({
    title: "Reports",
    read: (query) => call("GET", withQuery("/admin/reports", query)),
    items: "reports",
    filters: [
      SEARCH,
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
      { name: "target_id", label: "Its id", type: "number" },
      ORDER,
    ],
    columns: [
      {
        label: "Report",
        isName: true,
        cell: (report) => nameCell(report.reason, [badge(report.status)]),
      },
      { label: "About", cell: (report) => [h("span", { class: "cut" }, about(report))] },
      { label: "By", cell: (report) => [report.reporterUsername ?? "nobody"] },
      MADE,
    ],
    acts: (report) => [
      actButton("Open", () => show(report.id)),
      ...(report.status === "pending"
        ? [actButton("Resolve", () => close(report, "resolve")), actButton("Reject", () => close(report, "reject"))]
        : []),
    ],
    bulk: { label: "Resolve chosen", run: resolveMany },
  });
}
