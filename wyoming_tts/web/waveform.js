/** Draws what is spoken: bars that fill as they are heard. */

const BIN_SECONDS = 0.04;
const BAR = 2;
const STEP = 3;
/** How far across the picture the moment stays while it moves under it. */
const ANCHOR = 0.6;

export class Waveform {
  #canvas;
  #peaks = [];
  #open = { peak: 0, samples: 0 };
  #position = 0;
  #isWhole = false;
  #colours = { played: "", rest: "", mark: "" };
  #stillness = matchMedia("(prefers-reduced-motion: reduce)");

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    new ResizeObserver(() => this.#resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#recolour());
    this.#recolour();
  }

  /** Seconds that can be drawn. */
  get seconds() {
    return this.#peaks.length * BIN_SECONDS;
  }

  /** Forget everything. */
  clear() {
    this.#peaks = [];
    this.#open = { peak: 0, samples: 0 };
    this.#isWhole = false;
    this.draw(0);
  }

  /** The next samples. @param {Float32Array} samples @param {number} rate */
  feed(samples, rate) {
    const size = Math.round(rate * BIN_SECONDS);
    const open = this.#open;
    for (const sample of samples) {
      const height = sample < 0 ? -sample : sample;
      if (height > open.peak) open.peak = height;
      open.samples += 1;
      if (open.samples < size) continue;
      this.#peaks.push(open.peak);
      open.peak = open.samples = 0;
    }
  }

  /** Show the moment that is heard. @param {number} position In seconds. */
  draw(position) {
    this.#position = position;
    this.#paint();
  }

  /** Show everything at once, as it is when it is over. */
  showWhole() {
    this.#isWhole = true;
    this.draw(this.seconds);
  }

  #recolour() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    this.#colours = { played: colour("--ink"), rest: colour("--wave"), mark: colour("--mark-line") };
    this.#paint();
  }

  #resize() {
    const scale = devicePixelRatio || 1;
    this.#canvas.width = Math.round(this.#canvas.clientWidth * scale);
    this.#canvas.height = Math.round(this.#canvas.clientHeight * scale);
    this.#paint();
  }

  #paint() {
    const scale = devicePixelRatio || 1;
    const width = this.#canvas.width / scale;
    const height = this.#canvas.height / scale;
    const pen = this.#canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const room = Math.floor(width / STEP);
    const bars = this.#isWhole ? squeezed(this.#peaks, room) : this.#peaks;
    const now = this.#isWhole ? bars.length : this.#position / BIN_SECONDS;
    const first = this.#isWhole ? 0 : this.#first(now, room);
    for (let place = 0; place < room; place += 1) {
      const peak = bars[first + place] ?? 0;
      const bar = Math.max(BAR, Math.sqrt(peak) * (height - 6));
      pen.fillStyle = first + place < now && this.#peaks.length ? this.#colours.played : this.#colours.rest;
      pen.beginPath();
      pen.roundRect(place * STEP, (height - bar) / 2, BAR, bar, BAR / 2);
      pen.fill();
    }
    if (now > 0 && !this.#isWhole) this.#paintMoment(pen, (now - first) * STEP, height);
  }

  /** The bar at the left: the picture moves along, or, for who wants it still, turns like a page. */
  #first(now, room) {
    if (this.#peaks.length <= room) return 0;
    if (this.#stillness.matches) return Math.floor(now / room) * room;
    return Math.max(0, Math.floor(now - room * ANCHOR));
  }

  #paintMoment(pen, x, height) {
    pen.fillStyle = this.#colours.mark;
    pen.beginPath();
    pen.roundRect(x - 1, 0, 3, height, 1.5);
    pen.fill();
  }
}

/** So many peaks out of more, the highest of each group. */
function squeezed(peaks, room) {
  if (peaks.length <= room) return peaks;
  const found = new Array(room).fill(0);
  peaks.forEach((peak, place) => {
    const group = Math.floor((place * room) / peaks.length);
    found[group] = Math.max(found[group], peak);
  });
  return found;
}
