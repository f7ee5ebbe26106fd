/** Says for a while what was done, or what went wrong: `notify("Saved")`, `notify(error.message, "bad")`. */
import { logFault } from "/api.js";
import { h } from "/dom.js";

const SHOWN_MS = 6000;

let notices = null;

/** In the page from the start: what is read out must be there before it is filled. */
function place() {
  notices ??= h("div", { class: "notices", popover: "manual", role: "status", "aria-live": "polite" });
  if (!notices.isConnected) document.body.append(notices);
  return notices;
}

/** @param {"" | "bad"} kind */
export function notify(text, kind = "") {
  const node = h("p", { class: kind }, text);
  place().append(node);
  // Shown anew, it lies above a dialog that was opened meanwhile.
  if (notices.matches(":popover-open")) notices.hidePopover();
  notices.showPopover();
  setTimeout(() => {
    node.remove();
    if (notices.childElementCount === 0) notices.hidePopover();
  }, SHOWN_MS);
}

/** Shows a failure in words. */
export function notifyFailure(error) {
  logFault(error);
  notify(error.message, "bad");
}

place();
