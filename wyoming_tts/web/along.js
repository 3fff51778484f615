/** The text as it is spoken: each word is marked when it is heard. */

import { make } from "./dom.js";

export class ReadAlong {
  #box;
  #words = [];
  /** What stands behind the last word. @type {Text | null} */
  #rest = null;
  #taken = 0;
  #offsets = (place) => place;
  #now = -1;

  /** @param {HTMLElement} box */
  constructor(box) {
    this.#box = box;
  }

  /** Show another text, of which nothing was heard yet. @param {string} text */
  begin(text) {
    this.#words = [];
    this.#now = -1;
    this.#taken = 0;
    this.#offsets = offsetsIn(text);
    this.#rest = document.createTextNode(text);
    this.#box.replaceChildren(make("p", { class: "words" }, this.#rest));
    this.#box.scrollTop = 0;
  }

  /** Words whose times are known now. @param {Array<any>} words As the server sends them. */
  add(words) {
    for (const word of words) {
      const from = this.#offsets(word.start_char);
      const to = this.#offsets(word.end_char);
      const element = this.#element(from, to);
      if (element) this.#words.push({ start: word.start_time, end: word.end_time, element });
    }
  }

  /** Mark the word that is heard. @param {number} position In seconds. */
  show(position) {
    let place = this.#now;
    while (place + 1 < this.#words.length && this.#words[place + 1].start <= position) {
      this.#words[place]?.element.classList.replace("now", "said");
      place += 1;
      this.#words[place].element.className = "now";
    }
    if (place === this.#now) return;
    this.#now = place;
    this.#follow(this.#words[place].element);
  }

  /** All was heard. */
  finish() {
    for (const { element } of this.#words) element.className = "said";
  }

  /** Broken off: what was heard stays marked as that. */
  stop() {
    this.#words[this.#now]?.element.classList.replace("now", "said");
  }

  /** The element of a stretch of the text; several spoken words may have the same. */
  #element(from, to) {
    const last = this.#words.at(-1)?.element ?? null;
    if (from < this.#taken || to <= from) return last;
    const word = this.#rest.splitText(from - this.#taken);
    this.#rest = word.splitText(Math.min(to - from, word.length));
    this.#taken = to;
    const element = make("span");
    word.replaceWith(element);
    element.append(word);
    return element;
  }

  #follow(element) {
    const box = this.#box;
    const top = element.offsetTop - box.offsetTop;
    const end = top + element.offsetHeight + 24;
    const isSeen = top >= box.scrollTop && end <= box.scrollTop + box.clientHeight;
    if (!isSeen) box.scrollTop = top - box.clientHeight / 3;
  }
}

/**
 * Places in a JavaScript string of the server's places, which count an emoji once.
 * @param {string} text
 * @returns {(place: number) => number}
 */
export function offsetsIn(text) {
  if (!/[\ud800-\udbff]/.test(text)) return (place) => place;
  const places = [];
  let length = 0;
  for (const character of text) {
    places.push(length);
    length += character.length;
  }
  return (place) => places[place] ?? length;
}
