/** The state at a glance: figures, four charts, what is new. */
import { call } from "/api.js";
import { h } from "/dom.js";
import { counted, day } from "/ui/format.js";
import { chart } from "./chart.js";
import { badge, figure } from "./parts.js";

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

/** By the key of their days in the answer. */
const charts = () => ({
  users_chart: chart({
    title: "Users",
    series: [
      { key: "count", label: "New", kind: "bar" },
      { key: "active", label: "Active" },
    ],
  }),
  videos_chart: chart({
    title: "Videos",
    series: [
      { key: "count", label: "New", kind: "bar" },
      { key: "views", label: "Views", axis: "right" },
    ],
  }),
  reports_chart: chart({
    title: "Reports by day of creation",
    series: [
      { key: "pending", label: "Pending" },
      { key: "resolved", label: "Resolved" },
      { key: "rejected", label: "Rejected" },
    ],
  }),
  engagement_chart: chart({
    title: "Engagement",
    series: [
      { key: "likes", label: "Likes" },
      { key: "comments", label: "Comments" },
      { key: "follows", label: "Follows" },
    ],
  }),
});

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
  const drawn = charts();
  const parts = {
    figures: h("div", { class: "figures" }, h("p", { class: "muted" }, "Loading…")),
    charts: h("div", { class: "charts" }, ...Object.values(drawn).map(({ node }) => node)),
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
          for (const [key, { show }] of Object.entries(drawn)) show(days[key]);
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
