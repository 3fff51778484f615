/** One speech at a time: asks for it, plays it while it comes, and tells a view how it goes. */

import { BrokenError, samplesOf } from "./events.js";

/** Seconds of speech that are fetched ahead of what is heard; more would only fill memory. */
const MOST_AHEAD = 90;

/**
 * @typedef {object} View
 * @property {(state: "idle" | "starting" | "speaking") => void} state
 * @property {(text: string) => void} begin
 * @property {(samples: Float32Array, rate: number) => void} samples
 * @property {(words: any[]) => void} words
 * @property {(progress: any) => void} progress
 * @property {(milliseconds: number) => void} first
 * @property {(position: number, track: any) => void} moment
 * @property {(isPlayed: boolean, track: any) => void} end
 * @property {(error: unknown, seconds: number) => void} failed
 * @property {() => void} silent
 */

export class Speech {
  /** @type {"idle" | "starting" | "speaking"} */
  state = "idle";
  /** What is played, or was last. @type {import("./player.js").Track | null} */
  track = null;
  #api;
  #player;
  #view;
  #abort = new AbortController();

  /**
   * @param {import("./api.js").Api} api
   * @param {import("./player.js").Player} player
   * @param {View} view
   */
  constructor(api, player, view) {
    this.#api = api;
    this.#player = player;
    this.#view = view;
  }

  /** Speak, in the place of what is spoken now. @param {Record<string, any>} request @param {number} gain */
  async start(request, gain = 1) {
    const asked = performance.now();
    this.stop();
    const abort = (this.#abort = new AbortController());
    const track = (this.track = this.#player.open(gain));
    abort.signal.addEventListener("abort", () => track.stop());
    this.#become("starting");
    this.#view.begin(request.text);
    this.#player.wake().catch(() => {});
    this.#watch(track, abort.signal);
    try {
      await this.#receive(request, track, abort.signal, asked);
    } catch (error) {
      if (abort.signal.aborted) return;
      this.#view.failed(error, track.seconds);
    }
    track.finish();
    const isPlayed = await track.ended;
    if (abort !== this.#abort || abort.signal.aborted) return;
    this.#become("idle");
    this.#view.end(isPlayed, track);
  }

  /** Be silent. */
  stop() {
    if (this.state === "idle") return;
    this.#abort.abort();
    this.#become("idle");
    this.#view.end(false, this.track);
  }

  #become(state) {
    this.state = state;
    this.#view.state(state);
  }

  async #receive(request, track, signal, asked) {
    let rate = 24000;
    let isDone = false;
    for await (const { name, data } of this.#api.speech(request, signal)) {
      if (signal.aborted) return;
      if (name === "start") rate = data.rate;
      else if (name === "words") this.#view.words(data);
      else if (name === "progress") this.#view.progress(data);
      else if (name === "done") isDone = true;
      else if (name === "audio") {
        this.#play(samplesOf(data), rate, track, asked);
        await roomIn(track, signal);
      }
    }
    if (!isDone) throw new BrokenError();
  }

  #play(samples, rate, track, asked) {
    track.feed(samples, rate);
    this.#view.samples(samples, rate);
    if (this.state !== "starting" || track.firstAt === null) return;
    this.#view.first(track.firstAt - asked);
    this.#become("speaking");
  }

  #watch(track, signal) {
    let isTold = false;
    const look = () => {
      if (signal.aborted || track !== this.track || this.state === "idle") return;
      if (!isTold && track.isStuck) this.#view.silent();
      isTold ||= track.isStuck;
      this.#view.moment(track.position, track);
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }
}

/** Wait while there is enough. */
async function roomIn(track, signal) {
  while (track.ahead > MOST_AHEAD && !signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
