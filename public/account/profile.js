/** What others see of the account, and the names in it. */
import { call } from "/api.js";
import { h } from "/dom.js";
import { currentSession, keepSession } from "/session.js";
import { field, onSend, submitButton } from "/ui/form.js";
import { notify } from "/ui/notice.js";
import { section } from "./section.js";

/** The fields by their names in the API. An empty one is none. */
const FIELDS = [
  ["displayName", "Display name", { maxlength: 100, autocomplete: "nickname" }, { hint: "What others see." }],
  ["fullName", "Full name", { maxlength: 100, autocomplete: "name" }],
  ["bio", "About you", { maxlength: 500, rows: 3 }, { as: "textarea" }],
  ["avatarUrl", "Address of a picture", { type: "url", maxlength: 2000, placeholder: "https://…" }],
  ["phone", "Phone", { type: "tel", maxlength: 32, autocomplete: "tel" }, { hint: "Only you see it." }],
];

export function profileSection(account) {
  const fields = FIELDS.map(([name, label, attributes, more]) => {
    const made = field(label, { name, ...attributes }, more);
    made.querySelector("[name]").value = account[name] ?? "";
    return made;
  });
  const form = h("form", { class: "form" }, ...fields, h("div", {}, submitButton("Save")));
  onSend(form, async (given) => {
    const changed = Object.fromEntries(FIELDS.map(([name]) => [name, given[name].trim() || null]));
    const user = await call("PATCH", "/auth/me", changed);
    const session = currentSession();
    if (session) keepSession({ ...session, user });
    notify("Saved.");
  });
  return section("Profile", null, form);
}
