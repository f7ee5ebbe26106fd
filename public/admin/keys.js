/** Keys of the product's own backend: make one, see when it was used, revoke it. */
import { call, Refusal, withQuery } from "/api.js";
import { h } from "/dom.js";
import { confirmed, openForm } from "/ui/dialog.js";
import { choices, chosen, field } from "/ui/form.js";
import { day } from "/ui/format.js";
import { actButton, recordList } from "/ui/table.js";
import { badge, byStatus, MADE, nameCell, SEARCH, showOnce } from "./parts.js";
import { SCOPES } from "./vocabulary.js";

const DAY_MS = 86_400_000;

/** A day as a date field takes it, in the reader's own time. */
const dateValue = (moment) =>
  [moment.getFullYear(), moment.getMonth() + 1, moment.getDate()]
    .map((part) => String(part).padStart(2, "0"))
    .join("-");

const isOver = ({ expiresAt }) => expiresAt !== null && new Date(expiresAt) <= new Date();

export function keys(page) {
  function create() {
    let made;
    const { form } = openForm(
      "Create a key",
      {
        label: "Create",
        send: async ({ name, lastDay }) => {
          const scopes = chosen(form, "scopes");
          if (scopes.length === 0) throw new Refusal("INVALID_REQUEST", "Choose at least one scope.");
          // Good through the whole of the day that was chosen.
          const expiresAt = lastDay ? new Date(`${lastDay}T23:59:59`).toISOString() : undefined;
          made = await call("POST", "/admin/keys", { name, scopes, expiresAt });
          list.load();
        },
        onClose: (isDone) =>
          isDone &&
          showOnce(`The key of ${made.name}`, {
            label: "Key",
            secret: made.key,
            use: "Keep it on a server, as a secret. It is sent as “Authorization: Bearer”, and never belongs into a page or an app.",
          }),
      },
      field("Name", { name: "name", required: true, maxlength: 100 }, { hint: "Which backend has it." }),
      choices("Scopes", "scopes", SCOPES),
      field(
        "Expires",
        { name: "lastDay", type: "date", min: dateValue(new Date(Date.now() + DAY_MS)) },
        { hint: "The last day on which it works. Left empty, it works until it is revoked." },
      ),
    );
  }

  async function revoke(key) {
    const text = "Calls with it are refused from the next one on. This cannot be undone.";
    if (await confirmed(`Revoke the key of ${key.name}?`, text, "Revoke")) {
      await page.act(() => call("DELETE", `/admin/keys/${encodeURIComponent(key.id)}`));
    }
  }

  const list = recordList({
    title: "Keys",
    make: h("button", { type: "button", class: "primary", onclick: create }, "Create a key"),
    nothing: "There is no key yet. With one, your own backend makes users, signs them in and publishes.",
    read: (query) => call("GET", withQuery("/admin/keys", query)),
    items: "keys",
    filters: [SEARCH, byStatus(["active", "Active"], ["expired", "Expired"])],
    columns: [
      {
        label: "Key",
        isName: true,
        cell: (key) => nameCell(key.name, [isOver(key) && badge("expired", "bad")]),
      },
      { label: "Begins with", cell: ({ id }) => [h("code", {}, `rc_${id}`)] },
      {
        label: "Scopes",
        cell: ({ scopes }) => [h("span", { class: "scopes" }, ...scopes.map((scope) => badge(scope)))],
      },
      { label: "Last used", cell: ({ lastUsedAt }) => [day(lastUsedAt)] },
      { label: "Expires", cell: ({ expiresAt }) => [day(expiresAt)] },
      MADE,
    ],
    acts: (key) => [actButton("Revoke", () => revoke(key), "danger")],
  });
  return list;
}
