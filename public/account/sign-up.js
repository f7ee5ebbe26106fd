/** /account/sign-up: makes an account. */
import { signUp } from "/account.js";
import { h } from "/dom.js";
import { field, onSend, showProblem, submitButton } from "/ui/form.js";
import { linksOn, showGate } from "./parts.js";
import { providerButtons } from "./providers.js";

const form = h(
  "form",
  { class: "form" },
  field(
    "Username",
    { name: "username", autocomplete: "username", required: true, minlength: 3, maxlength: 30 },
    { hint: "3 to 30 letters, digits, dots and underscores." },
  ),
  field("Email", { name: "email", type: "email", autocomplete: "email", required: true, maxlength: 254 }),
  field(
    "Password",
    {
      name: "password",
      type: "password",
      autocomplete: "new-password",
      required: true,
      minlength: 8,
      maxlength: 128,
    },
    { hint: "At least 8 characters." },
  ),
  submitButton("Make the account"),
);

onSend(form, async (fields) => {
  const isIn = await signUp(fields);
  const address = h("b", {}, fields.email);
  if (isIn) {
    showGate(
      `Welcome, ${fields.username}`,
      h("p", {}, "Your account is made. Follow the link that is mailed to ", address, " to verify the address."),
      linksOn(),
    );
  } else {
    showGate(
      "One step more",
      h("p", {}, "Follow the link that is mailed to ", address, ", then sign in."),
      h("a", { class: "button", href: "/account" }, "Sign in"),
    );
  }
});

showGate(
  "Make an account",
  form,
  providerButtons("Go on with", (error) => showProblem(form, error)),
  h("p", { class: "way-back" }, "Have one already? ", h("a", { href: "/account" }, "Sign in")),
);
form.querySelector("input").focus();
