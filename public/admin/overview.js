/** The state at a glance: figures, four charts, what is new. */
import { call } from "/api.js";
import { h } from "/dom.js";
import { counted, day, number } from "/ui/format.js";
import { chart } from "./chart.js";
import { badge } from "./parts.js";

const figure = (label, value, notes) =>
  h(
    "section",
    { class: "card figure" },
    h("h2", {}, label),
    h("p", { class: "big" }, number(value)),
    h(
      "p",
      { class: "muted notes" },
      ...notes.map(([what, count]) => h("span", {}, `${what} `, h("b", {}, number(count)))),
    ),
  );

function figures({ users, videos, reports, engagement }) {
  return [
    figure("Users", users.total, [
      ["active in 7 days", users.active_7d],
      ["new today", users.new_today],
      ["banned", users.banned],
    ]),
    figure("Videos", videos.total, [
      ["public", videos.public],
      ["private", videos.private],
      ["new today", videos.new_today],
    ]),
    figure("Reports pending", reports.pending, [
      ["resolved today", reports.resolved_today],
      ["resolved", reports.resolved],
      ["rejected", reports.rejected],
    ]),
    figure("Views", engagement.total_views, [
      ["likes", engagement.total_likes],
      ["comments", engagement.total_comments],
      ["follows", engagement.total_follows],
    ]),
  ];
}

const charts = (data) => [
  chart({
    title: "Users",
    days: data.users_chart,
    series: [
      { key: "count", label: "New" },
      { key: "active", label: "Active", kind: "line" },
    ],
  }),
  chart({
    title: "Videos",
    days: data.videos_chart,
    series: [
      { key: "count", label: "New" },
      { key: "views", label: "Views", kind: "line", axis: "right" },
    ],
  }),
  chart({
    title: "Reports by day of creation",
    days: data.reports_chart,
    stacked: true,
    series: [
      { key: "pending", label: "Pending" },
      { key: "resolved", label: "Resolved" },
      { key: "rejected", label: "Rejected" },
    ],
  }),
  chart({
    title: "Engagement",
    days: data.engagement_chart,
    series: [
      { key: "likes", label: "Likes" },
      { key: "comments", label: "Comments" },
      { key: "follows", label: "Follows" },
    ],
  }),
];

const newest = (title, items, row) =>
  h(
    "section",
    { class: "card recent" },
    h("h2", {}, title),
    items.length === 0
      ? h("p", { class: "muted" }, "Nothing yet.")
      : h("ul", {}, ...items.map((item) => h("li", {}, ...row(item)))),
  );

const recent = (data) => [
  newest("New users", data.recent_users, (user) => [
    h("b", {}, user.username),
    h("span", { class: "muted cut" }, user.email),
    day(user.createdAt),
  ]),
  newest("New videos", data.recent_videos, (video) => [
    h("b", { class: "cut" }, video.title),
    h("span", { class: "muted cut" }, `by ${video.ownerName ?? "nobody"} · ${counted(video.views, "view")}`),
    day(video.createdAt),
  ]),
  newest("New reports", data.recent_reports, (report) => [
    h("b", { class: "cut" }, report.reason),
    h("span", { class: "cut" }, badge(report.status), ` ${report.targetType} ${report.targetId}`),
    day(report.createdAt),
  ]),
];

/** Makes the view, and what fetches its parts anew: SPEC 4 says how often each is polled. */
export function overview() {
  const parts = {
    figures: h("div", { class: "figures" }, h("p", { class: "muted" }, "Loading…")),
    charts: h("div", { class: "charts" }),
    recent: h("div", { class: "recents" }),
  };
  return {
    node: h(
      "div",
      { class: "overview" },
      h("div", { class: "head" }, h("h1", {}, "Overview"), h("span", { class: "muted", id: "freshness" })),
      parts.figures,
      parts.charts,
      parts.recent,
    ),
    polls: [
      {
        seconds: 60,
        run: async () => {
          const [totals, days] = await Promise.all([
            call("GET", "/admin/stats/overview"),
            call("GET", "/admin/stats/charts"),
          ]);
          parts.figures.replaceChildren(...figures(totals));
          parts.charts.replaceChildren(...charts(days));
        },
      },
      {
        seconds: 30,
        run: async () => {
          const data = await call("GET", "/admin/stats/recent-activity?limit=10");
          parts.recent.replaceChildren(...recent(data));
        },
      },
    ],
  };
}
