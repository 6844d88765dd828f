/** Elements, made and found in few words. */

/** The element of that id. @type {(id: string) => any} */
export const $ = (id) => document.getElementById(id);

/** All that a selector finds. @type {(selector: string, root?: ParentNode) => any[]} */
export const all = (selector, root = document) => [...root.querySelectorAll(selector)];

/**
 * A new element; properties are set as they are, `data` and `aria` as attributes, and children are appended.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} properties
 * @param {...(Node | string)} children
 */
export function element(tag, { data = {}, aria = {}, ...properties } = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  for (const [name, value] of Object.entries(data)) made.dataset[name] = value;
  for (const [name, value] of Object.entries(aria)) made.setAttribute(`aria-${name}`, value);
  made.append(...children);
  return made;
}

/** A drawing of lines from SVG path data; it means nothing to a screen reader. */
export function drawing(path, side = 24) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${side} ${side}`);
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(svg.namespaceURI, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/** Show a sentence, or hide its place when there is none. */
export function sentence(place, text = "") {
  place.textContent = whole(text);
  place.hidden = !text;
}

/** What the server says begins small and ends without a stop, for a command line. */
export function whole(text) {
  return text && text[0].toUpperCase() + text.slice(1) + (/[.!?)]$/.test(text) ? "" : ".");
}
