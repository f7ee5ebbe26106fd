/** /account/reset: where the link in the mail for a forgotten password leads. */
import { readAccount } from "/account.js";
import { call } from "/api.js";
import { h } from "/dom.js";
import { currentSession } from "/session.js";
import { onSend, submitButton } from "/ui/form.js";
import { signInForm } from "/ui/sign-in.js";
import { backToSignIn, DEAD_LINK, forgetToken, linksOn, mailedToken, showGate } from "./parts.js";
import { newPassword, newPasswordFields } from "./password.js";

const another = () => h("a", { class: "button", href: "/account/forgot" }, "Ask for another link");

function done() {
  forgetToken();
  const form = signInForm({ withGuest: false, onDone: () => showGate("You are signed in", linksOn()) });
  showGate(
    "Your password is changed",
    h("p", { role: "status" }, "You are signed out everywhere. Sign in with the new password."),
    form,
  );
  form.querySelector("input").focus();
  // The session of this browser may be one of those that have ended.
  if (currentSession()) readAccount().catch(() => {});
}

function show() {
  if (!mailedToken()) {
    showGate("New password", h("p", {}, "This address needs the whole link from the mail."), another(), backToSignIn());
    return;
  }
  const form = h("form", { class: "form" }, ...newPasswordFields("password"), submitButton("Set the password"));
  onSend(form, async (fields) => {
    const body = { token: mailedToken(), password: newPassword("password", fields) };
    try {
      await call("POST", "/auth/password/reset", body, { token: null });
    } catch (error) {
      if (error.details?.some(({ path }) => path === "password") || error.code !== "INVALID_REQUEST") throw error;
      showGate(
        "This link is of no use any more",
        h("p", { class: "problem", role: "alert" }, DEAD_LINK),
        h("p", { class: "muted" }, "A link works once, for 30 minutes."),
        another(),
      );
      return;
    }
    done();
  });
  showGate("New password", form);
  form.querySelector("input").focus();
}

// Another link, opened in the same tab.
addEventListener("hashchange", show);
show();
