/** The page: signing in and out, which view is shown, what is polled. */
import { api, dropToken, keepToken, token } from "./api.js";
import { audit } from "./audit.js";
import { byId, toast } from "./dom.js";
import { overview } from "./overview.js";
import { polling } from "./poll.js";
import { reports } from "./reports.js";
import { users } from "./users.js";
import { videos } from "./videos.js";

const page = { fail, act };
const VIEWS = { overview, users, videos, reports, audit };
/** Lists are not polled by the contract; they are read when shown, and after an action. */
let current = null;
const polls = polling((error) => (error ? fail(error) : wentWell()));

function wentWell() {
  byId("trouble").hidden = true;
  byId("freshness").textContent = `as of ${new Date().toLocaleTimeString(undefined, { timeStyle: "short" })}`;
}

/** Shows a failure in words. Whose token is no longer good signs in again. */
function fail(error) {
  if (error.status === 401 || (error.status === 403 && token())) {
    signOut(error.status === 401 ? "Your session has ended. Please log in again." : error.message);
    return;
  }
  const trouble = byId("trouble");
  trouble.textContent = error.message;
  trouble.hidden = false;
}

/** Runs an action, says how it went, and has what is shown read anew at once. Answers whether it was done. */
async function act(action) {
  try {
    const { message, notFound = [], skipped = [] } = await action();
    const rest = [
      notFound.length > 0 && `not found: ${notFound.join(", ")}`,
      skipped.length > 0 && `closed already: ${skipped.join(", ")}`,
    ].filter(Boolean);
    toast([message, ...rest].join("; "), "good");
    return true;
  } catch (error) {
    if (error.status === 401) fail(error);
    else toast(error.message, "bad");
    return false;
  } finally {
    await current?.load?.();
    polls.now();
  }
}

function show() {
  const name = location.hash.slice(1) in VIEWS ? location.hash.slice(1) : "overview";
  for (const item of document.querySelectorAll("nav[aria-label=Sections] a")) {
    if (item.hash === `#${name}`) item.setAttribute("aria-current", "page");
    else item.removeAttribute("aria-current");
  }
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  byId("trouble").hidden = true;
  current = VIEWS[name](page);
  byId("view").replaceChildren(current.node);
  document.title = `${name[0].toUpperCase()}${name.slice(1)} · Roomcast admin`;
  current.load?.().then(wentWell);
  polls.set(current.polls ?? []);
}

async function enter() {
  const me = await api("/auth/me");
  if (me.role !== "admin") {
    await api("/auth/logout", { method: "POST" }).catch(() => {});
    throw new Error("This account is not an admin.");
  }
  byId("who").textContent = me.username;
  byId("login").hidden = true;
  byId("app").hidden = false;
  show();
}

function signOut(reason = "") {
  dropToken();
  current = null;
  polls.set([]);
  byId("app").hidden = true;
  byId("view").replaceChildren();
  byId("login").hidden = false;
  const error = byId("login-error");
  error.textContent = reason;
  error.hidden = reason === "";
  byId("login-form").elements.username.focus();
}

byId("login-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const submit = form.querySelector("button");
  submit.disabled = true;
  try {
    const body = { username: form.elements.username.value, password: form.elements.password.value };
    dropToken();
    keepToken((await api("/auth/login", { method: "POST", body })).token);
    await enter();
    form.reset();
    byId("login-error").hidden = true;
  } catch (error) {
    signOut(error.message);
  } finally {
    submit.disabled = false;
  }
});

byId("logout").addEventListener("click", async () => {
  await api("/auth/logout", { method: "POST" }).catch(() => {});
  signOut();
});

window.addEventListener("hashchange", () => token() && show());

if (token()) enter().catch((error) => signOut(error.message));
else signOut();
