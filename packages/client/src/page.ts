/** Hears from the browser when the network or the page goes away and comes back. Without a page, as in Node, there is nothing to hear. */

type Does = { suspend: () => void; wake: () => void };

/** Looked up when it is needed: a server may render what a browser runs. */
function pagePart(name: "document" | "window"): EventTarget | undefined {
  const part: unknown = Reflect.get(globalThis, name);
  return canListen(part) ? part : undefined;
}

/** A page that is made for tests need not be of the runtime's own classes. */
const canListen = (part: unknown): part is EventTarget =>
  typeof part === "object" && part !== null && "addEventListener" in part;

const isHidden = (document: object = {}): boolean => "hidden" in document && document.hidden === true;

/**
 * Calls `suspend` when the network or the page goes away, and `wake` when either is back: online, visible, out of the bfcache.
 * @returns a function that stops listening
 */
export function watchPage({ suspend, wake }: Does): () => void {
  const [window, document] = [pagePart("window"), pagePart("document")];
  const listening = new AbortController();
  const on = (target: EventTarget | undefined, type: string, listener: (event: Event) => void) =>
    target?.addEventListener(type, listener, { signal: listening.signal });
  on(window, "online", wake);
  on(window, "offline", suspend);
  // A page with an open socket is not kept for the way back (bfcache).
  on(window, "pagehide", suspend);
  on(window, "pageshow", (event) => void ("persisted" in event && event.persisted && wake()));
  on(document, "visibilitychange", () => isHidden(document) || wake());
  // A frozen tab goes on (Page Lifecycle).
  on(document, "resume", wake);
  return () => listening.abort();
}
