/** /account: the settings of who is signed in; drawn anew when somebody else is. */
import { readAccount } from "/account.js";
import { logFault } from "/api.js";
import { byId, h } from "/dom.js";
import { currentSession, onSession } from "/session.js";
import { closeDialogs } from "/ui/dialog.js";
import { signInForm } from "/ui/sign-in.js";
import { emailSection } from "./email.js";
import { exportSection } from "./export.js";
import { identitiesSection } from "./identities.js";
import { notificationsSection } from "./notifications.js";
import { showGate } from "./parts.js";
import { passwordSection } from "./password-section.js";
import { profileSection } from "./profile.js";
import { sessionsSection } from "./sessions.js";

let shown = 0;

async function show() {
  shown += 1;
  const mine = shown;
  closeDialogs();
  if (!currentSession()) {
    showGate("Sign in", signInForm({ withGuest: false }));
    return;
  }
  try {
    const account = await readAccount();
    if (mine === shown) draw(account);
  } catch (error) {
    // A session that has ended is told of by the header, and comes here again without one.
    if (mine !== shown || !currentSession()) return;
    logFault(error);
    showGate(
      "Your account could not be read",
      h("p", { class: "problem", role: "alert" }, error.message),
      h("button", { class: "primary", type: "button", onclick: show }, "Try again"),
    );
  }
}

function draw(account) {
  // Nobody knows a guest's password, and nobody reads their mail.
  const { isGuest } = currentSession();
  const guestNote = h(
    "p",
    { class: "note" },
    "You are a guest: this account is gone from here with this tab. ",
    h("a", { href: "/account/sign-up" }, "Make an account"),
    " to stay.",
  );
  const sessions = sessionsSection();
  byId("main").replaceChildren(
    h(
      "div",
      { class: "wrap settings" },
      h("div", { class: "head" }, h("h1", {}, "Account"), h("p", { class: "muted" }, `@${account.username}`)),
      isGuest && guestNote,
      profileSection(account),
      !isGuest && emailSection(account),
      !isGuest && passwordSection(account, sessions.load),
      !isGuest && notificationsSection(),
      sessions.node,
      !isGuest && identitiesSection(),
      exportSection(),
    ),
  );
}

onSession(show);
show();
