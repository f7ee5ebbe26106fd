/** What a session is called in its user's list: the browser and the system of a `User-Agent`, as far as it says. */
import { inert } from "../../text.ts";

/** The first that is found counts: most browsers name Chrome and Safari besides themselves. */
const BROWSERS: readonly [found: RegExp, name: string][] = [
  [/\bEdgA?(?:iOS)?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bcoc_coc_browser\//, "Cốc Cốc"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\b(?:Chrome|CriOS)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];

const SYSTEMS: readonly [found: RegExp, name: string][] = [
  [/\bWindows\b/, "Windows"],
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bMac OS X\b/, "Mac"],
  [/\bLinux\b/, "Linux"],
];

/** @returns `Firefox on Windows`; a program's own name, `okhttp`; null where there is none */
export function deviceOf(userAgent: string): string | null {
  const nameIn = (known: typeof BROWSERS) => known.find(([found]) => found.test(userAgent))?.[1];
  const [browser, system] = [nameIn(BROWSERS), nameIn(SYSTEMS)];
  const program = browser ?? (/^[\w .-]{1,40}/.exec(userAgent)?.[0].trim() || undefined);
  const named = [program === "Mozilla" ? undefined : program, system].filter(Boolean).join(" on ");
  return inert(named) || null;
}
