/** Signing in, as a guest too, and on a developer's machine with the demo accounts of `npm start`. */
import { becomeGuest, signIn } from "/api.js";
import { h } from "/dom.js";
import { openForm } from "./dialogs.js";

const DEMO = ["demo", "friend"];
const DEMO_PASSWORD = "demo-password";
const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);

/** Resolves to whether somebody is signed in now. */
export function askToSignIn(why = "Watching needs no account; writing in a chat and going live do.") {
  return new Promise((resolve) => {
    const username = h("input", {
      class: "field",
      name: "username",
      autocomplete: "username",
      required: true,
      maxlength: "254",
    });
    const password = h("input", {
      class: "field",
      name: "password",
      type: "password",
      autocomplete: "current-password",
      required: true,
      maxlength: "128",
    });
    const { dialog, form, problem } = openForm(
      "Sign in",
      { label: "Sign in", send: (fields) => signIn(fields.username, fields.password) },
      h("p", { class: "muted" }, why),
      h("label", {}, "Username or email", username),
      h("label", {}, "Password", password),
    );
    const instead = (label, work) => {
      const press = async () => {
        problem.textContent = "";
        try {
          await work();
          dialog.close("done");
        } catch (error) {
          problem.textContent = error.message;
        }
      };
      return h("button", { class: "button", type: "button", onclick: press }, label);
    };
    const demo = DEMO.map((name) => instead(`As ${name}`, () => signIn(name, DEMO_PASSWORD)));
    form.after(
      h("p", { class: "or muted" }, "or"),
      h("div", { class: "buttons instead" }, instead("Continue as a guest", becomeGuest), ...(isLocal ? demo : [])),
      h(
        "p",
        { class: "hint muted" },
        "A guest is a fresh account for this tab.",
        isLocal && " The demo accounts exist where the service was started with npm start.",
      ),
    );
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "done"));
  });
}
