/** The account's address: whether it is verified, the mail for that once more, and another address. */
import { call } from "/api.js";
import { h } from "/dom.js";
import { field, onSend, submitButton } from "/ui/form.js";
import { notify, notifyFailure } from "/ui/notice.js";
import { section, workButton } from "./section.js";

const resend = () =>
  call("POST", "/auth/verify-email/resend", {}).then(
    () => notify("A link is on its way. It works once, for 24 hours."),
    notifyFailure,
  );

function changeForm() {
  const said = h("p", { class: "note", role: "status" });
  const form = h(
    "form",
    { class: "form" },
    field("New email", { name: "email", type: "email", autocomplete: "email", required: true, maxlength: 254 }),
    h("div", {}, submitButton("Change the email", "")),
    said,
  );
  onSend(form, async ({ email }) => {
    said.textContent = "";
    await call("PATCH", "/auth/me", { email });
    said.textContent = `Follow the link that is mailed to ${email.trim()}. Until then the account keeps the email above.`;
    form.reset();
  });
  return form;
}

export function emailSection({ email, emailVerified }) {
  const state = emailVerified
    ? h("span", { class: "badge good" }, "Verified")
    : h("span", { class: "badge warn" }, "Not verified");
  return section(
    "Email",
    null,
    h("p", { class: "address" }, h("b", {}, email), " ", state),
    !emailVerified && h("p", {}, workButton("Mail the link again", "", resend)),
    changeForm(),
  );
}
