/** What stands in place of the dashboard for who may not see it: why, and the ways on. */
import { h } from "/dom.js";
import { askToSignIn, isLocal, signInForm } from "/ui/sign-in.js";

const gate = (title, ...children) =>
  h("div", { class: "gate" }, h("section", { class: "card" }, h("h1", {}, title), ...children));
const home = () => h("a", { class: "button", href: "/" }, "Back to the home page");

export const signedOut = () =>
  gate(
    "Admin dashboard",
    h("p", { class: "muted" }, "Sign in with an account that is an admin."),
    signInForm({ withGuest: false }),
    h("p", { class: "way-back" }, h("a", { href: "/" }, "← Back to the home page")),
  );

export const notAnAdmin = ({ username }) =>
  gate(
    "This page is for admins",
    h("p", {}, "You are signed in as ", h("b", {}, username), ", and this account is not an admin."),
    isLocal &&
      h(
        "p",
        { class: "muted" },
        "On your own machine: ",
        h("code", {}, `npm run admin -- ${username}`),
        ", then load this page again.",
      ),
    h(
      "div",
      { class: "buttons" },
      home(),
      h("button", { type: "button", onclick: () => askToSignIn() }, "Sign in as somebody else"),
    ),
  );

export const unreachable = (error, again) =>
  gate(
    "The dashboard could not be loaded",
    h("p", { class: "problem", role: "alert" }, error.message),
    h(
      "div",
      { class: "buttons" },
      h("button", { class: "primary", type: "button", onclick: again }, "Try again"),
      home(),
    ),
  );
