/** Mixes voices with sliders, and saves the mix as a voice. */

import { $, make, message, note } from "./dom.js";
import { languageName } from "./languages.js";
import { shortName } from "./voices.js";

const MOST = 16;
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/**
 * How a blend is written. @param {{voice: string, weight: number}[]} parts
 * @returns {string} Empty where nothing has a share.
 */
export function written(parts) {
  const some = parts.filter((part) => part.weight > 0);
  if (some.length === 1) return some[0].voice;
  return some.map((part) => `${part.voice}(${part.weight})`).join("+");
}

export class Blend {
  /** Told when somebody wants to hear the blend. @type {(blend: any) => void} */
  onhear = () => {};
  /** Told when it changes. @type {(blend: any) => void} */
  onchange = () => {};
  /** Told the voice that was saved. @type {(voice: any) => void} */
  onsave = () => {};

  #api;
  #voices = [];
  #parts = [];
  #list = $("blend-parts");
  #replaces = "";

  /** @param {import("./api.js").Api} api */
  constructor(api) {
    this.#api = api;
    $("blend-add").addEventListener("click", () => this.#add());
    $("blend-hear").addEventListener("click", () => this.onhear(this.now));
    $("blend-pack").addEventListener("click", () => this.#download());
    $("blend-form").addEventListener("submit", (event) => this.#submit(event));
    $("blend-name").addEventListener("input", () => this.#forgive());
    for (const id of ["blend-pace", "blend-gain"]) {
      $(id).addEventListener("input", () => this.#changed());
    }
  }

  /** The blend as it is set: what it is written like, its pace, and its loudness in decibels. */
  get now() {
    const [pace, gain] = [Number($("blend-pace").value), Number($("blend-gain").value)];
    return { voice: written(this.#parts), pace, gain };
  }

  /** What may be mixed. @param {any[]} voices All that the server has. */
  offer(voices) {
    this.#voices = voices.filter((voice) => voice.backend === "kokoro" && !voice.own);
    const isPossible = this.#voices.length > 1;
    $("blend-none").hidden = isPossible;
    $("blend-some").hidden = !isPossible;
    const known = new Set(this.#voices.map((voice) => voice.id));
    this.#parts = this.#parts.filter((part) => known.has(part.voice));
    if (isPossible && !this.#parts.length) {
      const [one, other] = this.#voices;
      this.#parts = [{ voice: one.id, weight: 60 }, { voice: other.id, weight: 40 }];
    }
    this.#render();
  }

  #add() {
    const used = new Set(this.#parts.map((part) => part.voice));
    const last = this.#parts.at(-1)?.voice;
    const language = this.#voices.find((voice) => voice.id === last)?.language;
    const free = this.#voices.filter((voice) => !used.has(voice.id));
    const next = free.find((voice) => voice.language === language) ?? free[0];
    if (!next) return;
    this.#parts.push({ voice: next.id, weight: 30 });
    this.#render();
    this.#changed();
    this.#list.lastElementChild.querySelector("select").focus();
  }

  #remove(part) {
    const place = this.#parts.indexOf(part);
    this.#parts.splice(place, 1);
    this.#render();
    this.#changed();
    const left = this.#list.children[Math.min(place, this.#parts.length - 1)];
    (left?.querySelector("select") ?? $("blend-add")).focus();
  }

  #render() {
    this.#list.replaceChildren(...this.#parts.map((part, place) => this.#row(part, place)));
    $("blend-add").disabled = this.#parts.length >= Math.min(MOST, this.#voices.length);
    this.#update();
  }

  #row(part, place) {
    const choice = make("select", { "aria-label": `Voice ${place + 1}` }, ...this.#options());
    choice.value = part.voice;
    const share = make("output", { class: "share" });
    const slider = make("input", { type: "range", min: 0, max: 100, step: 1, value: part.weight });
    slider.setAttribute("aria-label", `Share of voice ${place + 1}`);
    choice.addEventListener("change", () => {
      part.voice = choice.value;
      this.#changed();
    });
    slider.addEventListener("input", () => {
      part.weight = Number(slider.value);
      this.#changed();
    });
    const remove = make("button", {
      type: "button",
      class: "quiet",
      title: "Take it out",
      "aria-label": `Take voice ${place + 1} out`,
      disabled: this.#parts.length < 2,
      onclick: () => this.#remove(part),
    }, "×");
    return make("li", {}, choice, slider, share, remove);
  }

  #options() {
    const groups = new Map();
    for (const voice of this.#voices) {
      const name = languageName(voice.language);
      if (!groups.has(name)) groups.set(name, make("optgroup", { label: name }));
      groups.get(name).append(make("option", { value: voice.id }, shortName(voice)));
    }
    return groups.values();
  }

  #changed() {
    this.#update();
    if (this.now.voice) this.onchange(this.now);
  }

  #update() {
    const all = this.#parts.reduce((sum, part) => sum + part.weight, 0);
    for (const [place, row] of [...this.#list.children].entries()) {
      const part = this.#parts[place];
      const percent = all ? Math.round((100 * part.weight) / all) : 0;
      row.querySelector("output").textContent = `${percent} %`;
      row.querySelector("input").setAttribute("aria-valuetext", `${percent} percent`);
    }
    const { voice, pace, gain } = this.now;
    $("blend-text").textContent = voice || "Give one voice a share.";
    $("blend-pace-value").textContent = `${pace.toFixed(2)}×`;
    $("blend-gain-value").textContent = `${gain > 0 ? "+" : ""}${gain} dB`;
    for (const id of ["blend-hear", "blend-pack", "blend-save"]) $(id).disabled = !voice;
  }

  async #submit(event) {
    event.preventDefault();
    const name = $("blend-name").value.trim();
    if (!NAME.test(name)) {
      this.#refuse(name ? "A name has letters, digits, and . _ - only, and begins with a letter or a digit."
        : "Give it a name first.");
      return;
    }
    try {
      await this.#save(name);
    } catch (error) {
      this.#refuse(message(error));
    }
  }

  async #save(name) {
    if (this.#replaces !== name && (await this.#isTaken(name))) {
      this.#replaces = name;
      $("blend-save").textContent = "Replace it";
      note($("blend-note"), `You have a voice called ${name}. Save again to replace it.`);
      return;
    }
    const { voice, pace, gain } = this.now;
    const description = $("blend-description").value.trim();
    const saved = await this.#api.saveVoice({ name, voice, description, speed: pace, gain });
    this.#forgive();
    await this.onsave(saved);
    note($("blend-note"), `${name} is saved. Home Assistant lists it in half a minute.`, "good");
  }

  /** Whether saving would replace a voice of one's own; of the server's own it refuses that itself. */
  async #isTaken(name) {
    return (await this.#api.voices()).some((voice) => voice.own && voice.id === name);
  }

  #refuse(text) {
    note($("blend-note"), text, "bad");
    $("blend-name").setAttribute("aria-invalid", "true");
    $("blend-name").focus();
  }

  #forgive() {
    this.#replaces = "";
    $("blend-save").textContent = "Save the voice";
    $("blend-name").removeAttribute("aria-invalid");
    note($("blend-note"), "");
  }

  async #download() {
    try {
      const url = URL.createObjectURL(await this.#api.pack(this.now.voice));
      make("a", { href: url, download: `${$("blend-name").value.trim() || "blend"}.npz` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
      note($("blend-note"), "");
    } catch (error) {
      note($("blend-note"), message(error), "bad");
    }
  }
}
