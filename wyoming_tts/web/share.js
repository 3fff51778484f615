/** The same speech elsewhere: as a command, for Home Assistant, as a link. */

import { $, note } from "./dom.js";

/**
 * @typedef {{text: string, voice: string, speed: number, volume: number, isSsml: boolean}} Wanted
 */

/** @param {Wanted} wanted @param {string} origin @param {boolean} hasKey @returns {string} */
export function curlOf({ text, voice, speed, volume, isSsml }, origin, hasKey) {
  const body = { model: "kokoro", input: text, voice };
  if (speed !== 1) body.speed = speed;
  if (volume !== 1) body.volume = volume;
  if (isSsml) body.text_format = "ssml";
  const lines = [`curl ${origin}/v1/audio/speech`, "-H 'Content-Type: application/json'"];
  if (hasKey) lines.push('-H "Authorization: Bearer $WYOMING_TTS_KEY"');
  lines.push(`-d '${JSON.stringify(body).replaceAll("'", "'\\''")}'`, "-o speech.mp3");
  return lines.join(" \\\n  ");
}

/**
 * @param {Wanted} wanted
 * @param {boolean} isListed Whether Home Assistant knows the voice.
 * @returns {string}
 */
export function yamlOf({ text, voice, speed, volume }, isListed) {
  const lines = [
    "action: tts.speak",
    "target:",
    "  entity_id: tts.wyoming_tts  # your speech server",
    "data:",
    "  media_player_entity_id: media_player.living_room  # your player",
    `  message: ${JSON.stringify(text)}`,
    "  options:",
    `    voice: ${/^[A-Za-z][\w.-]*$/.test(voice) ? voice : JSON.stringify(voice)}`,
  ];
  if (!isListed) lines.push("# Save this blend as a voice to find it in Home Assistant's lists, too.");
  if (speed !== 1) lines.push("# Home Assistant sends no speed: save a voice that has one.");
  if (volume !== 1) lines.push("# The volume is the player's.");
  return lines.join("\n");
}

export class Share {
  #wanted;

  /** @param {() => Wanted & {isListed: boolean, hasKey: boolean}} wanted */
  constructor(wanted) {
    this.#wanted = wanted;
    for (const button of document.querySelectorAll("[data-copy]")) {
      button.addEventListener("click", () => this.#copy(button.dataset.copy));
    }
  }

  /** Write it as it is now. */
  update() {
    if ($("panel-share").hidden) return;
    const wanted = this.#wanted();
    $("curl").textContent = curlOf(wanted, location.origin, wanted.hasKey);
    $("yaml").textContent = yamlOf(wanted, wanted.isListed);
    $("link").textContent = location.href;
    note($("copy-note"), "");
  }

  async #copy(id) {
    const isCopied = await copied($(id));
    const refused = "The browser does not let the page copy; it is selected, copy it yourself.";
    const text = isCopied ? "Copied." : refused;
    note($("copy-note"), text, isCopied ? "good" : "bad");
  }
}

/** The clipboard is there only for pages over HTTPS and of this machine; others select and copy. */
async function copied(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return document.execCommand("copy");
  }
}
