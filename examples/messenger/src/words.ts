/** Times, names and failures as people read them. */
import { RoomcastError, type Schema } from "@roomcast/client";

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const shortDate = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const fullDate = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });

const DAY_MS = 86_400_000;
const dayOf = (time: Date): number => new Date(time.getFullYear(), time.getMonth(), time.getDate()).getTime();
/** Whole days before today. */
const daysAgo = (time: Date): number => Math.round((dayOf(new Date()) - dayOf(time)) / DAY_MS);

export const clockTime = (iso: string): string => clock.format(new Date(iso));
export const sameDay = (a: string, b: string): boolean => dayOf(new Date(a)) === dayOf(new Date(b));

/** `Today`, `Yesterday`, `Monday`, or a date. */
export function dayName(iso: string): string {
  const time = new Date(iso);
  const ago = daysAgo(time);
  if (ago <= 1) return ago === 1 ? "Yesterday" : "Today";
  return ago < 7 ? weekday.format(time) : fullDate.format(time);
}

/** In a list: the time of today, the day of others. */
export function shortTime(iso: string): string {
  const time = new Date(iso);
  const ago = daysAgo(time);
  if (ago <= 0) return clock.format(time);
  return ago < 7 ? weekday.format(time).slice(0, 3) : shortDate.format(time);
}

/** "seen 5 minutes ago" */
export function lastSeen(iso: string | null): string {
  if (iso === null) return "offline";
  const minutes = Math.floor((Date.now() - Date.parse(iso)) / 60_000);
  if (minutes < 1) return "seen just now";
  if (minutes < 60) return `seen ${minutes} minute${minutes === 1 ? "" : "s"} ago`;
  return `seen ${daysAgo(new Date(iso)) === 0 ? `at ${clockTime(iso)}` : dayName(iso).toLowerCase()}`;
}

type Named = { username: string; displayName?: string | null };
export const nameOf = ({ username, displayName }: Named): string => displayName || username;

type Titled = Pick<Schema["Room"], "name" | "peer" | "isGroup">;
export const titleOf = ({ name, peer, isGroup }: Titled): string =>
  name ?? (peer ? nameOf(peer) : isGroup ? "Group" : "Deleted user");

/** Eight hues, the same for the same text. */
export const hueOf = (text: string): number =>
  [...text].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) & 7;

export const initialOf = (name: string): string => [...name][0] ?? "?";

/** "Ann is typing", "Ann and Bob are typing" */
export function typingText(names: readonly string[]): string {
  if (names.length === 0) return "";
  if (names.length > 2) return "Several people are typing…";
  return `${names.join(" and ")} ${names.length === 1 ? "is" : "are"} typing…`;
}

const WORDS: Partial<Record<string, string>> = {
  RATE_LIMIT: "That was a lot at once. Wait a moment and try again.",
  CONNECTION_LOST: "You are offline.",
  TIMEOUT: "No answer came. Are you online?",
};

export function problemOf(error: unknown): string {
  if (!(error instanceof RoomcastError)) return "The service cannot be reached. Are you online?";
  const details = (error.details ?? []).map(({ path, message }) => `${path} ${message}`);
  return WORDS[error.code] ?? [error.message, ...details].join(" ");
}

export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
