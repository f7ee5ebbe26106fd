/**
 * Makes an element. Children are text or elements, never markup: what people wrote stays text.
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {...(Node | string | null | undefined | false)} children
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}
