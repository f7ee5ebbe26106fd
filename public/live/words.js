/** Moments, lengths and sizes, as people read them. */
import { h } from "/dom.js";

/** A moment in the reader's own time; the exact one is in the title. */
export function time(iso, options = { dateStyle: "medium", timeStyle: "short" }) {
  return h("time", { datetime: iso, title: iso }, new Date(iso).toLocaleString(undefined, options));
}

/** Only the clock for today, the date otherwise. */
export function shortTime(iso) {
  const isToday = new Date(iso).toDateString() === new Date().toDateString();
  return time(iso, isToday ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
}

/** `1 h 5 min`, `12 min`, `40 s` */
export function length(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1440)} days`;
}

export const secondsBetween = (from, to) => (new Date(to).getTime() - new Date(from).getTime()) / 1000;

export function bytes(size) {
  const units = ["bytes", "KB", "MB", "GB"];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, size)) / 3));
  return `${(size / 1000 ** step).toFixed(step > 1 ? 1 : 0)} ${units[step]}`;
}

export const counted = (count, one, many = `${one}s`) => `${count.toLocaleString()} ${count === 1 ? one : many}`;

/** Where a stream is in its life. One that never began is `ended` without a start. */
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
