/** The server's routes, with its errors in words, and a key where it wants one. */

import { readEvents } from "./events.js";

const KEPT = "wyoming-tts-key";

/** The server answered with an error. */
export class ApiError extends Error {
  /**
   * @param {string} text What the server says.
   * @param {number} status
   */
  constructor(text, status) {
    super(text);
    this.name = "ApiError";
    this.status = status;
  }
}

/** The server did not answer at all. */
export class UnreachableError extends Error {
  constructor() {
    super("The server does not answer. Is it running?");
    this.name = "UnreachableError";
  }
}

export class Api {
  /**
   * Asks for a key: `wasWrong` tells whether one was refused. Resolves to null where nobody gives one.
   * @type {(wasWrong: boolean) => Promise<string | null>}
   */
  askForKey = async () => null;

  /** Whether requests carry a key. */
  get hasKey() {
    return this.#key !== null;
  }

  #key = sessionStorage.getItem(KEPT);
  /** @type {Promise<boolean> | null} */
  #asking = null;

  /** All voices. */
  async voices() {
    return (await this.#json("/v1/audio/voices")).voices;
  }

  /** @param {{name: string, voice: string, description: string, speed: number, gain: number}} voice */
  saveVoice(voice) {
    return this.#json("/v1/audio/voices", { method: "POST", body: voice });
  }

  /** The file of a blend. @param {string} blend */
  async pack(blend) {
    const options = { method: "POST", body: { voices: blend } };
    return (await this.#request("/v1/audio/voices/combine", options)).blob();
  }

  /** How a text is read out. @param {string} text @param {string} voice @param {AbortSignal} signal */
  async reading(text, voice, signal) {
    const options = { method: "POST", body: { text, voice }, signal };
    return (await this.#json("/studio/reading", options)).sentences;
  }

  /** @returns {Promise<{text: string, entries: number, problems: string[]}>} */
  lexicon() {
    return this.#json("/studio/lexicon");
  }

  /** @param {string} text @returns {Promise<{entries: number, problems: string[]}>} */
  saveLexicon(text) {
    return this.#json("/studio/lexicon", { method: "PUT", body: { text } });
  }

  /** Never asks for a key: it is called again and again. */
  status() {
    return this.#json("/studio/status", { quiet: true });
  }

  /**
   * Speech as events. Ends early by `signal`.
   * @param {Record<string, any>} request
   * @param {AbortSignal} signal
   */
  async *speech(request, signal) {
    const options = { method: "POST", body: { ...request, events: true }, signal };
    const response = await this.#request("/tts/stream", options);
    if (response.body) yield* readEvents(response.body);
  }

  async #json(path, options = {}) {
    return (await this.#request(path, options)).json();
  }

  async #request(path, options = {}) {
    for (;;) {
      const key = this.#key;
      const response = await this.#fetch(path, options, key);
      if (response.ok) return response;
      const isRefused = response.status === 401;
      if (!isRefused || options.quiet || !(await this.#newKey(key))) throw await errorOf(response);
    }
  }

  async #fetch(path, { method = "GET", body, signal }, key) {
    const headers = key ? { Authorization: `Bearer ${key}` } : {};
    if (body) headers["Content-Type"] = "application/json";
    try {
      return await fetch(path, { method, headers, signal, body: body && JSON.stringify(body) });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new UnreachableError();
    }
  }

  /** Whether there is another key than `refused` now; several requests ask once. */
  async #newKey(refused) {
    if (this.#key !== refused) return true;
    this.#asking ??= this.#ask(refused !== null).finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #ask(wasWrong) {
    const key = await this.askForKey(wasWrong);
    if (key === null) return false;
    this.#key = key;
    sessionStorage.setItem(KEPT, key);
    return true;
  }
}

async function errorOf(response) {
  let text = `The server answered ${response.status} ${response.statusText}.`;
  try {
    text = (await response.json()).error.message;
  } catch {
    // a proxy's page, say; the status has to do
  }
  return new ApiError(text, response.status);
}
