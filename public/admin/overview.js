/** The state at a glance: figures, four charts, what is new. */
import { api } from "./api.js";
import { chart } from "./chart.js";
import { badge, el, number, time } from "./dom.js";

const figure = (label, value, notes) =>
  el(
    "section",
    { class: "card figure" },
    el("h3", { text: label }),
    el("p", { class: "big", text: number(value) }),
    el(
      "p",
      { class: "muted notes" },
      ...notes.map(([what, count]) => el("span", {}, `${what} `, el("b", { text: number(count) }))),
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
  el(
    "section",
    { class: "card recent" },
    el("h3", { text: title }),
    items.length === 0
      ? el("p", { class: "muted", text: "Nothing yet." })
      : el("ul", {}, ...items.map((item) => el("li", {}, ...row(item)))),
  );

const recent = (data) => [
  newest("New users", data.recent_users, (user) => [
    el("b", { text: user.username }),
    el("span", { class: "muted cut", text: user.email }),
    time(user.createdAt),
  ]),
  newest("New videos", data.recent_videos, (video) => [
    el("b", { class: "cut", text: video.title }),
    el("span", { class: "muted cut", text: `by ${video.ownerName ?? "nobody"} · ${number(video.views)} views` }),
    time(video.createdAt),
  ]),
  newest("New reports", data.recent_reports, (report) => [
    el("b", { class: "cut", text: report.reason }),
    el("span", { class: "cut" }, badge(report.status, report.status), ` ${report.targetType} ${report.targetId}`),
    time(report.createdAt),
  ]),
];

/** Makes the view, and what fetches its parts anew: SPEC 4 says how often each is polled. */
export function overview() {
  const parts = {
    figures: el("div", { class: "figures" }),
    charts: el("div", { class: "charts" }),
    recent: el("div", { class: "recents" }),
  };
  return {
    node: el(
      "div",
      { class: "overview" },
      el("h1", { class: "sr", text: "Overview" }),
      parts.figures,
      parts.charts,
      parts.recent,
    ),
    polls: [
      {
        seconds: 60,
        run: async () => {
          const [totals, days] = await Promise.all([api("/admin/stats/overview"), api("/admin/stats/charts")]);
          parts.figures.replaceChildren(...figures(totals));
          parts.charts.replaceChildren(...charts(days));
        },
      },
      {
        seconds: 30,
        run: async () => {
          const data = await api("/admin/stats/recent-activity", { query: { limit: 10 } });
          parts.recent.replaceChildren(...recent(data));
        },
      },
    ],
  };
}
