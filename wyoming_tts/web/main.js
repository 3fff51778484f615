/** Puts the parts together: what is set, what is spoken, what is shown. */

import { ReadAlong } from "./along.js";
import { Api, ApiError } from "./api.js";
import { Blend } from "./blend.js";
import { $, debounced, make, message } from "./dom.js";
import { BrokenError } from "./events.js";
import { askForKey } from "./key.js";
import { languageName, sampleSentence } from "./languages.js";
import { Lexicon } from "./lexicon.js";
import { Player } from "./player.js";
import { Reading } from "./reading.js";
import { Samples } from "./samples.js";
import { Share } from "./share.js";
import { Speech } from "./speech.js";
import { Status } from "./status.js";
import { tabs } from "./tabs.js";
import { shortName, Voices } from "./voices.js";
import { Waveform } from "./waveform.js";

const [SLOWEST, FASTEST] = [0.25, 4];

const api = new Api();
api.askForKey = askForKey;
const player = new Player();
const waveform = new Waveform($("wave"));
const along = new ReadAlong($("along"));
const samples = new Samples(api, player);
const voices = new Voices(samples);
const blend = new Blend(api);
const lexicon = new Lexicon(api);
const status = new Status(api);
const speech = new Speech(api, player, view());
const reading = new Reading(api, () => ({ text: $("text").value, voice: chosen.voice }));
const share = new Share(() => {
  return { ...wanted(), isListed: Boolean(voices.find(chosen.voice)), hasKey: api.hasKey };
});
const openTab = tabs(document.querySelector("[role=tablist]"), opened);

/** Who speaks: a voice or a blend, and, for a blend that is no voice yet, its pace and its decibels. */
let chosen = { voice: "", pace: 1, gain: 0 };
/** What is spoken now where it is not the text, to be spoken again when the voice changes. */
let spoken = "";
/** The text that the page has put in by itself. */
let suggested = $("text").defaultValue;

/** What is set, as a request has it. */
function wanted(text = $("text").value) {
  const speed = Number($("speed").value) * chosen.pace;
  return {
    text,
    voice: chosen.voice,
    speed: Math.round(100 * Math.min(FASTEST, Math.max(SLOWEST, speed))) / 100,
    volume: Number($("volume").value),
    isSsml: /^\s*<speak[\s>]/.test(text),
  };
}

function speak(text = $("text").value) {
  samples.stop();
  soon.cancel();
  if (!text.trim()) {
    speech.stop();
    trouble("There is nothing to speak yet. Type or paste a text above.");
    $("text").focus();
    return;
  }
  spoken = text;
  // the volume is the player's, so that its slider is heard at once
  const { voice, speed, isSsml } = wanted(text);
  const request = { text, voice: voice || null, speed, text_format: isSsml ? "ssml" : "text" };
  speech.start(request, 10 ** (chosen.gain / 20));
}

function choose(voice, pace = 1, gain = 0) {
  chosen = { voice, pace, gain };
  voices.choose(voice);
  const known = voices.find(voice);
  $("voice-now").textContent = known ? shortName(known) : voice || "the server’s choice";
  $("voice-now-more").textContent = known ? aboutVoice(known) : voice ? "(a blend)" : "";
  if (known) suggest(known.language);
  changed();
  again();
}

function aboutVoice(voice) {
  if (voice.backend !== "espeak") return languageName(voice.language); // the others are named by it
  return [voice.gender, "espeak-ng"].filter(Boolean).join(", ");
}

/** While nobody has written anything, the text is one that the voice can speak. */
function suggest(language) {
  if ($("text").value !== suggested) return;
  const isEnglish = language.split("-")[0] === "en";
  const text = isEnglish ? $("text").defaultValue : sampleSentence(language);
  if (spoken === suggested) spoken = text;
  $("text").value = suggested = text;
}

/** Speak again what is spoken, as it is set now; a slider that still moves is waited for. */
function again() {
  if (speech.state !== "idle") soon();
}

const soon = debounced(250, () => speech.state !== "idle" && speak(spoken));

/** Something is set differently. */
function changed() {
  const speed = Number($("speed").value);
  const volume = Number($("volume").value);
  player.volume = volume;
  $("speed-value").textContent = `${speed.toFixed(2)}×`;
  $("volume-value").textContent = `${Math.round(100 * volume)} %`;
  $("speed").setAttribute("aria-valuetext", `${speed} times`);
  $("volume").setAttribute("aria-valuetext", `${Math.round(100 * volume)} percent`);
  writeHash(speed);
  reading.changed();
  share.update();
}

function writeHash(speed) {
  if (!chosen.voice) return;
  const place = new URLSearchParams({ voice: chosen.voice });
  if (speed !== 1) place.set("speed", String(speed));
  history.replaceState(null, "", `#${place}`);
}

function readHash() {
  const place = new URLSearchParams(location.hash.slice(1));
  const speed = Number(place.get("speed"));
  $("speed").value = speed > 0 ? String(speed) : "1";
  const asked = place.get("voice") ?? "";
  const usual = voices.all.find((voice) => voice.default) ?? voices.all[0];
  choose(voices.find(asked)?.id ?? (asked || (usual?.id ?? "")));
}

/** How the page shows what is spoken. */
function view() {
  const labels = { idle: "Speak", starting: "Starting…", speaking: "Speak again" };
  return {
    state(state) {
      document.body.dataset.state = state;
      $("speak-label").textContent = labels[state];
      if (state === "idle" && document.activeElement === $("stop")) $("speak").focus();
      $("stop").disabled = state === "idle";
    },
    begin(text) {
      trouble("");
      facts({ first: "–", length: "–", pace: "–", backend: "–" });
      $("fact-gaps-box").hidden = true;
      waveform.clear();
      along.begin(text);
      $("along").lang = voices.find(chosen.voice)?.language ?? "";
    },
    samples: (pieces, rate) => waveform.feed(pieces, rate),
    words: (words) => along.add(words),
    progress: showProgress,
    first(milliseconds) {
      facts({ first: `${Math.round(milliseconds)} ms` });
      say(`Speaking, after ${Math.round(milliseconds)} milliseconds.`);
    },
    moment(position, track) {
      along.show(position);
      waveform.draw(position);
      facts({ length: `${clock(position)} of ${clock(track.seconds)}${track.isComplete ? "" : " so far"}` });
      showGaps(track);
    },
    end(isPlayed, track) {
      if (isPlayed) along.finish();
      else along.stop();
      if (track?.seconds) facts({ length: clock(track.seconds) });
      if (isPlayed) waveform.showWhole();
      say(isPlayed ? "Finished." : "Stopped.");
    },
    failed: showFailure,
    silent: () => trouble("The browser plays nothing. Does it have a loudspeaker, and may this page use it?"),
  };
}

function showProgress({ backend, audio_seconds: audio, elapsed_seconds: elapsed }) {
  facts({ backend: backend || "–" });
  if (audio > 0.5 && elapsed > 0) facts({ pace: `${times(audio / elapsed)} real time` });
}

const times = (factor) => `${factor.toFixed(factor < 10 ? 1 : 0)}×`;

function showGaps(track) {
  $("fact-gaps-box").hidden = !track.gaps;
  $("fact-gaps").textContent = String(track.gaps);
}

function showFailure(error, seconds) {
  if (error instanceof BrokenError) {
    const where = seconds ? `after ${seconds.toFixed(1)} s` : "before it began";
    trouble(`The speech broke off ${where}: the server or the network failed. Speak again to start over.`);
  } else if (error instanceof ApiError && error.status === 401) {
    trouble("Nothing can be spoken without a key. Speak again to enter one.");
  } else trouble(message(error));
}

function facts(some) {
  for (const [name, text] of Object.entries(some)) {
    const place = $(`fact-${name}`);
    if (place.textContent !== text) place.textContent = text;
  }
}

function clock(seconds) {
  const minutes = Math.floor(seconds / 60);
  const rest = seconds - 60 * minutes;
  return minutes ? `${minutes}:${String(Math.floor(rest)).padStart(2, "0")} min` : `${rest.toFixed(1)} s`;
}

function trouble(text, ...more) {
  $("trouble").hidden = !text;
  $("trouble").replaceChildren(text, ...more);
}

function say(text) {
  $("say").textContent = text;
}

function opened(name) {
  if (name === "reading") reading.open();
  if (name === "lexicon") lexicon.open();
  if (name === "share") share.update();
}

async function loadVoices() {
  const found = await api.voices();
  voices.show(found);
  blend.offer(found);
}

async function begin() {
  try {
    await loadVoices();
    trouble("");
    readHash();
    status.start();
  } catch (error) {
    $("voices-count").textContent = "There are no voices to show.";
    const retry = make("button", { type: "button", onclick: begin }, "Try again");
    trouble(error.status === 401 ? "This server asks for a key. " : `${message(error)} `, retry);
  }
}

function listen() {
  $("speak").addEventListener("click", () => speak());
  $("stop").addEventListener("click", () => speech.stop());
  $("server-pill").addEventListener("click", () => {
    openTab("server");
    $("tab-server").focus();
    $("tab-server").scrollIntoView({ block: "nearest" });
  });
  for (const id of ["text", "speed", "volume"]) $(id).addEventListener("input", changed);
  $("speed").addEventListener("change", again);
  addEventListener("hashchange", readHash);
  addEventListener("keydown", (event) => {
    if ($("key-dialog").open) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      speak();
    } else if (event.key === "Escape") {
      samples.stop();
      speech.stop();
    }
  });
  // a device that is awake when it is needed makes the first sound come sooner
  addEventListener("pointerdown", () => player.wake().catch(() => {}), { once: true });
  samples.isBusy = () => speech.state !== "idle";
  voices.onchoose = (voice) => choose(voice.id);
  blend.onhear = ({ voice, pace, gain }) => {
    choose(voice, pace, gain);
    speak();
  };
  blend.onchange = ({ voice, pace, gain }) => {
    const isMixing = Boolean(chosen.voice) && !voices.find(chosen.voice);
    if (isMixing || speech.state !== "idle") choose(voice, pace, gain);
  };
  blend.onsave = async (voice) => {
    await loadVoices();
    choose(voice.id);
  };
  lexicon.ontry = (text) => speak(text);
  lexicon.onsave = () => reading.forget();
}

if (/Mac|iPhone|iPad/.test(navigator.platform)) $("keys").firstElementChild.textContent = "⌘";
listen();
begin();

/** For tests. */
window.studio = { player, speech, samples, waveform };
