/** The videos: find, look into, hide, delete one or many. */
import { api } from "./api.js";
import { askReason, openPanel } from "./dialogs.js";
import { badge, el, link, number, time } from "./dom.js";
import { table } from "./table.js";
import { brief, facts, ORDER, reportLine } from "./users.js";

const button = (text, onclick, kind = "") => el("button", { type: "button", class: kind, text, onclick });

export function videos(page) {
  const flip = (video) =>
    page.act(() =>
      api(`/admin/videos/${video.id}/visibility`, {
        method: "PUT",
        body: { visibility: video.visibility === "public" ? "private" : "public" },
      }),
    );

  async function remove(video) {
    const reason = await askReason({
      title: `Delete "${video.title}"?`,
      warning: "File, likes and comments go with it. Its owner is told the reason.",
      confirm: "Delete",
      isDangerous: true,
    });
    if (reason === null) return;
    await page.act(() => api(`/admin/videos/${video.id}`, { method: "DELETE", body: { reason } }));
  }

  async function removeMany(ids) {
    const reason = await askReason({
      title: `Delete ${ids.length} videos?`,
      warning: "Each owner is told the reason.",
      confirm: "Delete",
      isDangerous: true,
    });
    if (reason === null) return;
    await page.act(() => api("/admin/videos/bulk-delete", { method: "POST", body: { video_ids: ids, reason } }));
  }

  async function show(id) {
    try {
      const { video, owner, stats, recent_comments, reports } = await api(`/admin/videos/${id}`);
      openPanel(
        "Video",
        el(
          "div",
          { class: "panel-body" },
          el(
            "p",
            { class: "person" },
            link(video.videoUrl, video.title),
            " ",
            badge(video.visibility, video.visibility),
          ),
          el("p", { class: "muted", text: `by ${owner?.username ?? "nobody"}` }),
          video.description && el("p", { class: "prose", text: video.description }),
          facts({
            Views: number(stats.views),
            Likes: number(stats.likes),
            Comments: number(stats.comments),
            Shares: number(stats.shares),
            Reports: number(stats.reports),
            Made: time(video.createdAt),
          }),
          brief("Newest comments", recent_comments, (comment) => [
            el("b", { text: comment.authorUsername ?? "nobody" }),
            " ",
            comment.content,
          ]),
          brief("Reports", reports, reportLine),
        ),
      );
    } catch (error) {
      page.fail(error);
    }
  }

  return table({
    title: "Videos",
    path: "/admin/videos",
    items: "videos",
    page,
    filters: [
      { name: "search", label: "Search", type: "search" },
      {
        name: "visibility",
        label: "Visibility",
        options: [
          ["all", "All"],
          ["public", "Public"],
          ["private", "Private"],
        ],
      },
      {
        name: "sort_by",
        label: "Sort by",
        options: [
          ["created_at", "Made"],
          ["views", "Views"],
          ["likes", "Likes"],
          ["comments", "Comments"],
        ],
      },
      ORDER,
    ],
    columns: [
      {
        label: "Video",
        cell: (video) => [
          el("b", { class: "cut wide", text: video.title }),
          " ",
          badge(video.visibility, video.visibility),
        ],
      },
      { label: "Owner", cell: (video) => [video.ownerUsername ?? "nobody"] },
      { label: "Views", cell: (video) => [number(video.views)] },
      { label: "Likes", cell: (video) => [number(video.likes)] },
      { label: "Comments", cell: (video) => [number(video.comments)] },
      { label: "Made", cell: (video) => [time(video.createdAt)] },
    ],
    actions: (video) => [
      button("Open", () => show(video.id)),
      button(video.visibility === "public" ? "Hide" : "Show", () => flip(video)),
      button("Delete", () => remove(video), "danger"),
    ],
    bulk: { label: "Delete chosen", run: removeMany },
  });
}
