/** Small helpers for the document. */

/**
 * The element with an id; it must be there.
 * @param {string} id
 * @returns {any}
 */
export const $ = (id) => document.getElementById(id);

/**
 * Make an element. `attributes` may hold `class`, any attribute, and `on...` listeners.
 * @param {string} name
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string)} children
 * @returns {any}
 */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, String(value));
  }
  element.append(...children);
  return element;
}

/**
 * Run `action` when nothing has asked for it during `milliseconds`.
 * @param {number} milliseconds
 * @param {(...given: any[]) => void} action
 */
export function debounced(milliseconds, action) {
  let timer = 0;
  const later = (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...given), milliseconds);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}

/**
 * Write a note, good or bad; a screen reader says it where the element is a status.
 * @param {HTMLElement} element
 * @param {string} text
 * @param {"" | "good" | "bad"} [kind]
 */
export function note(element, text, kind = "") {
  element.textContent = text;
  element.classList.toggle("good", kind === "good");
  element.classList.toggle("bad", kind === "bad");
}

/** @param {unknown} error What a person is told of it. */
export const message = (error) => (error instanceof Error ? error.message : String(error));
