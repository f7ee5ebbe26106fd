/** /account/verify: where the link in the mail for verifying an address leads. */
import { readAccount } from "/account.js";
import { call } from "/api.js";
import { h } from "/dom.js";
import { currentSession } from "/session.js";
import { field, onSend, submitButton } from "/ui/form.js";
import { backToSignIn, DEAD_LINK, forgetToken, linksOn, mailedToken, showGate } from "./parts.js";

/** Who is signed in gets the mail for the address of the account, and needs to name none. */
function resendForm() {
  const known = currentSession() !== null;
  const email = field("Email", {
    name: "email",
    type: "email",
    autocomplete: "email",
    required: true,
    maxlength: 254,
  });
  const form = h("form", { class: "form" }, !known && email, submitButton("Mail me another link"));
  onSend(form, async (fields) => {
    await call("POST", "/auth/verify-email/resend", known ? {} : fields);
    showGate(
      "Look into your mail",
      h(
        "p",
        { role: "status" },
        "If the address still has to be verified, a link is on its way. It works once, for 24 hours.",
      ),
      backToAccount(),
    );
  });
  return form;
}

const backToAccount = () =>
  currentSession() ? h("a", { class: "button", href: "/account" }, "Account settings") : backToSignIn();

async function verify() {
  const token = mailedToken();
  if (!token) {
    showGate("Verify your email", h("p", {}, "This address needs the whole link from the mail."), resendForm());
    return;
  }
  showGate("Verify your email", h("p", { role: "status" }, "One moment…"));
  try {
    await call("POST", "/auth/verify-email", { token }, { token: null });
  } catch (error) {
    const again = h("button", { class: "primary", type: "button", onclick: verify }, "Try again");
    const isDead = error.code === "INVALID_REQUEST";
    showGate(
      "Your email is not verified",
      h("p", { class: "problem", role: "alert" }, isDead ? DEAD_LINK : error.message),
      isDead ? resendForm() : again,
    );
    return;
  }
  forgetToken();
  if (currentSession()) await readAccount().catch(() => {});
  showGate(
    "Your email is verified",
    h("p", { role: "status" }, "Mail to this address reaches you."),
    currentSession() ? linksOn() : h("a", { class: "button primary", href: "/account" }, "Sign in"),
  );
}

// Another link, opened in the same tab.
addEventListener("hashchange", verify);
verify();
