/** Microphone-to-picture delay: when the sound was captured that a picture belongs to, and when that picture was drawn. */

const KEPT_MS = 5000; // of sound, for whose picture it is looked up
const EVERY_MS = 1000;

/** @typedef {{first: number, captured_ms: number}} Piece samples are counted within their utterance */
/** @typedef {{pieces: Piece[], n: number, moved_ms: number}} Utterance as it was sent, and how much later it comes */

export class Delay {
  /** The oldest first: those that were sent and have not begun, after the one that is spoken. @type {Utterance[]} */
  #sent = [];
  /** @type {Utterance | null} */
  #spoken = null;
  #position_us = 0;
  /** @type {number[]} */
  #found = [];
  #said_ms = 0;

  /** @param {number} rate_hz @param {(ms: number) => void} say called once a second */
  constructor(rate_hz, say) {
    this.rate_hz = rate_hz;
    this.say = say;
    /** What comes between the time of `drawn` and the drawing. */
    this.later_ms = 0;
  }

  /** An utterance begins with the next sound. */
  begin() {
    this.#sent.push({ pieces: [], n: 0, moved_ms: 0 });
  }

  /** Of the one that was sent last. */
  get #last() {
    return this.#sent.at(-1) ?? this.#spoken;
  }

  /** @param {number} length in samples @param {number} captured_ms */
  sent(length, captured_ms) {
    const last = this.#last;
    if (!last) return;
    last.pieces.push({ first: last.n, captured_ms });
    last.n += length;
    while (last.pieces[0].captured_ms < captured_ms - KEPT_MS) last.pieces.shift();
  }

  /** By silence that the server put into it, less what it left out. @param {number} ms */
  moved(ms) {
    if (this.#last) this.#last.moved_ms = ms;
  }

  /** The next utterance has begun. @param {number} position_us */
  began(position_us) {
    this.#spoken = this.#sent.shift() ?? null;
    this.#position_us = position_us;
  }

  over() {
    this.#spoken = null;
    this.#found = [];
  }

  forget() {
    this.#sent = [];
    this.over();
  }

  /** A picture was drawn just now. @param {number} pts_us */
  drawn(pts_us) {
    const now_ms = performance.now() + this.later_ms, captured_ms = this.#captured_ms(pts_us);
    if (captured_ms !== null) this.#found.push(now_ms - captured_ms);
    if (now_ms - this.#said_ms < EVERY_MS || !this.#found.length) return;
    this.#said_ms = now_ms;
    const sorted = this.#found.sort((a, b) => a - b);
    this.say(sorted[sorted.length >> 1]);
    this.#found = [];
  }

  /** @param {number} pts_us */
  #captured_ms(pts_us) {
    if (!this.#spoken) return null;
    const sample = ((pts_us - this.#position_us) / 1000 - this.#spoken.moved_ms) * this.rate_hz / 1000;
    const piece = this.#spoken.pieces.findLast(({ first }) => first <= sample);
    return piece ? piece.captured_ms + 1000 * (sample - piece.first) / this.rate_hz : null;
  }
}
