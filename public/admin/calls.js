/** The video calls: who hosts them, who was there, and ending one for everybody. */
import { call, withQuery } from "/api.js";
import { h } from "/dom.js";
import { length, number, secondsBetween, time } from "/ui/format.js";
import { actButton, recordList } from "/ui/table.js";
import {
  badge,
  byStatus,
  endWithReason,
  facts,
  MADE,
  nameCell,
  ORDER,
  openPanel,
  panelTitle,
  SEARCH,
  userColumn,
} from "./parts.js";

const nameOf = ({ title, id }) => title ?? id;
const state = ({ endedAt }) => badge(endedAt ? "ended" : "open");
const lasted = ({ createdAt, endedAt }) => length(secondsBetween(createdAt, endedAt ?? new Date()));

export function calls(page) {
  const end = (session) =>
    endWithReason(page, {
      title: `End "${nameOf(session)}"?`,
      warning: "Everybody in it is disconnected.",
      confirm: "End",
      send: (reason) => call("POST", `/admin/calls/${encodeURIComponent(session.id)}/end`, { reason }),
    });

  const whoWasThere = ({ id }) =>
    recordList({
      title: "Who was there",
      isPart: true,
      nothing: "Nobody has joined it.",
      read: (query) => call("GET", withQuery(`/admin/calls/${encodeURIComponent(id)}/attendance`, query)),
      items: "attendance",
      filters: [SEARCH],
      columns: [
        userColumn(({ leftAt }) => [leftAt === null && badge("here")]),
        { label: "Id", isNumber: true, cell: ({ userId }) => [userId === null ? "" : String(userId)] },
        { label: "Came", cell: ({ joinedAt }) => [time(joinedAt)] },
        { label: "Stayed", cell: ({ seconds }) => [length(seconds)] },
      ],
    });

  const show = (session) => {
    const attendance = whoWasThere(session);
    openPanel(
      "Call",
      panelTitle(nameOf(session), state(session)),
      facts({
        Host: session.hostUsername ?? "nobody: made by its first use",
        Course: session.courseId ?? "none",
        "At most": number(session.maxParticipants),
        Made: time(session.createdAt),
        Ended: session.endedAt ? time(session.endedAt) : "not yet",
      }),
      attendance.node,
    );
    attendance.load();
  };

  return recordList({
    title: "Calls",
    nothing: "There is no call yet.",
    read: (query) => call("GET", withQuery("/admin/calls", query)),
    items: "calls",
    filters: [SEARCH, byStatus(["open", "Open"], ["ended", "Ended"]), ORDER],
    columns: [
      {
        label: "Call",
        isName: true,
        cell: (session) => nameCell(nameOf(session), [state(session)], session.title !== null && session.id),
      },
      { label: "Host", cell: ({ hostUsername }) => [hostUsername ?? "nobody"] },
      { label: "Course", cell: ({ courseId }) => [h("span", { class: "cut" }, courseId ?? "")] },
      { label: "At most", isNumber: true, cell: ({ maxParticipants }) => [number(maxParticipants)] },
      MADE,
      { label: "Lasted", cell: (session) => [lasted(session)] },
    ],
    acts: (session) =>
      [
        actButton("Open", () => show(session)),
        !session.endedAt && actButton("End…", () => end(session), "danger"),
      ].filter(Boolean),
  });
}
