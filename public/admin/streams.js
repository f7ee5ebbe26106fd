/** The livestreams: who is on the air and who watches; taking one off the air, or away. */
import { call, withQuery } from "/api.js";
import { h } from "/dom.js";
import { day, number } from "/ui/format.js";
import { actButton, recordList } from "/ui/table.js";
import { badge, byStatus, endWithReason, ID, nameCell, ORDER, OWNER, SEARCH, sortBy } from "./parts.js";

/** Why the last session ended, as people say it. */
const REASONS = {
  done: "the publisher stopped",
  owner: "its owner ended it",
  lease: "nothing was heard any more",
  too_long: "it was too long",
  banned: "its owner was banned",
  key_rotated: "the key was changed",
  admin: "an admin ended it",
};

const state = ({ status, startTime }) => (status === "live" ? "live" : startTime ? "ended" : "never begun");

export function streams(page) {
  const end = (stream) =>
    endWithReason(page, {
      title: `Take "${stream.title}" off the air?`,
      warning: "The publisher is cut off, and may begin again: delete the stream, or ban its owner, to keep them off.",
      confirm: "End",
      send: (reason) => call("POST", `/admin/streams/${stream.id}/end`, { reason }),
    });

  const remove = (stream) =>
    endWithReason(page, {
      title: `Delete "${stream.title}"?`,
      warning: "Its chat and its recordings go with it, and its key is dead. This cannot be undone.",
      confirm: "Delete",
      send: (reason) => call("DELETE", `/admin/streams/${stream.id}`, { reason }),
    });

  return recordList({
    title: "Streams",
    nothing: "There is no stream yet.",
    read: (query) => call("GET", withQuery("/admin/streams", query)),
    items: "streams",
    filters: [
      SEARCH,
      byStatus(["live", "Live"], ["ended", "Ended"]),
      sortBy(["created_at", "Made"], ["started_at", "Begun"]),
      ORDER,
    ],
    columns: [
      {
        label: "Stream",
        isName: true,
        cell: (stream) => [
          ...nameCell(stream.title, [badge(state(stream))]),
          stream.endReason && h("div", { class: "muted" }, REASONS[stream.endReason] ?? stream.endReason),
        ],
      },
      ID,
      OWNER,
      { label: "In the room", isNumber: true, cell: ({ roomViewers }) => [number(roomViewers)] },
      { label: "Players", isNumber: true, cell: ({ players }) => [number(players)] },
      { label: "Most", isNumber: true, cell: ({ peakViewers }) => [number(peakViewers)] },
      { label: "Begun", cell: ({ startTime }) => [day(startTime)] },
    ],
    acts: (stream) =>
      [
        stream.status === "live" && actButton("End…", () => end(stream)),
        actButton("Delete…", () => remove(stream), "danger"),
      ].filter(Boolean),
  });
}
