/** Questions and panels: the browser's own dialogs. Escape closes, and the focus goes back to where it was. */
import { Refusal } from "/api.js";
import { h } from "/dom.js";
import { field, onSend, submitButton } from "/ui/form.js";
import { icon } from "/ui/icons.js";

let count = 0;

/** Opens a dialog with its title; it is gone when it is closed. `kind`: `wide` for a panel with details. */
export function openDialog(title, { kind = "" } = {}, ...content) {
  count += 1;
  const id = `dialog-${count}`;
  const close = h(
    "button",
    { class: "icon", type: "button", "aria-label": "Close", onclick: () => dialog.close() },
    icon("close"),
  );
  const dialog = h(
    "dialog",
    { class: kind, "aria-labelledby": id },
    h("header", {}, h("h2", { id }, title), close),
    ...content,
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

export function closeDialogs() {
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
}

/** Resolves to the value of the pressed choice, null when the question is put away. */
export function choose(title, text, choices) {
  return new Promise((resolve) => {
    let answer = null;
    const buttons = choices.map(({ label, value, kind = "" }) => {
      const press = () => {
        answer = value;
        dialog.close();
      };
      return h("button", { class: kind, type: "button", onclick: press }, label);
    });
    const dialog = openDialog(title, {}, h("p", {}, text), h("div", { class: "buttons end" }, ...buttons));
    dialog.addEventListener("close", () => resolve(answer));
  });
}

/** Whether somebody is sure of what cannot be undone. */
export const confirmed = async (title, text, label) =>
  (await choose(title, text, [
    { label: "Cancel", value: false },
    { label, value: true, kind: "danger primary" },
  ])) === true;

/**
 * A form in a dialog. `send` gets its fields; what it throws is shown in words, otherwise the dialog closes. `onClose` hears
 * whether it was sent. `children` are the fields.
 */
export function openForm(title, { label, kind = "primary", send, onClose = () => {} }, ...children) {
  const cancel = h("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
  const form = h(
    "form",
    { class: "form" },
    ...children,
    h("div", { class: "buttons end" }, cancel, submitButton(label, kind)),
  );
  const dialog = openDialog(title, {}, form);
  onSend(form, async (fields) => {
    await send(fields);
    dialog.close("done");
  });
  dialog.addEventListener("close", () => onClose(dialog.returnValue === "done"));
  form.querySelector("input, textarea, select")?.focus();
  return { dialog, form };
}

/**
 * Asks for a reason (or another text of 1 to 500 characters). Resolves to null when the question is put away.
 * @param {{title: string, label?: string, confirm: string, warning?: string, isDangerous?: boolean}} question
 * @returns {Promise<string | null>}
 */
export function askReason({ title, label = "Reason", confirm, warning, isDangerous = false }) {
  return new Promise((resolve) => {
    let answer = null;
    openForm(
      title,
      {
        label: confirm,
        kind: isDangerous ? "danger primary" : "primary",
        send: async ({ reason }) => {
          answer = reason.trim();
          if (!answer) throw new Refusal("INVALID_REQUEST", "", { details: [{ path: "reason", message: "is empty" }] });
        },
        onClose: (isDone) => resolve(isDone ? answer : null),
      },
      warning && h("p", { class: isDangerous ? "problem" : "muted" }, warning),
      field(label, { name: "reason", rows: 3, maxlength: 500, required: true }, { as: "textarea" }),
    );
  });
}
