/** Moments, lengths, sizes and numbers, as people read them. */
import { h } from "/dom.js";

/** A moment in the reader's own time; the exact one is in the title. */
export function time(iso, options = { dateStyle: "medium", timeStyle: "short" }) {
  if (!iso) return h("span", { class: "muted" }, "never");
  return h("time", { datetime: iso, title: iso }, new Date(iso).toLocaleString(undefined, options));
}

const isToday = (iso) => new Date(iso).toDateString() === new Date().toDateString();

/** Only the clock for today, the date too otherwise. */
export const shortTime = (iso) => (isToday(iso) ? time(iso, { timeStyle: "short" }) : time(iso));

/** `today 12:05`, `3 May 2026`: for lists. */
export function day(iso) {
  const shown = time(iso, isToday(iso) ? { timeStyle: "short" } : { dateStyle: "medium" });
  if (isToday(iso)) shown.prepend("today ");
  return shown;
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

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** `12,345` */
export const number = (value) => whole.format(value);
/** `12.3K` */
export const shortNumber = (value) => short.format(value);
/** `1 view`, `12,345 views` */
export const counted = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;
