/** The household's words: the file itself, and a form that adds one. */

import { $, make, message, note } from "./dom.js";

/**
 * An entry as TOML.
 * @param {{text: string, kind: string, value: string, language: string, isExact: boolean}} word
 */
export function entryOf({ text, kind, value, language, isExact }) {
  const lines = ["[[entry]]", `text = ${quoted(text)}`, `${kind} = ${quoted(value)}`];
  if (language) lines.push(`language = ${quoted(language)}`);
  if (isExact) lines.push("case_sensitive = true");
  return `${lines.join("\n")}\n`;
}

/** JSON's strings are TOML's, but for one character, which is none of a word. */
const quoted = (text) => JSON.stringify(text.replaceAll("\u007f", ""));

export class Lexicon {
  /** Told a text that somebody wants to hear. @type {(text: string) => void} */
  ontry = () => {};
  /** Told when the words have changed. */
  onsave = () => {};

  #api;
  #editor = $("lexicon-text");
  /** What the server has, as far as is known. */
  #saved = "";
  #isLoaded = false;
  #mayReplace = false;

  /** @param {import("./api.js").Api} api */
  constructor(api) {
    this.#api = api;
    this.#editor.addEventListener("input", () => this.#edited());
    $("lexicon-save").addEventListener("click", () => this.#save());
    $("lexicon-reload").addEventListener("click", () => this.#load());
    $("word-form").addEventListener("submit", (event) => this.#add(event));
    $("word-try").addEventListener("click", () => this.#try());
    addEventListener("beforeunload", (event) => this.#isChanged && event.preventDefault());
  }

  /** Load it, the first time. */
  open() {
    if (!this.#isLoaded) this.#load();
  }

  get #isChanged() {
    return this.#isLoaded && this.#editor.value !== this.#saved;
  }

  #edited() {
    $("lexicon-save").disabled = !this.#isChanged;
    this.#editor.removeAttribute("aria-invalid");
    note($("lexicon-note"), this.#isChanged ? "Not saved yet." : "");
  }

  async #load() {
    try {
      const { text, entries, problems } = await this.#api.lexicon();
      this.#saved = this.#editor.value = text;
      this.#isLoaded = true;
      this.#mayReplace = false;
      this.#edited();
      this.#tell(entries, problems, "");
    } catch (error) {
      note($("lexicon-note"), message(error), "bad");
    }
  }

  async #save() {
    const text = this.#editor.value;
    try {
      if (!this.#mayReplace && (await this.#api.lexicon()).text !== this.#saved) {
        this.#mayReplace = true;
        const text = "The file was changed elsewhere. Save again to replace that, or load it again.";
        note($("lexicon-note"), text, "bad");
        return false;
      }
      const { entries, problems } = await this.#api.saveLexicon(text);
      this.#saved = text;
      this.#mayReplace = false;
      this.#edited();
      this.#tell(entries, problems, "Saved. ");
      this.onsave();
      return true;
    } catch (error) {
      this.#editor.setAttribute("aria-invalid", "true");
      note($("lexicon-note"), `Not saved: ${message(error)}`, "bad");
      return false;
    }
  }

  #tell(entries, problems, before) {
    const some = entries === 1 ? "1 entry is used." : `${entries} entries are used.`;
    const words = entries === 0 ? "No words yet." : some;
    note($("lexicon-note"), before + words, before && !problems.length ? "good" : "");
    const list = $("lexicon-problems");
    list.hidden = !problems.length;
    list.replaceChildren(...problems.map((problem) => make("li", {}, problem)));
  }

  get #word() {
    return {
      text: $("word-text").value.trim(),
      value: $("word-value").value.trim(),
      kind: document.querySelector("[name=word-kind]:checked").value,
      language: $("word-language").value.trim(),
      isExact: $("word-case").checked,
    };
  }

  async #add(event) {
    event.preventDefault();
    if (!this.#isComplete("text", "value")) return;
    if (!this.#isLoaded) await this.#load();
    if (!this.#isLoaded) return;
    const before = this.#editor.value;
    this.#editor.value = `${before.trimEnd()}${before.trim() ? "\n\n" : ""}${entryOf(this.#word)}`;
    this.#edited();
    if (!(await this.#save())) return;
    for (const id of ["word-text", "word-value"]) $(id).value = "";
    $("word-text").focus();
  }

  #try() {
    if (!this.#isComplete("value")) return;
    const { text, value, kind } = this.#word;
    this.ontry(kind === "say" ? value : `[${text || "word"}](/${value.replaceAll("/", "")}/)`);
  }

  /** Whether these fields are filled; the first that is not gets the focus. */
  #isComplete(...names) {
    const missing = names.map((name) => $(`word-${name}`)).find((field) => !field.value.trim());
    if (!missing) return true;
    note($("lexicon-note"), `Fill in “${missing.labels[0].textContent}” first.`, "bad");
    missing.focus();
    return false;
  }
}
