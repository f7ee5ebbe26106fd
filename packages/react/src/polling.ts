/** Asking now and then, while somebody looks: what is not told live. */
import { watchPage } from "@roomcast/client";

/** Calls `ask` every so often while the page is shown, and at once when it wakes. @returns a function that stops it */
export function pollWhileShown(ask: () => void, everyMs: number): () => void {
  const timer = setInterval(() => {
    if (typeof document === "undefined" || !document.hidden) ask();
  }, everyMs);
  const unwatch = watchPage({ suspend: () => undefined, wake: ask });
  return () => {
    clearInterval(timer);
    unwatch();
  };
}
