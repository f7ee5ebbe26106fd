/**
 * Makes an element. Children are text or elements, never markup: what people wrote stays text. Functions among the attributes
 * listen (`onclick`); false and null are no attribute, true is one without a value.
 * @param {string} tag
 * @param {Record<string, string | boolean | null | undefined | ((event: Event) => unknown)>} attributes
 * @param {...(Node | string | null | undefined | false)} children
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined)
      element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}
