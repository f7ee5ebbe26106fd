/** The video calls: who hosts them, who was there, and ending one for everybody. */
import { call, withQuery } from "/api.js";
import { h } from "/dom.js";
import { day, length, number, secondsBetween, time } from "/ui/format.js";
import { actButton, recordList } from "/ui/table.js";
import { badge, brief, byStatus, endWithReason, facts, ORDER, openRecord, SEARCH } from "./parts.js";

const nameOf = ({ title, id }) => title ?? id;
const lasted = ({ createdAt, endedAt }) => length(secondsBetween(createdAt, endedAt ?? new Date()));

export function calls(page) {
  const end = (session) =>
    endWithReason(page, {
      title: `End "${nameOf(session)}"?`,
      warning: "Everybody in it is disconnected.",
      confirm: "End",
      send: (reason) => call("POST", `/admin/calls/${encodeURIComponent(session.id)}/end`, { reason }),
    });

  const show = (session) =>
    openRecord(
      "Call",
      () => call("GET", `/webrtc/sessions/${encodeURIComponent(session.id)}/attendance`),
      ({ attendance }) => [
        h("p", { class: "title" }, h("b", {}, nameOf(session)), " ", badge(session.endedAt ? "ended" : "open")),
        facts({
          Host: session.hostUsername ?? "nobody: made by its first use",
          Course: session.courseId ?? "none",
          "At most": number(session.maxParticipants),
          Made: time(session.createdAt),
          Ended: session.endedAt ? time(session.endedAt) : "not yet",
        }),
        attendance.length === 0 && h("p", { class: "muted" }, "Nobody has joined it."),
        brief("Who was there", attendance, ({ userId, joinedAt, leftAt, seconds }) => [
          h("b", {}, userId === null ? "somebody erased" : `user ${userId}`),
          ` for ${length(seconds)}, from `,
          time(joinedAt),
          ...(leftAt === null ? [" ", badge("here")] : []),
        ]),
      ],
    );

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
        cell: (session) => [
          h("b", { class: "cut" }, nameOf(session)),
          " ",
          badge(session.endedAt ? "ended" : "open"),
          session.title !== null && h("div", { class: "muted cut" }, session.id),
        ],
      },
      { label: "Host", cell: ({ hostUsername }) => [hostUsername ?? "nobody"] },
      { label: "Course", cell: ({ courseId }) => [h("span", { class: "cut" }, courseId ?? "")] },
      { label: "At most", isNumber: true, cell: ({ maxParticipants }) => [number(maxParticipants)] },
      { label: "Made", cell: ({ createdAt }) => [day(createdAt)] },
      { label: "Lasted", cell: (session) => [lasted(session)] },
    ],
    acts: (session) =>
      [
        actButton("Open", () => show(session)),
        !session.endedAt && actButton("End…", () => end(session), "danger"),
      ].filter(Boolean),
  });
}
