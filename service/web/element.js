// Elements, made without markup: whatever a document or a person wrote becomes text, and nothing else.

export const byId = (id) => document.getElementById(id);

/**
 * Make an element. Properties are the element's own (`className`, `href`, `onclick` …); `aria-…` become attributes.
 * Children are elements or strings, which become text; anything else (null, false) is left out.
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("aria-")) {
      element.setAttribute(name, value);
    } else {
      element[name] = value;
    }
  }
  element.append(...children.flat().filter((child) => child instanceof Node || (typeof child === "string" && child)));
  return element;
}

/** Make an element of others' words, set apart so that their direction of writing cannot turn what stands around. */
export function words(text, tag = "bdi", className = "") {
  return make(tag, { dir: "auto", className }, text);
}

export function icon(name) {
  return make("span", { className: `icon ${name}` });
}

/** Return a count with its noun: `1 document`, `2 documents`. */
export function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/** Tell those who listen to the page. */
export function announce(text) {
  byId("status").textContent = text;
}
