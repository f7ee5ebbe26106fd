/** What media servers sent, and what became of it: the first place to look when a stream does not start. */
import { call, withQuery } from "/api.js";
import { h } from "/dom.js";
import { time } from "/ui/format.js";
import { recordList } from "/ui/table.js";
import { badge, SEARCH } from "./parts.js";

const KINDS = { live: "good", refused: "bad" };

export const media = () =>
  recordList({
    title: "Media",
    nothing: "No media server has called yet.",
    read: (query) => call("GET", withQuery("/admin/stream-events", query)),
    items: "events",
    filters: [SEARCH, { name: "streamId", label: "Stream's id", type: "number" }],
    columns: [
      { label: "When", cell: ({ createdAt }) => [time(createdAt)] },
      { label: "Event", isName: true, cell: ({ event, source }) => [h("b", {}, event), " ", badge(source)] },
      { label: "Stream", cell: ({ streamId }) => [streamId === null ? "unknown" : String(streamId)] },
      { label: "Outcome", cell: ({ outcome }) => [badge(outcome, KINDS[outcome])] },
      { label: "Session", cell: ({ session }) => [h("code", { class: "cut" }, session)] },
      { label: "Request", cell: ({ requestId }) => [h("code", { class: "cut" }, requestId)] },
    ],
  });
