/**
 * What the Worker and its objects write to the log is shown of tests that failed, once they have ended. Vitest would ask the
 * main process to show each line, from the context that writes it; of an object that is gone before the answer comes, the
 * run would wait for that answer for good.
 */
import { afterEach } from "vitest";

const LEVELS = ["debug", "info", "log", "warn", "error"] as const;

type Show = Record<(typeof LEVELS)[number], (...parts: unknown[]) => void>;

declare global {
  /** Vitest's own, which the first file of a worker replaces. */
  var shownConsole: Show | undefined;
}

const { debug, info, log, warn, error } = console;
globalThis.shownConsole ??= { debug, info, log, warn, error };
const shown = globalThis.shownConsole;

let written: (() => void)[] = [];
for (const level of LEVELS) {
  console[level] = (...parts: unknown[]) => {
    written.push(() => shown[level].apply(console, parts));
  };
}

afterEach(({ task }) => {
  const lines = written;
  written = [];
  if (task.result?.state === "fail") for (const show of lines) show();
});
