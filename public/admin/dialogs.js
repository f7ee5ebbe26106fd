/** Questions before an act, and panels with details. The browser's own dialogs: Escape closes, focus comes back. */
import { el } from "./dom.js";

function open(dialog) {
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
  return dialog;
}

/**
 * Asks for a reason (or another text of 1 to 500 characters). Resolves to null when the question is put away.
 * @param {{title: string, label?: string, confirm: string, warning?: string, isDangerous?: boolean}} question
 * @returns {Promise<string | null>}
 */
export function askReason({ title, label = "Reason", confirm, warning, isDangerous = false }) {
  return new Promise((resolve) => {
    let answer = null;
    const text = el("textarea", { name: "reason", rows: 3, maxlength: 500, required: true });
    const form = el(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          if (text.value.trim() === "") return;
          answer = text.value.trim();
          dialog.close();
        },
      },
      el("h2", { text: title }),
      warning && el("p", { class: "warning", text: warning }),
      el("label", {}, label, text),
      el(
        "div",
        { class: "buttons" },
        el("button", { type: "button", text: "Cancel", onclick: () => dialog.close() }),
        el("button", { type: "submit", class: isDangerous ? "danger" : "primary", text: confirm }),
      ),
    );
    const dialog = el("dialog", { class: "ask", "aria-label": title }, form);
    dialog.addEventListener("close", () => resolve(answer));
    open(dialog);
    text.focus();
  });
}

/** Opens a panel; `content` is put in when it has come. */
export function openPanel(title, ...content) {
  const dialog = el(
    "dialog",
    { class: "panel", "aria-label": title },
    el(
      "header",
      {},
      el("h2", { text: title }),
      el("button", { type: "button", class: "close", "aria-label": "Close", text: "×", onclick: () => dialog.close() }),
    ),
    ...content,
  );
  return open(dialog);
}
