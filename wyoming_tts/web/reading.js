/** Shows how a text is read out. */

import { $, debounced, make, message, note } from "./dom.js";

/** The server reads so much at once. */
const MOST = 20_000;
/** Words of a sentence up to which changes are looked for: it is a square of work. */
const MOST_COMPARED = 400;

export class Reading {
  #api;
  #wanted;
  #abort = new AbortController();
  #shown = "";
  #soon = debounced(500, () => this.#load());

  /** @param {import("./api.js").Api} api @param {() => {text: string, voice: string}} wanted */
  constructor(api, wanted) {
    this.#api = api;
    this.#wanted = wanted;
  }

  /** Show it, if it is not shown already. */
  open() {
    this.#load();
  }

  /** Text or voice have changed. */
  changed() {
    if (!$("panel-reading").hidden) this.#soon();
  }

  /** Words are read out differently now. */
  forget() {
    this.#shown = "";
    this.changed();
  }

  async #load() {
    const { text, voice } = this.#wanted();
    const key = JSON.stringify([text, voice]);
    if (key === this.#shown) return;
    this.#abort.abort();
    const abort = (this.#abort = new AbortController());
    if (!text.trim()) {
      this.#show([], "", key);
      note($("reading-note"), "There is no text yet.");
      return;
    }
    try {
      const sentences = await this.#api.reading([...text].slice(0, MOST).join(""), voice, abort.signal);
      this.#show(sentences, text, key);
    } catch (error) {
      if (!abort.signal.aborted) note($("reading-note"), message(error), "bad");
    }
  }

  #show(sentences, text, key) {
    this.#shown = key;
    $("reading-list").replaceChildren(...sentences.map(sentenceItem));
    const isCut = [...text].length > MOST;
    const nothing = sentences.length ? "" : "Nothing of this is spoken.";
    note($("reading-note"), isCut ? `The first ${MOST.toLocaleString("en")} characters.` : nothing);
  }
}

function sentenceItem(sentence) {
  const rows = [["Text", sentence.text.trim()]];
  if (sentence.cleaned !== sentence.text.trim()) rows.push(["Without markup", sentence.cleaned]);
  const list = make("dl", {}, ...rows.map(([name, text]) => row(name, text)));
  list.append(row("Read as", ...withChanges(sentence.cleaned, sentence.normalised)));
  list.append(row("Phonemes", phonemes(sentence.phonemes)));
  return make("li", {}, list);
}

/** Each word in one piece: a stress mark is no place for a line to end. */
function phonemes(text) {
  const words = text.split(" ").flatMap((word) => [make("span", {}, word), " "]);
  return make("code", { class: "ipa" }, ...words);
}

const row = (name, ...text) => make("div", {}, make("dt", {}, name), make("dd", {}, ...text));

/** The words of `after`, those marked that are not in `before`. */
function withChanges(before, after) {
  const [old, fresh] = [before.split(/\s+/), after.split(/(\s+)/)];
  if (old.length > MOST_COMPARED || fresh.length > 2 * MOST_COMPARED) return [after];
  const words = fresh.filter((_, place) => place % 2 === 0);
  const kept = common(old, words);
  const found = [];
  fresh.forEach((word, place) => {
    const isNew = place % 2 === 0 && word && !kept.has(place / 2);
    const previous = found.at(-1);
    const isBesideMark = found.at(-2) instanceof Element && typeof previous === "string" && !previous.trim();
    if (isNew && isBesideMark) {
      found.pop();
      found.at(-1).append(previous + word); // neighbours are one mark
    } else found.push(isNew ? make("mark", {}, word) : word);
  });
  return found;
}

/** Places in `other` of the longest common subsequence. */
function common(one, other) {
  const table = Array.from({ length: one.length + 1 }, () => new Uint16Array(other.length + 1));
  for (let i = one.length - 1; i >= 0; i -= 1) {
    for (let j = other.length - 1; j >= 0; j -= 1) {
      const longer = Math.max(table[i + 1][j], table[i][j + 1]);
      table[i][j] = one[i] === other[j] ? table[i + 1][j + 1] + 1 : longer;
    }
  }
  const places = new Set();
  for (let i = 0, j = 0; i < one.length && j < other.length; ) {
    if (one[i] === other[j]) {
      places.add(j);
      i += 1;
      j += 1;
    } else if (table[i + 1][j] >= table[i][j + 1]) i += 1;
    else j += 1;
  }
  return places;
}
