/** Plays samples that come piece by piece, without gaps, and knows which moment is heard. */

const RATE = 24000;
/** Seconds between the first piece and its sound: what the audio thread needs. */
const LEAD = 0.05;
/** The same after a gap, so that one gap is not followed by the next. */
const LEAD_AFTER_GAP = 0.25;
const FADE = 0.015;
/** Milliseconds of silence after which the device may sleep, which saves a phone's battery. */
const AWAKE = 30_000;

export class Player {
  /** @type {AudioContext | null} */
  context = null;
  /**
   * Where everything goes through: for the volume, and for whoever wants to listen.
   * @type {GainNode | null}
   */
  output = null;
  #volume = 1;
  #open = 0;
  #sleep = 0;

  /** Factor of the amplitude, at once. */
  get volume() {
    return this.#volume;
  }

  set volume(value) {
    this.#volume = value;
    if (this.context) this.output.gain.setTargetAtTime(value, this.context.currentTime, 0.02);
  }

  /** Start the audio device; to be called when somebody does something, since browsers want that. */
  async wake() {
    if (!this.context) this.#make();
    clearTimeout(this.#sleep);
    if (this.context.state !== "running") await this.context.resume();
  }

  /** Something to be played from now on. @param {number} [gain] Factor of its amplitude. */
  open(gain = 1) {
    if (!this.context) this.#make();
    clearTimeout(this.#sleep);
    const track = new Track(this.context, this.output, gain);
    this.#open += 1;
    track.ended.then(() => this.#closed());
    return track;
  }

  #closed() {
    this.#open -= 1;
    if (this.#open) return;
    clearTimeout(this.#sleep);
    this.#sleep = setTimeout(() => this.context.suspend(), AWAKE);
  }

  #make() {
    this.context = openContext();
    this.output = this.context.createGain();
    this.output.gain.value = this.#volume;
    this.output.connect(this.context.destination);
  }
}

function openContext() {
  try {
    return new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
  } catch {
    return new AudioContext(); // a device that cannot have it: each piece is resampled
  }
}

export class Track {
  /** Seconds that were given so far. */
  seconds = 0;
  /** How often nothing was there in time. */
  gaps = 0;
  /** When the first piece sounds, on the clock of `performance.now()`. @type {number | null} */
  firstAt = null;
  /** Resolves to whether all was played. @type {Promise<boolean>} */
  ended;

  /** Where each unbroken run begins: seconds of the track, and of the context. */
  #runs = [];
  #next = 0;
  #playing = new Set();
  #isComplete = false;
  #isOver = false;
  #end;

  constructor(context, output, gain) {
    this.context = context;
    this.gain = context.createGain();
    this.gain.gain.value = gain;
    this.gain.connect(output);
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  /** Whether all of it was given. */
  get isComplete() {
    return this.#isComplete;
  }

  /** Whether the device plays nothing although it should have long begun. */
  get isStuck() {
    return this.firstAt !== null && performance.now() > this.firstAt + 2000 && this.position === 0;
  }

  /** Seconds that are there and not yet played. */
  get ahead() {
    return Math.max(0, this.#next - this.context.currentTime);
  }

  /** The moment of the track that is heard now, in seconds; 0 before its first sound. */
  get position() {
    const heard = this.context.currentTime - (this.context.outputLatency || this.context.baseLatency || 0);
    let place = this.#runs.findLastIndex((run) => run.at <= heard);
    if (place < 0) return 0;
    const run = this.#runs[place];
    return Math.min(run.from + heard - run.at, this.#runs[place + 1]?.from ?? this.seconds);
  }

  /** The next piece. @param {Float32Array} samples @param {number} rate */
  feed(samples, rate) {
    if (this.#isOver || !samples.length) return;
    const buffer = this.context.createBuffer(1, samples.length, rate);
    buffer.copyToChannel(samples, 0);
    const source = new AudioBufferSourceNode(this.context, { buffer });
    source.connect(this.gain);
    source.onended = () => this.#left(source);
    this.#schedule(source, buffer.duration);
  }

  /** Nothing more comes. */
  finish() {
    this.#isComplete = true;
    if (!this.#playing.size) this.#over(true);
  }

  /** Silence, at once. */
  stop() {
    const now = this.context.currentTime;
    this.gain.gain.setTargetAtTime(0, now, FADE / 3);
    for (const source of this.#playing) source.stop(now + FADE);
    this.#over(false);
  }

  #schedule(source, duration) {
    const now = this.context.currentTime;
    if (!this.#runs.length || this.#next < now) {
      const isFirst = !this.#runs.length;
      if (!isFirst) this.gaps += 1;
      this.#next = now + (isFirst ? LEAD : LEAD_AFTER_GAP);
      this.#runs.push({ from: this.seconds, at: this.#next });
      if (isFirst) this.firstAt = performance.now() + (this.#next - now) * 1000;
    }
    source.start(this.#next);
    this.#next += duration;
    this.seconds += duration;
    this.#playing.add(source);
  }

  #left(source) {
    this.#playing.delete(source);
    source.disconnect();
    if (this.#isComplete && !this.#playing.size) this.#over(true);
    if (this.#isOver && !this.#playing.size) this.gain.disconnect();
  }

  #over(isPlayed) {
    this.#isOver = true;
    if (!this.#playing.size) this.gain.disconnect();
    this.#end(isPlayed);
  }
}
