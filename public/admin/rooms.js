/** Groups, private rooms and courses: who talks where and how much, never what is said. Groups and courses can be ended. */
import { call, withQuery } from "/api.js";
import { h } from "/dom.js";
import { day, number } from "/ui/format.js";
import { actButton, recordList } from "/ui/table.js";
import { badge, endWithReason, ORDER, SEARCH } from "./parts.js";

/** What a room is called: a private room by its two people. */
const nameOf = ({ name, people, courseId, id }) =>
  name ?? (people.length > 0 ? people.join(" and ") : (courseId ?? id));

export function rooms(page) {
  const remove = (room) =>
    endWithReason(page, {
      title: `End "${nameOf(room)}"?`,
      warning: "All that was said in it goes with it, and whoever is there is disconnected. This cannot be undone.",
      confirm: "End",
      send: (reason) => call("DELETE", `/admin/rooms/${encodeURIComponent(room.id)}`, { reason }),
    });

  return recordList({
    title: "Rooms",
    nothing: "There is no room yet.",
    read: (query) => call("GET", withQuery("/admin/rooms", query)),
    items: "rooms",
    filters: [
      SEARCH,
      {
        name: "kind",
        label: "Kind",
        options: [
          ["all", "All"],
          ["group", "Groups"],
          ["private", "Private rooms"],
          ["course", "Courses"],
        ],
      },
      {
        name: "sort_by",
        label: "Sort by",
        options: [
          ["created_at", "Made"],
          ["last_active_at", "Last active"],
          ["member_count", "Members"],
          ["message_count", "Messages"],
        ],
      },
      ORDER,
    ],
    columns: [
      {
        label: "Room",
        isName: true,
        cell: (room) => [
          h("b", { class: "cut" }, nameOf(room)),
          " ",
          badge(room.kind),
          room.isBusy && " ",
          room.isBusy && badge("busy"),
          h("div", { class: "muted cut" }, room.courseId ?? room.id),
        ],
      },
      { label: "Owner", cell: ({ ownerUsername }) => [ownerUsername ?? ""] },
      { label: "Members", isNumber: true, cell: ({ memberCount }) => [number(memberCount)] },
      { label: "Messages", isNumber: true, cell: ({ messageCount }) => [number(messageCount)] },
      { label: "Last active", cell: ({ lastActiveAt }) => [day(lastActiveAt)] },
      { label: "Made", cell: ({ createdAt }) => [day(createdAt)] },
    ],
    acts: (room) => (room.kind === "private" ? [] : [actButton("End…", () => remove(room), "danger")]),
  });
}
