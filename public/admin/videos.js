/** The videos: find, look into, hide, delete one or many. */
import { call, withQuery } from "/api.js";
import { h } from "/dom.js";
import { number, time } from "/ui/format.js";
import { actButton, recordList } from "/ui/table.js";
import {
  badge,
  brief,
  endWithReason,
  facts,
  link,
  MADE,
  nameCell,
  ORDER,
  OWNER,
  openRecord,
  reportLine,
  reportsOf,
  SEARCH,
  sortBy,
  VISIBILITY,
} from "./parts.js";

export function videos(page) {
  const flip = (video) =>
    page.act(() =>
      call("PUT", `/admin/videos/${video.id}/visibility`, {
        visibility: video.visibility === "public" ? "private" : "public",
      }),
    );

  const remove = (video) =>
    endWithReason(page, {
      title: `Delete "${video.title}"?`,
      warning: "File, likes and comments go with it. Its owner is told the reason.",
      confirm: "Delete",
      send: (reason) => call("DELETE", `/admin/videos/${video.id}`, { reason }),
    });

  const removeMany = (ids) =>
    endWithReason(page, {
      title: `Delete ${ids.length} videos?`,
      warning: "Each owner is told the reason.",
      confirm: "Delete",
      send: (reason) => call("POST", "/admin/videos/bulk-delete", { video_ids: ids, reason }),
    });

  const show = (id) =>
    openRecord(
      "Video",
      () => call("GET", `/admin/videos/${id}`),
      ({ video, owner, stats, recent_comments, reports }) => [
        h(
          "div",
          {},
          h("p", { class: "title" }, link(video.videoUrl, video.title), " ", badge(video.visibility)),
          h("p", { class: "muted" }, `by ${owner?.username ?? "nobody"}`),
        ),
        video.description && h("p", { class: "prose" }, video.description),
        facts({
          Views: number(stats.views),
          Likes: number(stats.likes),
          Comments: number(stats.comments),
          Shares: number(stats.shares),
          Reports: number(stats.reports),
          Made: time(video.createdAt),
        }),
        brief(
          "Newest comments",
          recent_comments,
          ({ authorUsername, content }) => [h("b", {}, authorUsername ?? "nobody"), " ", content],
          `#comments?video_id=${id}`,
        ),
        brief("Reports", reports, reportLine, reportsOf("video", id)),
      ],
    );

  return recordList({
    title: "Videos",
    read: (query) => call("GET", withQuery("/admin/videos", query)),
    items: "videos",
    filters: [
      SEARCH,
      VISIBILITY,
      { name: "owner_id", label: "Owner's id", type: "number" },
      sortBy(["created_at", "Made"], ["views", "Views"], ["likes", "Likes"], ["comments", "Comments"]),
      ORDER,
    ],
    columns: [
      {
        label: "Video",
        isName: true,
        cell: (video) => nameCell(video.title, [badge(video.visibility)]),
      },
      OWNER,
      { label: "Views", isNumber: true, cell: (video) => [number(video.views)] },
      { label: "Likes", isNumber: true, cell: (video) => [number(video.likes)] },
      { label: "Comments", isNumber: true, cell: (video) => [number(video.comments)] },
      MADE,
    ],
    acts: (video) => [
      actButton("Open", () => show(video.id)),
      actButton(video.visibility === "public" ? "Hide" : "Show", () => flip(video)),
      actButton("Delete", () => remove(video), "danger"),
    ],
    bulk: { label: "Delete chosen", kind: "danger", run: removeMany },
  });
}
