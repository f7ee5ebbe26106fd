/** The page: who may see it, which section is shown, what is polled. */
import { readAccount } from "/account.js";
import { logFault } from "/api.js";
import { byId, h } from "/dom.js";
import { currentSession, onSession } from "/session.js";
import { closeDialogs } from "/ui/dialog.js";
import { notify, notifyFailure } from "/ui/notice.js";
import { audit } from "./audit.js";
import { calls } from "./calls.js";
import { comments } from "./comments.js";
import { files } from "./files.js";
import { notAnAdmin, signedOut, unreachable } from "./gate.js";
import { keys } from "./keys.js";
import { live } from "./live.js";
import { media } from "./media.js";
import { overview } from "./overview.js";
import { parked } from "./parked.js";
import { polling } from "./poll.js";
import { reports } from "./reports.js";
import { rooms } from "./rooms.js";
import { streams } from "./streams.js";
import { users } from "./users.js";
import { videos } from "./videos.js";
import { webhooks } from "./webhooks.js";

/** A new section is a line here. `view(page)` answers `{node, load?, polls?}`. */
const SECTIONS = {
  overview: { title: "Overview", view: overview },
  live: { title: "Live", view: live },
  users: { title: "Users", view: users },
  videos: { title: "Videos", view: videos },
  comments: { title: "Comments", view: comments },
  rooms: { title: "Rooms", view: rooms },
  streams: { title: "Streams", view: streams },
  calls: { title: "Calls", view: calls },
  files: { title: "Files", view: files },
  reports: { title: "Reports", view: reports },
  keys: { title: "Keys", view: keys },
  webhooks: { title: "Webhooks", view: webhooks },
  media: { title: "Media", view: media },
  parked: { title: "Parked", view: parked },
  audit: { title: "Audit", view: audit },
};

/** What a section may ask of the page. */
const page = { fail, act };

const main = byId("main");
const sections = byId("sections");
const trouble = h("p", { class: "note bad", role: "alert" });
const polls = polling((error) => (error ? fail(error) : wentWell()));
/** Lists are not polled by the contract; they are read when shown, and after an act. */
let current = null;

sections.append(
  h(
    "nav",
    { "aria-label": "Sections" },
    ...Object.entries(SECTIONS).map(([name, { title }]) => h("a", { href: `#${name}` }, title)),
  ),
);

function wentWell() {
  trouble.textContent = "";
  const freshness = byId("freshness");
  if (freshness) freshness.textContent = `as of ${new Date().toLocaleTimeString(undefined, { timeStyle: "short" })}`;
}

/** Shows a failure in words. Who is no admin any more is told so. */
function fail(error) {
  logFault(error);
  if (error.code === "FORBIDDEN") enter();
  else if (error.code !== "UNAUTHORIZED") trouble.textContent = error.message;
}

/** Runs an act, says how it went, and has what is shown read anew at once. Answers whether it was done. */
async function act(work) {
  try {
    const { message, notFound = [], skipped = [] } = await work();
    const rest = [
      notFound.length > 0 && `not found: ${notFound.join(", ")}`,
      skipped.length > 0 && `closed already: ${skipped.join(", ")}`,
    ].filter(Boolean);
    notify([message, ...rest].join("; "));
    return true;
  } catch (error) {
    if (error.code !== "UNAUTHORIZED") notifyFailure(error);
    return false;
  } finally {
    await current?.load?.();
    polls.now();
  }
}

function sectionName() {
  const [name] = location.hash.slice(1).split("?");
  return Object.hasOwn(SECTIONS, name) ? name : "overview";
}

function show() {
  const name = sectionName();
  for (const link of sections.querySelectorAll("a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  sections.querySelector("[aria-current]").scrollIntoView({ block: "nearest", inline: "center" });
  closeDialogs();
  const { title, view } = SECTIONS[name];
  current = view(page);
  trouble.textContent = "";
  main.replaceChildren(trouble, current.node);
  document.title = `${title} · Roomcast admin`;
  current.load?.();
  polls.set(current.polls ?? []);
}

/** In place of the dashboard: why it is not there, and what to do. */
function showGate(gate) {
  current = null;
  polls.set([]);
  closeDialogs();
  sections.hidden = true;
  byId("app").classList.remove("with-side");
  document.title = "Roomcast admin";
  main.replaceChildren(gate);
}

let entered = 0;

async function enter() {
  entered += 1;
  const mine = entered;
  if (!currentSession()) return showGate(signedOut());
  try {
    const account = await readAccount();
    if (mine !== entered) return;
    if (account.role !== "admin") return showGate(notAnAdmin(account));
  } catch (error) {
    // A session that has ended comes here again by itself.
    if (mine === entered && currentSession()) showGate(unreachable(error, enter));
    return;
  }
  sections.hidden = false;
  byId("app").classList.add("with-side");
  show();
}

addEventListener("hashchange", () => {
  if (!current) return;
  show();
  scrollTo(0, 0);
  main.focus();
});
onSession(enter);
enter();
