/** The list of voices: by language, to be searched, heard and chosen. */

import { $, debounced, make } from "./dom.js";
import { languageName } from "./languages.js";

const LAST_RESORT = "espeak";
const HINT = matchMedia("(hover: none)").matches ? "Tap one to hear it." : "Rest on one to hear it.";

/**
 * How a voice is called in short. Names are like "Heart, US English, female".
 * @param {any} voice
 */
export const shortName = (voice) => voice.own ? voice.name : voice.name.split(",")[0];

export class Voices {
  /** All, as the server lists them. */
  all = [];
  /** Told the voice that somebody chose. @type {(voice: any) => void} */
  onchoose = () => {};

  #samples;
  #list = $("voice-list");
  #language = $("language");
  #search = $("search");
  #cards = [];
  #chosen = "";

  /** @param {import("./samples.js").Samples} samples */
  constructor(samples) {
    this.#samples = samples;
    samples.onchange = (id) => this.#mark(id);
    this.#language.addEventListener("change", () => this.#chooseLanguage());
    this.#search.addEventListener("input", debounced(80, () => this.#filter()));
    this.#list.addEventListener("pointerleave", () => samples.stop());
    $("samples-on").addEventListener("change", (event) => this.#allowSamples(event.target.checked));
  }

  /** Show these. @param {any[]} voices */
  show(voices) {
    this.all = voices;
    this.#cards = [];
    const groups = groupsOf(voices).map((group) => this.#group(group));
    this.#list.replaceChildren(...groups);
    this.#fillLanguages();
    this.#filter();
    this.choose(this.#chosen);
  }

  /** @param {string} id @returns {any} The voice of that name or alias. */
  find(id) {
    const name = id.toLowerCase();
    return this.all.find((one) => one.id === id) ?? this.all.find((one) => one.aliases.includes(name));
  }

  /** Check this one; none where it is none of the list, a blend, say. @param {string} id */
  choose(id) {
    this.#chosen = id;
    for (const { voice, input } of this.#cards) input.checked = voice.id === id;
  }

  #group({ title, voices, isFolded }) {
    const cards = make("div", { class: "cards" }, ...voices.map((voice) => this.#card(voice)));
    if (!isFolded) return make("section", { class: "group" }, make("h3", {}, title), cards);
    const summary = make("summary", {}, title, make("span", { class: "count" }, `${voices.length}`));
    const text = "Clear, but robotic. They speak when nothing else can, and languages that nothing else has.";
    const hint = make("p", { class: "hint" }, text);
    return make("details", { class: "group" }, summary, hint, cards);
  }

  #card(voice) {
    const input = make("input", { type: "radio", name: "voice", value: voice.id, class: "visually-hidden" });
    const facts = factsOf(voice);
    const bars = make("span", { class: "bars", "aria-hidden": "true" }, ...[0, 1, 2].map(() => make("i")));
    const card = make("label", { class: "voice" },
      input,
      make("span", { class: "name" }, shortName(voice)),
      " ",
      make("span", { class: "about" }, facts),
      " ",
      make("code", {}, voice.id),
      bars);
    input.addEventListener("change", () => this.#picked(voice));
    input.addEventListener("focus", () => this.#samples.play(voice));
    input.addEventListener("blur", () => this.#samples.stop());
    const hovered = (action) => (event) => event.pointerType !== "touch" && action();
    card.addEventListener("pointerenter", hovered(() => this.#samples.play(voice)));
    card.addEventListener("pointerleave", hovered(() => this.#samples.stop()));
    const words = [voice.id, voice.name, facts, ...voice.aliases, ...voice.languages,
      ...voice.languages.map(languageName)];
    this.#cards.push({ voice, input, card, words: ` ${wordsOf(words.join(" ")).join(" ")}` });
    return card;
  }

  #picked(voice) {
    this.#chosen = voice.id;
    this.onchoose(voice);
  }

  #fillLanguages() {
    const value = this.#language.value;
    const natural = new Set();
    const basic = new Set();
    for (const voice of this.all) {
      for (const tag of voice.languages) (voice.backend === LAST_RESORT ? basic : natural).add(tag);
    }
    const rest = [...basic].filter((tag) => !natural.has(tag));
    this.#language.replaceChildren(make("option", { value: "" }, "All languages"),
      ...options("Natural voices", [...natural], false), ...options("Basic voices", rest, true));
    this.#language.value = value;
    if (this.#language.selectedIndex < 0) this.#language.value = "";
  }

  /** A language's best voice comes first; it is chosen where the one at hand does not speak it. */
  #chooseLanguage() {
    this.#search.value = "";
    this.#filter();
    const tag = this.#language.value;
    if (!tag || this.find(this.#chosen)?.languages.includes(tag)) return;
    const best = this.#cards.find(({ voice }) => voice.languages.includes(tag));
    if (!best) return;
    this.choose(best.voice.id);
    this.onchoose(best.voice);
  }

  #filter() {
    const tag = this.#language.value;
    const wanted = wordsOf(this.#search.value);
    let count = 0;
    for (const { voice, card, words } of this.#cards) {
      const isFound = wanted.every((word) => words.includes(` ${word}`));
      const isShown = isFound && (!tag || voice.languages.includes(tag));
      card.hidden = !isShown;
      count += isShown ? 1 : 0;
    }
    this.#showGroups(Boolean(tag || wanted.length));
    $("voices-count").textContent = this.#counted(count, tag);
  }

  #showGroups(isFiltered) {
    let isFirst = true;
    for (const group of this.#list.children) {
      group.hidden = !group.querySelector(".voice:not([hidden])");
      if (group.hidden) continue;
      // folded voices are unfolded only where there is nothing else to be seen
      if (group.matches("details")) {
        const count = group.querySelectorAll(".voice:not([hidden])").length;
        group.open = isFiltered && isFirst;
        group.querySelector(".count").textContent = String(count);
      }
      isFirst = false;
    }
  }

  #counted(count, tag) {
    if (!this.all.length) return "The server has no voices.";
    if (count === 0) return "No voice is like that. Try another word or all languages.";
    const one = count === 1 ? "1 voice" : `${count} voices`;
    return `${one}${tag ? `, ${languageName(tag)}` : ""}. ${HINT}`;
  }

  #allowSamples(isAllowed) {
    this.#samples.enabled = isAllowed;
    if (!isAllowed) this.#samples.stop();
  }

  #mark(id) {
    for (const { voice, card } of this.#cards) card.classList.toggle("heard", voice.id === id);
  }
}

/** Words in small letters; one is found by how it begins, so that "male" is not "female". */
const wordsOf = (text) => text.toLowerCase().split(/[^\p{L}\p{N}\p{M}]+/u).filter(Boolean);

/** Own voices, then each language's natural ones, then the last resort's. */
function groupsOf(voices) {
  const own = voices.filter((voice) => voice.own);
  const folded = voices.filter((voice) => !voice.own && voice.backend === LAST_RESORT);
  const byLanguage = new Map();
  for (const voice of voices) {
    if (voice.own || voice.backend === LAST_RESORT) continue;
    if (!byLanguage.has(voice.language)) byLanguage.set(voice.language, []);
    byLanguage.get(voice.language).push(voice);
  }
  const groups = [...byLanguage].map(([tag, some]) => ({ title: languageName(tag), voices: some }));
  if (own.length) groups.unshift({ title: "Your own", voices: own });
  if (folded.length) groups.push({ title: "Basic voices (espeak-ng)", voices: folded, isFolded: true });
  return groups;
}

function factsOf(voice) {
  return [
    voice.own ? languageName(voice.language) : "",
    voice.gender ?? "",
    voice.grade ? `grade ${voice.grade}` : "",
    voice.backend !== "kokoro" && voice.backend !== LAST_RESORT ? voice.backend : "",
    voice.default ? "default" : "",
  ].filter(Boolean).join(" · ");
}

function options(label, tags, isSorted) {
  if (!tags.length) return [];
  const named = tags.map((tag) => [tag, languageName(tag)]);
  if (isSorted) named.sort((one, other) => one[1].localeCompare(other[1]));
  return [make("optgroup", { label }, ...named.map(([value, name]) => make("option", { value }, name)))];
}
