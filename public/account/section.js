/** The sections of the settings: a card each, and a list of things in it. */
import { logFault } from "/api.js";
import { h } from "/dom.js";

let count = 0;

/** A card with its title. `about`: a sentence below it. */
export function section(title, about, ...children) {
  count += 1;
  const id = `section-${count}`;
  // The focus comes to the title when what had it is gone.
  return h(
    "section",
    { class: "card", "aria-labelledby": id },
    h("h2", { id, tabindex: -1 }, title),
    about && h("p", { class: "muted" }, about),
    ...children,
  );
}

/** One thing in a list: its name, what is known of it, and what can be done. */
export const item = (name, facts, ...acts) =>
  h(
    "li",
    {},
    h("div", { class: "what" }, h("div", { class: "name" }, ...name), h("p", { class: "muted" }, ...facts)),
    ...acts,
  );

/**
 * A list that `read` fills with items, and fills again after each change; a failure is told in words, with a way to try again.
 * @param {() => Promise<HTMLElement[]>} read
 * @param {string} nothing what stands in place of no items
 */
export function thingsList(read, nothing) {
  const node = h("ul", { class: "things" });
  const tell = (...children) => node.replaceChildren(h("li", { class: "muted" }, ...children));
  async function load() {
    try {
      const items = await read();
      if (items.length > 0) node.replaceChildren(...items);
      else tell(nothing);
    } catch (error) {
      logFault(error);
      tell(error.message, " ", h("button", { class: "small", type: "button", onclick: load }, "Try again"));
    }
  }
  tell("Loading…");
  load();
  return { node, load };
}

/** A button that is off while its work goes on. `work` tells its failures itself. */
export function workButton(text, kind, work) {
  const press = async () => {
    button.disabled = true;
    await work();
    button.disabled = false;
  };
  const button = h("button", { class: kind, type: "button", onclick: press }, text);
  return button;
}
