/** Builds the page. Children are text or elements, never markup: what people wrote stays text. */

/**
 * Makes an element. Functions among the attributes listen (`onclick`); false, null and undefined are no attribute, true is
 * one without a value.
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined | ((event: Event) => unknown)>} attributes
 * @param {...(Node | string | number | null | undefined | false)} children
 */
export const h = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);

/** The same for SVG. */
export const svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined)
      element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const byId = (id) => document.getElementById(id);
