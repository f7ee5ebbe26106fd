/** The users: find, look into, ban, verify, shut, promote, erase. */
import { call, withQuery } from "/api.js";
import { h } from "/dom.js";
import { day, number, time } from "/ui/format.js";
import { actButton, recordList } from "/ui/table.js";
import {
  badge,
  brief,
  byStatus,
  endWithReason,
  facts,
  link,
  ORDER,
  openRecord,
  panelTitle,
  reportLine,
  reportsOf,
  SEARCH,
  sortBy,
  userColumn,
} from "./parts.js";

/** `page.act` runs an act, says how it went, and has everything read anew. */
export function users(page) {
  const post = (user, verb) => page.act(() => call("POST", `/admin/users/${user.id}/${verb}`));

  const ban = (user) =>
    endWithReason(page, {
      title: `Ban ${user.username}?`,
      warning: "All their connections close at once.",
      confirm: "Ban",
      send: (reason) => call("POST", `/admin/users/${user.id}/ban`, { reason }),
    });

  const erase = (user) =>
    endWithReason(page, {
      title: `Erase ${user.username}?`,
      warning: "The account goes for ever, with all videos, comments, messages and files. There is no way back.",
      confirm: "Erase for ever",
      send: (reason) => call("DELETE", `/admin/users/${user.id}`, { reason }),
    });

  async function setRole(user, role) {
    await page.act(() => call("PUT", `/admin/users/${user.id}/role`, { role }));
  }

  const banOrUnban = (user, then = () => {}) =>
    user.isBanned
      ? actButton("Unban", () => post(user, "unban").then(then))
      : actButton("Ban", () => ban(user).then(then), "danger");

  const show = (id) => openRecord("User", () => call("GET", `/admin/users/${id}`), details);

  function details({ user, stats, recent_videos, recent_reports_by, recent_reports_against }, panel) {
    const { refresh } = panel;
    const role = h(
      "select",
      { onchange: ({ target }) => setRole(user, target.value).then(refresh) },
      ...["user", "moderator", "admin"].map((name) => h("option", { value: name, selected: name === user.role }, name)),
    );
    return [
      h(
        "div",
        {},
        panelTitle(user.username, ...states(user)),
        h("p", { class: "muted" }, [user.fullName, user.email].filter(Boolean).join(" · ")),
      ),
      user.bio && h("p", { class: "prose" }, user.bio),
      user.banReason && h("p", { class: "note bad" }, `Banned: ${user.banReason}`),
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
      h(
        "div",
        { class: "buttons" },
        h("label", { class: "role" }, "Role", role),
        !user.isVerified && actButton("Verify", () => post(user, "verify").then(refresh)),
        banOrUnban(user, refresh),
        user.accountStatus === "active"
          ? actButton("Deactivate", () => post(user, "deactivate").then(refresh))
          : actButton("Restore", () => post(user, "restore").then(refresh)),
        actButton("Erase…", async () => (await erase(user)) && panel.close(), "danger"),
      ),
      brief(
        "Newest videos",
        recent_videos,
        (video) => [link(video.videoUrl, video.title), " ", badge(video.visibility)],
        `#videos?owner_id=${user.id}`,
      ),
      brief("Reports against them", recent_reports_against, reportLine, reportsOf("user", user.id)),
      brief(
        "Reports by them",
        recent_reports_by,
        reportLine,
        `#reports?status=all&search=${encodeURIComponent(user.username)}`,
      ),
    ];
  }

  return recordList({
    title: "Users",
    read: (query) => call("GET", withQuery("/admin/users", query)),
    items: "users",
    filters: [
      SEARCH,
      byStatus(["active", "Active"], ["banned", "Banned"]),
      sortBy(["created_at", "Joined"], ["username", "Username"], ["follower_count", "Followers"]),
      ORDER,
    ],
    columns: [
      userColumn(states),
      { label: "Email", cell: (user) => [h("span", { class: "cut" }, user.email)] },
      { label: "Followers", isNumber: true, cell: (user) => [number(user.followerCount)] },
      { label: "Videos", isNumber: true, cell: (user) => [number(user.videoCount)] },
      { label: "Joined", cell: (user) => [day(user.createdAt)] },
      { label: "Last active", cell: (user) => [day(user.lastActive)] },
    ],
    acts: (user) => [actButton("Open", () => show(user.id)), banOrUnban(user)],
  });
}

/** Badges, some of them missing. */
const states = (user) => [
  user.isVerified && badge("verified"),
  user.isBanned && badge("banned"),
  user.role && user.role !== "user" && badge(user.role),
  user.accountStatus && user.accountStatus !== "active" && badge(user.accountStatus.replace("_", " "), "bad"),
];
