/** Plays the delayed sound, so that it is heard when its pictures are drawn. */

const LEAD_S = 0.08; // by which the server sends sound before its pictures
const LEAST_S = 0.01; // that a sound is scheduled ahead
const MOST_S = 0.25; // of sound that waits; more is time that was lost

export class Player {
  /** @type {Set<AudioBufferSourceNode>} */
  #playing = new Set();
  /** Where audio time 0 is on the context's clock. @type {number | null} */
  #origin = null;

  /** @param {AudioContext} context */
  constructor(context) {
    this.context = context;
    this.gain = new GainNode(context);
    this.gain.connect(context.destination);
  }

  /** @param {Int16Array} samples @param {number} rate_hz @param {number} pts_us of the first one */
  play(samples, rate_hz, pts_us) {
    if (!samples.length) return;
    const now = this.context.currentTime, pts = pts_us / 1e6;
    let at = this.#origin === null ? -1 : this.#origin + pts;
    if (at < now || at > now + MOST_S) { // an utterance begins, or time was lost
      at = now + Math.max(LEAST_S, LEAD_S - this.#latency_s);
      this.#origin = at - pts;
    }
    const buffer = new AudioBuffer({ length: samples.length, sampleRate: rate_hz });
    const channel = buffer.getChannelData(0);
    for (let i = 0; i < samples.length; i++) channel[i] = samples[i] / 32768;
    const source = new AudioBufferSourceNode(this.context, { buffer });
    source.connect(this.gain);
    source.onended = () => this.#playing.delete(source);
    source.start(at);
    this.#playing.add(source);
  }

  /** How much later than now it is heard, negative if it was; null while nothing is played. @param {number} pts_us */
  late_ms(pts_us) {
    if (!this.#playing.size || this.#origin === null) return null;
    return 1000 * (this.#origin + pts_us / 1e6 + this.#latency_s - this.context.currentTime);
  }

  get #latency_s() {
    return this.context.outputLatency || this.context.baseLatency || 0;
  }

  /** Silence at once. */
  stop() {
    for (const source of this.#playing) source.stop();
    this.#playing.clear();
    this.#origin = null;
  }
}
