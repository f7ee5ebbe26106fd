/** Changing the password by the one that there is. */
import { call } from "/api.js";
import { h } from "/dom.js";
import { field, onSend, submitButton } from "/ui/form.js";
import { notify } from "/ui/notice.js";
import { newPassword, newPasswordFields } from "./password.js";
import { section } from "./section.js";

/** `onChanged()`: the other sessions have ended. */
export function passwordSection({ username }, onChanged) {
  const form = h(
    "form",
    { class: "form" },
    // A keeper of passwords learns by it whose password this is.
    h("input", { name: "username", value: username, autocomplete: "username", hidden: true, readonly: true }),
    field("Password of today", {
      name: "current",
      type: "password",
      autocomplete: "current-password",
      required: true,
      maxlength: 1024,
    }),
    ...newPasswordFields("next"),
    h("div", {}, submitButton("Change the password", "")),
  );
  onSend(form, async (fields) => {
    await call("POST", "/auth/password", { current: fields.current, next: newPassword("next", fields) });
    form.reset();
    notify("Your password is changed. All other sessions have ended.");
    onChanged();
  });
  const forgot = h("p", { class: "muted last" }, h("a", { href: "/account/forgot" }, "Forgotten, or never had one?"));
  return section("Password", "A new one ends all other sessions.", form, forgot);
}
