/** Plays what a voice sounds like; each is fetched once. */

import { samplesOf } from "./events.js";
import { sampleSentence } from "./languages.js";

/** Samples that are kept: about as many as there are voices of one kind. */
const MOST_KEPT = 80;

export class Samples {
  /** Whether they are wanted. */
  enabled = true;
  /** Told which voice is heard now, or null. @type {(id: string | null) => void} */
  onchange = () => {};
  /** Whether something else is heard, which a sample must not disturb. */
  isBusy = () => false;

  #api;
  #player;
  #kept = new Map();
  #abort = new AbortController();
  #timer = 0;
  /** The voice that is played or about to be. @type {string | null} */
  #voice = null;
  #isAllowed = false;

  /** @param {import("./api.js").Api} api @param {import("./player.js").Player} player */
  constructor(api, player) {
    this.#api = api;
    this.#player = player;
    for (const kind of ["pointerdown", "keydown"]) {
      addEventListener(kind, () => (this.#isAllowed = true), { once: true, capture: true });
    }
  }

  /** Play a voice's sample in a moment, unless it is left by then. */
  play(voice, delay = 350) {
    if (!this.enabled || !this.#isAllowed || this.#voice === voice.id) return;
    this.stop();
    this.#voice = voice.id;
    this.#timer = setTimeout(() => this.#start(voice), delay);
  }

  /** Be silent. */
  stop() {
    clearTimeout(this.#timer);
    this.#abort.abort();
    if (this.#voice === null) return;
    this.#voice = null;
    this.onchange(null);
  }

  async #start(voice) {
    if (this.isBusy()) {
      this.#voice = null;
      return;
    }
    const abort = (this.#abort = new AbortController());
    const track = this.#player.open();
    abort.signal.addEventListener("abort", () => track.stop());
    this.onchange(voice.id);
    this.#player.wake().catch(() => {});
    try {
      await this.#feed(voice, track, abort.signal);
      track.finish();
      await track.ended;
    } catch {
      track.finish(); // a sample is no more than a help: the voice's error is told when it is asked to speak
    }
    if (abort === this.#abort) this.stop();
  }

  async #feed(voice, track, signal) {
    const kept = this.#kept.get(voice.id);
    if (kept) return kept.forEach(([samples, rate]) => track.feed(samples, rate));
    const pieces = [];
    let rate = 24000;
    let isDone = false;
    const request = { text: sampleSentence(voice.language), voice: voice.id };
    for await (const { name, data } of this.#api.speech(request, signal)) {
      if (name === "start") rate = data.rate;
      else if (name === "done") isDone = true;
      else if (name === "audio") {
        const samples = samplesOf(data);
        pieces.push([samples, rate]);
        track.feed(samples, rate);
      }
    }
    if (isDone) this.#keep(voice.id, pieces);
  }

  #keep(id, pieces) {
    this.#kept.set(id, pieces);
    if (this.#kept.size > MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value);
  }
}
