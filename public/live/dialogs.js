/** Questions and panels: the browser's own dialogs. Escape closes, and focus comes back. */
import { h } from "/dom.js";

let count = 0;

/** Opens a dialog with its title; it is gone when it is closed. */
export function openDialog(title, ...content) {
  count += 1;
  const id = `dialog-${count}`;
  const close = h(
    "button",
    { class: "close", type: "button", "aria-label": "Close", onclick: () => dialog.close() },
    "×",
  );
  const dialog = h(
    "dialog",
    { class: "card", "aria-labelledby": id },
    h("header", {}, h("h2", { id }, title), close),
    ...content,
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
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
      return h("button", { class: `button ${kind}`, type: "button", onclick: press }, label);
    });
    const dialog = openDialog(title, h("p", {}, text), h("div", { class: "buttons" }, ...buttons));
    dialog.addEventListener("close", () => resolve(answer));
  });
}

export const confirmed = async (title, text, label) =>
  (await choose(title, text, [{ label, value: true, kind: "danger" }])) === true;

/**
 * A form in a dialog. `send` gets its fields; what it throws is shown in words, otherwise the dialog closes.
 * `children` are the fields.
 */
export function openForm(title, { label, send }, ...children) {
  const problem = h("p", { class: "problem", role: "alert" });
  const submit = h("button", { class: "button primary", type: "submit" }, label);
  const form = h("form", {}, ...children, problem, submit);
  const dialog = openDialog(title, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    problem.textContent = "";
    try {
      await send(Object.fromEntries(new FormData(form)));
      dialog.close("done");
    } catch (error) {
      if (error.code === undefined) console.error(error);
      problem.textContent = error.message;
    } finally {
      submit.disabled = false;
    }
  });
  return { dialog, form, problem };
}
