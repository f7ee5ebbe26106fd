/** Buttons that copy text. Only a secure page may write to the clipboard; elsewhere the text is selected, for the keyboard. */
import { h } from "/dom.js";

const SHOWN_MS = 2000;

/**
 * @param {HTMLElement} source the element whose text is copied
 * @param {string} about what is copied, for who hears the page
 */
export function copyButton(source, about = "Copy") {
  const button = h("button", { class: "small", type: "button" });
  const show = (text) => {
    button.textContent = text;
    button.setAttribute("aria-label", text === "Copy" ? about : text);
  };
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
      show("Copied");
    } catch {
      getSelection().selectAllChildren(source);
      show("Selected");
    }
    setTimeout(() => show("Copy"), SHOWN_MS);
  });
  show("Copy");
  return button;
}

/** A block of code with its button. */
export function codeBlock(text) {
  const code = h("code", {}, text);
  return h("div", { class: "copyable" }, h("pre", { tabindex: 0 }, code), copyButton(code));
}

/** A labelled line of text with its button. */
export function copyRow(label, text) {
  const line = h("code", { tabindex: 0 }, text);
  const button = copyButton(line, `Copy: ${label}`);
  return { line, node: h("div", { class: "copy-row" }, h("span", { class: "muted" }, label), line, button) };
}
