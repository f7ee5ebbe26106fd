/** Signing in, by a provider or as a guest too, and on a developer's machine with the demo accounts of `npm start`. */
import { becomeGuest, signIn } from "/account.js";
import { providerButtons } from "/account/providers.js";
import { h } from "/dom.js";
import { openDialog } from "/ui/dialog.js";
import { clearProblems, field, onSend, showProblem, submitButton } from "/ui/form.js";

export const DEMO = ["demo", "friend"];
export const DEMO_PASSWORD = "demo-password";
/** `npm start` makes the demo accounts; no other service has them. */
export const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);

/**
 * The form, for a dialog or a page. All pages hear from /session.js who has signed in.
 * @param {{withGuest?: boolean, onDone?: () => void}} [options]
 */
export function signInForm({ withGuest = true, onDone = () => {} } = {}) {
  const form = h(
    "form",
    { class: "form" },
    field("Username or email", { name: "username", autocomplete: "username", required: true, maxlength: 254 }),
    field("Password", {
      name: "password",
      type: "password",
      autocomplete: "current-password",
      required: true,
      maxlength: 128,
    }),
    submitButton("Sign in"),
  );
  onSend(form, async ({ username, password }) => {
    await signIn(username, password);
    onDone();
  });

  const ways = h(
    "p",
    { class: "ways" },
    h("a", { href: "/account/forgot" }, "Forgotten your password?"),
    h("a", { href: "/account/sign-up" }, "Make an account"),
  );
  const providers = providerButtons("Sign in with", (error) => showProblem(form, error));

  const instead = (label, enter) => {
    const press = async ({ target }) => {
      clearProblems(form);
      target.disabled = true;
      await enter().then(onDone, (error) => showProblem(form, error));
      target.disabled = false;
    };
    return h("button", { type: "button", onclick: press }, label);
  };
  const others = [
    withGuest && instead("Continue as a guest", becomeGuest),
    ...(isLocal ? DEMO.map((name) => instead(`As ${name}`, () => signIn(name, DEMO_PASSWORD))) : []),
  ].filter(Boolean);
  const hints = [
    withGuest && "A guest is a fresh account for this tab.",
    isLocal && "The demo accounts exist where the service was started with npm start.",
  ].filter(Boolean);
  if (others.length === 0) return h("div", { class: "sign-in" }, form, ways, providers);
  return h(
    "div",
    { class: "sign-in" },
    form,
    ways,
    providers,
    h("p", { class: "or" }, "or"),
    h("div", { class: "buttons others" }, ...others),
    h("p", { class: "muted hint" }, hints.join(" ")),
  );
}

/** Asks in a dialog; resolves to whether somebody is signed in now. `why`: a sentence above the form. */
export function askToSignIn(why = "") {
  return new Promise((resolve) => {
    const form = signInForm({ onDone: () => dialog.close("done") });
    const dialog = openDialog("Sign in", {}, why && h("p", { class: "muted" }, why), form);
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "done"));
    form.querySelector("input").focus();
  });
}
