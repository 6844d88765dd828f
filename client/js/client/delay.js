/** Microphone-to-picture delay: when the sound was captured that a picture belongs to, and when that picture was drawn. */

const KEPT_MS = 5000; // of sound, for whose picture it is looked up
const EVERY_MS = 1000;

/** @typedef {{first: number, captured_ms: number}} Piece samples are counted within their utterance */

export class Delay {
  /** Of each utterance, the oldest first: those that were sent and have not begun, after the one that is spoken. @type {Piece[][]} */
  #sent = [];
  /** @type {Piece[] | null} */
  #spoken = null;
  #position_us = 0;
  #filled0_us = 0;
  #n = 0;
  /** @type {number[]} */
  #found = [];
  #said_ms = 0;

  /** @param {number} rate_hz @param {(ms: number) => void} say called once a second */
  constructor(rate_hz, say) {
    this.rate_hz = rate_hz;
    this.say = say;
    /** Silence that the server put into utterances because their sound came late. */
    this.filled_us = 0;
  }

  /** An utterance begins with the next sound. */
  begin() {
    this.#sent.push([]);
    this.#n = 0;
  }

  /** @param {number} length in samples @param {number} captured_ms */
  sent(length, captured_ms) {
    const pieces = this.#sent.at(-1) ?? this.#spoken;
    if (!pieces) return;
    pieces.push({ first: this.#n, captured_ms });
    this.#n += length;
    while (pieces[0].captured_ms < captured_ms - KEPT_MS) pieces.shift();
  }

  /** The next utterance has begun. @param {number} position_us */
  began(position_us) {
    this.#spoken = this.#sent.shift() ?? null;
    this.#position_us = position_us;
    this.#filled0_us = this.filled_us;
  }

  over() {
    this.#spoken = null;
  }

  forget() {
    this.#sent = [];
    this.#spoken = null;
  }

  /** A picture was drawn just now. @param {number} pts_us */
  drawn(pts_us) {
    const now_ms = performance.now(), captured_ms = this.#captured_ms(pts_us);
    if (captured_ms !== null) this.#found.push(now_ms - captured_ms);
    if (now_ms - this.#said_ms < EVERY_MS || !this.#found.length) return;
    this.#said_ms = now_ms;
    const sorted = this.#found.sort((a, b) => a - b);
    this.say(sorted[sorted.length >> 1]);
    this.#found = [];
  }

  /** @param {number} pts_us */
  #captured_ms(pts_us) {
    const sound_us = pts_us - this.#position_us - (this.filled_us - this.#filled0_us);
    const sample = sound_us * this.rate_hz / 1e6;
    const piece = this.#spoken?.findLast(({ first }) => first <= sample);
    return piece ? piece.captured_ms + 1000 * (sample - piece.first) / this.rate_hz : null;
  }
}
