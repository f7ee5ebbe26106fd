/** Where a stream is in its life. */
import { h } from "/dom.js";

/** One that never began is `ended` without a start. */
export function phaseOf({ status, startTime, scheduledAt }) {
  if (status === "live") return "live";
  if (startTime) return "ended";
  return scheduledAt && new Date(scheduledAt) > new Date() ? "upcoming" : "waiting";
}

export const badge = (phase) =>
  h(
    "span",
    { class: `badge ${{ live: "on-air", upcoming: "info" }[phase] ?? ""}` },
    { live: "Live", upcoming: "Upcoming", ended: "Ended", waiting: "Not started" }[phase],
  );
