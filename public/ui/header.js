/**
 * The bar at the top of every page: where one can go, who is signed in, light or dark. A page has
 * `<header class="bar" id="header"></header>` and a `<main id="main" tabindex="-1">`, and loads this script.
 */
import { signOut } from "/account.js";
import { byId, h } from "/dom.js";
import { renewPush } from "/push.js";
import { currentSession, onSession } from "/session.js";
import { icon } from "/ui/icons.js";
import { notify } from "/ui/notice.js";
import { askToSignIn } from "/ui/sign-in.js";

const PAGES = [
  ["/", "Home"],
  ["/chat", "Chat"],
  ["/live", "Live"],
  ["/call", "Call"],
  ["/admin", "Admin"],
  ["/docs", "Docs"],
];

const here = location.pathname.replace(/\/$|\.html$/, "") || "/";

const person = h("div", { class: "person" });

/** The address behind the `#` is often the page's own; a jump must not change it. */
const skip = h(
  "a",
  {
    class: "unseen skip",
    href: "#main",
    onclick: (event) => {
      event.preventDefault();
      byId("main").focus();
    },
  },
  "Skip to the content",
);

function accountMenu({ user, isGuest }) {
  const name = user.displayName ?? user.username;
  const leave = () => {
    menu.hidePopover();
    signOut();
  };
  const menu = h(
    "div",
    { class: "menu", id: "account-menu", popover: "auto" },
    h(
      "p",
      {},
      h("span", { class: "muted" }, isGuest ? "In this tab, a guest" : "Signed in as"),
      h("b", {}, user.username),
    ),
    h("a", { class: "button", href: "/account" }, "Account settings"),
    h("button", { type: "button", id: "sign-out", onclick: leave }, isGuest ? "Leave the guest account" : "Sign out"),
  );
  const open = h(
    "button",
    { class: "account", type: "button", popovertarget: menu.id },
    h("span", { class: "initial", "aria-hidden": "true" }, [...name][0]),
    h("span", { class: "unseen" }, "Account: "),
    h("span", { class: "cut" }, name),
  );
  return [open, menu];
}

function drawPerson(session) {
  const light = h(
    "button",
    { class: "icon", type: "button", "data-theme-switch": true, "aria-label": "Switch between light and dark" },
    icon("contrast"),
  );
  const signIn = () => h("button", { type: "button", id: "sign-in", onclick: () => askToSignIn() }, "Sign in");
  person.replaceChildren(light, ...(session ? accountMenu(session) : [signIn()]));
}

const links = PAGES.map(([href, name]) => h("a", { href, "aria-current": href === here && "page" }, name));
byId("header").append(
  skip,
  h(
    "div",
    { class: "bar-inner" },
    h(
      "button",
      { class: "icon menu-button", type: "button", popovertarget: "pages", "aria-label": "Pages" },
      icon("menu"),
    ),
    h("a", { class: "brand", href: "/" }, "Roomcast"),
    h("nav", { id: "pages", popover: "auto", "aria-label": "Pages" }, ...links),
    person,
  ),
);
// Without it, nothing is notified; the page itself works as ever.
const renew = () => renewPush().catch(console.warn);
drawPerson(currentSession());
renew();
onSession((session, reason) => {
  drawPerson(session);
  renew();
  if (reason) notify(reason);
});
