/** Who is connected now, and what goes on. Read when it is looked at, and anew on demand: it is too dear to be polled. */
import { call, withQuery } from "/api.js";
import { h } from "/dom.js";
import { counted, time } from "/ui/format.js";
import { actButton, recordList } from "/ui/table.js";
import { badge, brief, endWithReason, facts, figure, ID, openRecord, panelTitle, SEARCH, userColumn } from "./parts.js";

const figuresOf = (live) => [
  figure("Connected", live.connected),
  figure("Live streams", live.live_streams, [["watched by", live.viewers]]),
  figure("Calls open", live.open_calls),
  figure("Rooms busy", live.busy_rooms),
];

export function live(page) {
  const signOut = (person) =>
    endWithReason(page, {
      title: `Sign ${person.username} out everywhere?`,
      warning:
        "All their sessions end, and their connections close. They may sign in again: to keep them out, ban them.",
      confirm: "Sign out",
      send: (reason) => call("POST", `/admin/users/${person.id}/sign-out`, { reason }),
    });

  const show = (person) =>
    openRecord(
      "Where they are",
      () => call("GET", `/admin/users/${person.id}/whereabouts`),
      ({ username, connectedAt, connections, places }) => [
        panelTitle(username),
        facts({ Connections: counted(connections, "connection"), "Here since": time(connectedAt) }),
        places.length === 0 && h("p", { class: "muted" }, "They are in no room, stream or call."),
        brief("Connected to", places, ({ kind, id, name }) => [badge(kind), " ", h("b", {}, name ?? id)]),
      ],
    );

  const figures = h("div", { class: "figures" });
  const list = recordList({
    title: "Live",
    nothing: "Nobody is connected.",
    read: async (query) => {
      const answer = await call("GET", withQuery("/admin/live", query));
      figures.replaceChildren(...figuresOf(answer.figures));
      return answer;
    },
    items: "people",
    filters: [SEARCH],
    columns: [userColumn(), ID, { label: "Here since", cell: ({ connectedAt }) => [time(connectedAt)] }],
    acts: (person) => [
      actButton("Where?", () => show(person)),
      actButton("Sign out…", () => signOut(person), "danger"),
    ],
    make: h("button", { type: "button", onclick: () => list.load() }, "Refresh"),
  });
  list.node.firstElementChild.after(figures);
  return list;
}
