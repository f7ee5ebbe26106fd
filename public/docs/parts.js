/** Small parts of the page. */
import { h } from "/dom.js";

/** Text with `code` and [links](/path) in it. */
export function prose(text) {
  return text.split(/(`[^`]+`|\[[^\]]+\]\([^)\s]+\))/).map((part) => {
    if (part.startsWith("`")) return h("code", {}, part.slice(1, -1));
    const [, words, href] = /^\[([^\]]+)\]\(((?:https?:\/\/|\/|#)[^)\s]*)\)$/.exec(part) ?? [];
    return href ? h("a", { href }, words) : part;
  });
}

/** A block of code with a button that copies it. */
export function copyable(text) {
  const button = h("button", { class: "button small", type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    // Only a secure page may write to the clipboard; elsewhere the text is selected, ready for the keyboard.
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
    setTimeout(() => button.replaceChildren("Copy"), 1500);
  });
  const code = h("code", {}, text);
  return h("div", { class: "copyable" }, h("pre", { tabindex: "0" }, code), button);
}
