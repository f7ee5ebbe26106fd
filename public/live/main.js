/** The page: who is signed in, and which view the address asks for. `#<id>` is a stream, without it the list. */
import { isSignedIn, me, signOut } from "/api.js";
import { h } from "/dom.js";
import { listView } from "./list.js";
import { askToSignIn } from "./sign-in.js";
import { streamView } from "./stream.js";

const main = document.getElementById("main");

/** @type {{id: number, username: string, role: string} | null} */
let account = null;
let view = null;

/** What the views may ask of the page. */
const page = {
  get account() {
    return account;
  },
  /** Asks for an account if there is none; resolves to whether there is one. */
  async needAccount(why) {
    if (account || !(await askToSignIn(why))) return account !== null;
    await enter();
    show();
    return true;
  },
  leaveAccount(reason) {
    signOut();
    account = null;
    show();
    if (reason) page.say(reason);
  },
  /** Who one is, and the way out; null for who is nobody. */
  accountLine() {
    if (!account) return null;
    const out = h("button", { class: "plain", type: "button", onclick: () => page.leaveAccount() }, "Sign out");
    return h("p", { class: "account muted" }, h("span", {}, "Signed in as ", h("b", {}, account.username)), out);
  },
  /** Null for who is signed in. */
  signInButton() {
    return account
      ? null
      : h("button", { class: "button", type: "button", onclick: () => page.needAccount() }, "Sign in");
  },
  /** Says for a while what was done or went wrong. */
  say(text) {
    const toast = document.getElementById("toast");
    toast.textContent = text;
    clearTimeout(page.silence);
    page.silence = setTimeout(() => toast.replaceChildren(), 6000);
  },
  /** Runs what a press started; what goes wrong is said in words. */
  async doing(work) {
    try {
      await work();
    } catch (error) {
      if (error.code === "UNAUTHORIZED") return page.leaveAccount("Please sign in again.");
      if (error.code === undefined) console.error(error);
      page.say(error.message);
    }
  },
};

/** A token that is no longer good is forgotten. */
async function enter() {
  if (!isSignedIn()) return;
  try {
    account = await me();
  } catch (error) {
    if (error.code === "UNAUTHORIZED" || error.code === "FORBIDDEN") signOut();
    page.say(error.message);
  }
}

function show() {
  view?.close();
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  const [, id] = /^#(\d{1,15})$/.exec(location.hash) ?? [];
  document.title = "Roomcast live";
  view = id ? streamView(Number(id), page) : listView(page);
  main.replaceChildren(view.node);
}

addEventListener("hashchange", () => {
  show();
  scrollTo(0, 0);
  main.focus();
});
document.querySelector(".skip").addEventListener("click", (event) => {
  // Behind the # stands the stream.
  event.preventDefault();
  main.focus();
});

await enter();
show();
