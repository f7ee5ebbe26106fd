/** Groups, private rooms and courses: who talks where and how much, never what is said. Groups and courses can be ended. */
import { call, withQuery } from "/api.js";
import { day, number, time } from "/ui/format.js";
import { actButton, recordList } from "/ui/table.js";
import {
  badge,
  endWithReason,
  facts,
  filterBy,
  ID,
  MADE,
  nameCell,
  ORDER,
  openPanel,
  panelTitle,
  SEARCH,
  sortBy,
  userColumn,
} from "./parts.js";

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

  const membersOf = ({ id }) =>
    recordList({
      title: "Members",
      isPart: true,
      nothing: "Nobody belongs to it.",
      read: (query) => call("GET", withQuery(`/admin/rooms/${encodeURIComponent(id)}/members`, query)),
      items: "members",
      filters: [SEARCH],
      columns: [
        userColumn(({ isOwner }) => [isOwner && badge("owner", "accent")]),
        ID,
        { label: "Joined", cell: ({ joinedAt }) => [time(joinedAt)] },
      ],
    });

  const show = (room) => {
    const members = membersOf(room);
    openPanel(
      "Room",
      panelTitle(nameOf(room), badge(room.kind)),
      facts({
        Id: room.id,
        Course: room.courseId ?? "none",
        Owner: room.ownerUsername ?? "nobody",
        Messages: number(room.messageCount),
        Made: time(room.createdAt),
        "Last active": time(room.lastActiveAt),
      }),
      members.node,
    );
    members.load();
  };

  return recordList({
    title: "Rooms",
    nothing: "There is no room yet.",
    read: (query) => call("GET", withQuery("/admin/rooms", query)),
    items: "rooms",
    filters: [
      SEARCH,
      filterBy("kind", "Kind", ["group", "Groups"], ["private", "Private rooms"], ["course", "Courses"]),
      sortBy(
        ["created_at", "Made"],
        ["last_active_at", "Last active"],
        ["member_count", "Members"],
        ["message_count", "Messages"],
      ),
      ORDER,
    ],
    columns: [
      {
        label: "Room",
        isName: true,
        cell: (room) =>
          nameCell(nameOf(room), [badge(room.kind), room.isBusy && badge("busy")], room.courseId ?? room.id),
      },
      { label: "Owner", cell: ({ ownerUsername }) => [ownerUsername ?? ""] },
      { label: "Members", isNumber: true, cell: ({ memberCount }) => [number(memberCount)] },
      { label: "Messages", isNumber: true, cell: ({ messageCount }) => [number(messageCount)] },
      { label: "Last active", cell: ({ lastActiveAt }) => [day(lastActiveAt)] },
      MADE,
    ],
    acts: (room) =>
      [
        actButton("Open", () => show(room)),
        room.kind !== "private" && actButton("End…", () => remove(room), "danger"),
      ].filter(Boolean),
  });
}
