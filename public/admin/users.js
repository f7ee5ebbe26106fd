/** The users: find, look into, ban, verify, shut, promote, erase. */
import { api } from "./api.js";
import { askReason, openPanel } from "./dialogs.js";
import { badge, el, link, number, time } from "./dom.js";
import { table } from "./table.js";

const button = (text, onclick, kind = "") => el("button", { type: "button", class: kind, text, onclick });

/** `page.act` runs an action, says how it went, and has everything fetched anew. */
export function users(page) {
  const post = (user, verb, body) => page.act(() => api(`/admin/users/${user.id}/${verb}`, { method: "POST", body }));

  async function ban(user) {
    const reason = await askReason({
      title: `Ban ${user.username}?`,
      warning: "All their connections close at once.",
      confirm: "Ban",
      isDangerous: true,
    });
    if (reason !== null) await post(user, "ban", { reason });
  }

  async function erase(user) {
    const reason = await askReason({
      title: `Erase ${user.username}?`,
      warning: "The account goes for ever, with all videos, comments, messages and files. There is no way back.",
      confirm: "Erase for ever",
      isDangerous: true,
    });
    if (reason === null) return false;
    return page.act(() => api(`/admin/users/${user.id}`, { method: "DELETE", body: { reason } }));
  }

  async function setRole(user, role) {
    await page.act(() => api(`/admin/users/${user.id}/role`, { method: "PUT", body: { role } }));
  }

  const banOrUnban = (user, then = () => {}) =>
    user.isBanned
      ? button("Unban", () => post(user, "unban").then(then))
      : button("Ban", () => ban(user).then(then), "danger");

  async function show(id) {
    const body = el("div", { class: "panel-body" });
    const panel = openPanel("User", body);
    const refresh = async () => {
      try {
        body.replaceChildren(...details(await api(`/admin/users/${id}`), refresh, panel));
      } catch (error) {
        panel.close();
        page.fail(error);
      }
    };
    await refresh();
  }

  function details({ user, stats, recent_videos, recent_reports_by, recent_reports_against }, refresh, panel) {
    const role = el(
      "select",
      { "aria-label": "Role", onchange: (event) => setRole(user, event.target.value).then(refresh) },
      ...["user", "moderator", "admin"].map((name) =>
        el("option", { value: name, text: name, selected: name === user.role }),
      ),
    );
    return [
      el("p", { class: "person" }, el("b", { text: user.username }), ...states(user)),
      el("p", {}, user.fullName ?? "", el("span", { class: "muted", text: ` ${user.email}` })),
      user.bio && el("p", { class: "prose", text: user.bio }),
      user.banReason && el("p", { class: "warning", text: `Banned: ${user.banReason}` }),
      facts({
        Videos: number(stats.videos),
        Followers: number(stats.followers),
        Following: number(stats.following),
        Likes: number(stats.total_likes),
        Views: number(stats.total_views),
        "Reports by": number(stats.reports_by_user),
        "Reports against": number(stats.reports_against_user),
        Joined: time(user.createdAt),
        "Last active": time(user.lastActive),
      }),
      el(
        "div",
        { class: "buttons" },
        el("label", { class: "inline" }, "Role", role),
        !user.isVerified && button("Verify", () => post(user, "verify").then(refresh)),
        banOrUnban(user, refresh),
        user.accountStatus === "active"
          ? button("Deactivate", () => post(user, "deactivate").then(refresh))
          : button("Restore", () => post(user, "restore").then(refresh)),
        button("Erase…", async () => (await erase(user)) && panel.close(), "danger"),
      ),
      brief("Newest videos", recent_videos, (video) => [
        link(video.videoUrl, video.title),
        " ",
        badge(video.visibility, video.visibility),
      ]),
      brief("Reports against them", recent_reports_against, reportLine),
      brief("Reports by them", recent_reports_by, reportLine),
    ].filter(Boolean);
  }

  return table({
    title: "Users",
    path: "/admin/users",
    items: "users",
    page,
    filters: [
      { name: "search", label: "Search", type: "search" },
      {
        name: "status",
        label: "Status",
        options: [
          ["all", "All"],
          ["active", "Active"],
          ["banned", "Banned"],
        ],
      },
      {
        name: "sort_by",
        label: "Sort by",
        options: [
          ["created_at", "Joined"],
          ["username", "Username"],
          ["follower_count", "Followers"],
        ],
      },
      ORDER,
    ],
    columns: [
      {
        label: "User",
        cell: (user) => [
          el("b", { text: user.username }),
          ...states(user),
          el("br"),
          el("span", { class: "muted", text: user.fullName ?? "" }),
        ],
      },
      { label: "Email", cell: (user) => [el("span", { class: "cut", text: user.email })] },
      { label: "Followers", cell: (user) => [number(user.followerCount)] },
      { label: "Videos", cell: (user) => [number(user.videoCount)] },
      { label: "Joined", cell: (user) => [time(user.createdAt)] },
      { label: "Last active", cell: (user) => [time(user.lastActive)] },
    ],
    actions: (user) => [button("Open", () => show(user.id)), banOrUnban(user)],
  });
}

export const ORDER = {
  name: "order",
  label: "Order",
  options: [
    ["desc", "Most or newest first"],
    ["asc", "Least or oldest first"],
  ],
};

const states = (user) =>
  [
    user.isVerified && badge("verified", "good"),
    user.isBanned && badge("banned", "bad"),
    user.role && user.role !== "user" && badge(user.role, "role"),
    user.accountStatus && user.accountStatus !== "active" && badge(user.accountStatus.replace("_", " "), "bad"),
  ].flatMap((state) => (state ? [" ", state] : []));

/** A list of terms. */
export const facts = (terms) =>
  el(
    "dl",
    { class: "facts" },
    ...Object.entries(terms).map(([term, value]) => el("div", {}, el("dt", { text: term }), el("dd", {}, value))),
  );

export const brief = (title, items, line) =>
  items.length > 0 &&
  el(
    "section",
    { class: "brief" },
    el("h3", { text: title }),
    el("ul", {}, ...items.map((item) => el("li", {}, ...line(item)))),
  );

export const reportLine = (report) => [
  badge(report.status, report.status),
  ` ${report.targetType} ${report.targetId}: `,
  report.reason,
];
