/**
 * Forms: fields with labels, and what the service finds wrong shown where it belongs.
 *
 *   const form = h("form", { class: "form" },
 *     field("Title", { name: "title", required: true, maxlength: 255 }, { hint: "Up to 255 characters." }),
 *     field("Description", { name: "description", rows: 3 }, { as: "textarea" }),
 *     submitButton("Save"));
 *   onSend(form, async ({ title, description }) => call("POST", "/streams", { title, description }));
 */
import { logFault } from "/api.js";
import { h } from "/dom.js";

let count = 0;

/**
 * A label with its field, a hint below it, and a place for what is wrong with it.
 * @param {string} label
 * @param {Record<string, any>} attributes of the field
 * @param {{as?: "input" | "textarea" | "select", hint?: string, options?: [value: string, text: string][]}} [more]
 */
export function field(label, attributes, { as = "input", hint, options = [] } = {}) {
  count += 1;
  const hintId = hint && `hint-${count}`;
  const problemId = `problem-${count}`;
  return h(
    "label",
    {},
    label,
    h(
      as,
      { ...attributes, "aria-describedby": [hintId, problemId].filter(Boolean).join(" ") },
      ...options.map(([value, text]) => h("option", { value }, text)),
    ),
    hint && h("small", { id: hintId }, hint),
    h("span", { class: "problem", id: problemId, role: "alert" }),
  );
}

/**
 * Several things to tick, under one heading. `chosen(form, name)` answers which were.
 * @param {string} legend
 * @param {string} name
 * @param {[value: string, text: string, hint?: string][]} options
 * @param {string[]} [ticked]
 */
export function choices(legend, name, options, ticked = []) {
  const boxes = options.map(([value]) =>
    h("input", { type: "checkbox", name, value, checked: ticked.includes(value), onchange: () => draw() }),
  );
  const isAll = () => boxes.every((box) => box.checked);
  const all = h("button", { type: "button", class: "plain" });
  all.addEventListener("click", () => {
    const next = !isAll();
    for (const box of boxes) box.checked = next;
    draw();
  });
  const draw = () => {
    all.textContent = isAll() ? "None" : "All";
    all.setAttribute("aria-label", `${legend}: ${all.textContent.toLowerCase()}`);
  };
  draw();
  const labels = options.map(([, text, hint], at) =>
    h("label", {}, boxes[at], h("span", {}, text, hint && h("small", { class: "muted" }, hint))),
  );
  const isPlain = options.every(([, , hint]) => !hint);
  return h(
    "fieldset",
    { class: `choices ${isPlain ? "many" : ""}` },
    h("legend", {}, legend, " ", all),
    h("div", {}, ...labels),
  );
}

/** Values of the boxes that are ticked. */
export const chosen = (form, name) =>
  [...form.querySelectorAll(`input[type=checkbox][name="${name}"]:checked`)].map(({ value }) => value);

export const submitButton = (text, kind = "primary") => h("button", { type: "submit", class: kind }, text);

/** Where a form says what went wrong with it as a whole. Made above its button when it is first needed. */
function problemOf(form) {
  const known = form.querySelector(":scope > .problem");
  if (known) return known;
  const made = h("p", { class: "problem", role: "alert" });
  const last = form.querySelector("[type=submit]")?.closest("form > *");
  form.insertBefore(made, last ?? null);
  return made;
}

export function clearProblems(form) {
  for (const problem of form.querySelectorAll(".problem")) problem.textContent = "";
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
}

/** Shows each detail of a refusal at its field, and the rest for the form as a whole. */
export function showProblem(form, error) {
  logFault(error);
  const placed = (error.details ?? []).filter(({ path, message }) => {
    const input = form.elements.namedItem(path);
    const problem = input instanceof Element && input.closest("label")?.querySelector(".problem");
    if (!problem) return false;
    problem.textContent = `${message[0].toUpperCase()}${message.slice(1)}`;
    input.setAttribute("aria-invalid", "true");
    return true;
  });
  if (placed.length > 0 && placed.length === error.details.length) form.querySelector("[aria-invalid]").focus();
  else problemOf(form).textContent = error.message;
}

/**
 * Calls `send(fields)` when the form is sent, once at a time, and shows what it throws.
 * @param {HTMLFormElement} form
 * @param {(fields: Record<string, string>) => Promise<unknown>} send
 */
export function onSend(form, send) {
  let isSending = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isSending) return;
    isSending = true;
    const buttons = [...form.querySelectorAll("[type=submit]")];
    for (const button of buttons) button.disabled = true;
    clearProblems(form);
    try {
      await send(Object.fromEntries(new FormData(form)));
    } catch (error) {
      showProblem(form, error);
    } finally {
      isSending = false;
      for (const button of buttons) button.disabled = false;
    }
  });
}
