/** The page: which view the address asks for, `#<id>` a stream, without it the list; drawn anew when somebody else is signed in. */
import { readAccount } from "/account.js";
import { byId } from "/dom.js";
import { currentSession, onSession } from "/session.js";
import { closeDialogs } from "/ui/dialog.js";
import { notify, notifyFailure } from "/ui/notice.js";
import { askToSignIn } from "/ui/sign-in.js";
import { listView } from "./list.js";
import { streamView } from "./stream.js";

const main = byId("main");

/** @type {{id: number, username: string, role: string} | null} */
let account = null;
let view = null;
let shown = Promise.resolve();

/** What the views may ask of the page. */
const page = {
  get account() {
    return account;
  },
  /** Asks for an account if there is none; resolves to whether there is one. */
  async needAccount(why) {
    if (account) return true;
    if (!(await askToSignIn(why))) return false;
    await shown;
    return account !== null;
  },
  /** Says for a while what was done. */
  say: notify,
  /** Runs what a press started; what goes wrong is said in words. */
  doing: (work) => work().catch(notifyFailure),
};

async function readWho() {
  account = null;
  if (!currentSession()) return;
  try {
    account = await readAccount();
  } catch (error) {
    // A session that has ended is told of by the header.
    if (currentSession()) notifyFailure(error);
  }
}

function show() {
  view?.close();
  closeDialogs();
  const [, id] = /^#(\d{1,15})$/.exec(location.hash) ?? [];
  document.title = "Roomcast live";
  view = id ? streamView(Number(id), page) : listView(page);
  main.replaceChildren(view.node);
}

async function enter() {
  await readWho();
  show();
}

addEventListener("hashchange", () => {
  show();
  scrollTo(0, 0);
  main.focus();
});
onSession(() => {
  shown = enter();
});
shown = enter();
