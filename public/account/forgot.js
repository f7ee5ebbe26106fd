/** /account/forgot: asks for the mail by which a forgotten password is set anew. */
import { call } from "/api.js";
import { h } from "/dom.js";
import { field, onSend, submitButton } from "/ui/form.js";
import { backToSignIn, showGate } from "./parts.js";

const form = h(
  "form",
  { class: "form" },
  field("Email", { name: "email", type: "email", autocomplete: "email", required: true, maxlength: 254 }),
  submitButton("Mail me a link"),
);

onSend(form, async ({ email }) => {
  await call("POST", "/auth/password/forgot", { email }, { token: null });
  showGate(
    "Look into your mail",
    h(
      "p",
      { role: "status" },
      "If there is an account with ",
      h("b", {}, email.trim()),
      ", a link is on its way there. It works once, for 30 minutes.",
    ),
    backToSignIn(),
  );
});

showGate(
  "Forgotten password",
  h("p", { class: "muted" }, "Say which email your account has: a link to set a new password is mailed there."),
  form,
  backToSignIn(),
);
form.querySelector("input").focus();
