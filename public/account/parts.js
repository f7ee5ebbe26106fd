/** What the account's pages have in common. */
import { byId, h } from "/dom.js";

/** One thing in the middle of the page, in place of what was there. */
export function showGate(title, ...children) {
  byId("main").replaceChildren(
    h("div", { class: "gate" }, h("section", { class: "card" }, h("h1", {}, title), ...children)),
  );
}

/** The token out of a mailed link. It stands behind the `#`, so that it is sent to no server. */
export const mailedToken = () => new URLSearchParams(location.hash.slice(1)).get("token");

/** A used token is of no use any more: it goes from the address and from the browser's history. */
export const forgetToken = () => history.replaceState(null, "", location.pathname);

/** In place of the service's words, which name a field that these pages do not show. */
export const DEAD_LINK = "This link was used already, or is too old.";

/** Where one goes from here. */
export const linksOn = () =>
  h(
    "div",
    { class: "buttons" },
    h("a", { class: "button primary", href: "/chat" }, "Go to the chat"),
    h("a", { class: "button", href: "/account" }, "Account settings"),
  );

export const backToSignIn = () => h("p", { class: "way-back" }, h("a", { href: "/account" }, "← Back to the sign-in"));
