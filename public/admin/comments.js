/** Everybody's comments: find one, and delete it with the replies to it. */
import { call, withQuery } from "/api.js";
import { h } from "/dom.js";
import { actButton, recordList } from "/ui/table.js";
import { endWithReason, MADE, ORDER, SEARCH } from "./parts.js";

/** Asks why, and deletes it. @returns whether it was done */
export const removeComment = (page, { id, content }) =>
  endWithReason(page, {
    title: `Delete "${content.slice(0, 50)}"?`,
    warning: "The replies to it go with it. This cannot be undone.",
    confirm: "Delete",
    send: (reason) => call("DELETE", `/admin/comments/${id}`, { reason }),
  });

export const comments = (page) =>
  recordList({
    title: "Comments",
    nothing: "There is no comment yet.",
    read: (query) => call("GET", withQuery("/admin/comments", query)),
    items: "comments",
    filters: [SEARCH, { name: "video_id", label: "Video's id", type: "number" }, ORDER],
    columns: [
      { label: "Comment", isName: true, cell: ({ content }) => [h("span", { class: "long" }, content)] },
      { label: "By", cell: ({ authorUsername }) => [authorUsername ?? "nobody"] },
      {
        label: "Video",
        cell: ({ videoId, videoTitle }) => [h("span", { class: "cut" }, videoTitle ?? String(videoId))],
      },
      { label: "Reply", cell: ({ parentId }) => [parentId === null ? "" : `to ${parentId}`] },
      MADE,
    ],
    acts: (comment) => [actButton("Delete…", () => removeComment(page, comment), "danger")],
  });
