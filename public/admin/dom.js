/** Building the page. Text is only ever set as text, so what users wrote cannot become markup. */

/**
 * Makes an element. `on…` keys are listeners, `text` is its text, everything else is an attribute (false and null: none).
 * @param {string} name
 * @param {Record<string, any>} [attributes]
 * @param {(Node | string | null | undefined | false)[]} children
 */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same for SVG. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key === "text") node.textContent = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const byId = (id) => document.getElementById(id);

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const number = (value) => whole.format(value);
export const shortNumber = (value) => short.format(value);

/** A moment in the reader's own time; the exact one is in the title. */
export function time(iso) {
  if (!iso) return el("span", { class: "muted", text: "never" });
  const text = new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  return el("time", { datetime: iso, title: iso, text });
}

/** A link only if it is one that a page may follow. */
export function link(url, text) {
  return /^(https?:\/\/|\/(?!\/))/i.test(url ?? "")
    ? el("a", { href: url, target: "_blank", rel: "noopener noreferrer", text })
    : el("span", { text });
}

export const badge = (text, kind = "") => el("span", { class: `badge ${kind}`, text });

/** Says what happened, for a while. */
export function toast(text, kind = "") {
  const node = el("p", { class: `toast ${kind}`, text });
  const toasts = byId("toasts");
  toasts.append(node);
  // Shown anew, it lies above a dialog that was opened meanwhile.
  if (toasts.matches(":popover-open")) toasts.hidePopover();
  toasts.showPopover();
  setTimeout(() => {
    node.remove();
    if (toasts.childElementCount === 0) toasts.hidePopover();
  }, 6000);
}
