/** Draws pictures on a canvas: the newest that has come, and never two at a time. */

import { jpegsOf } from './frames.js';

/** @typedef {import('./frames.js').Head} Head */

export class Painter {
  /** @type {{data: ArrayBuffer, head: Head} | null} */
  #waiting = null;
  #busy = false;
  /** @type {OffscreenCanvas | null} */
  #mask = null;

  /** @param {HTMLCanvasElement | null} canvas @param {(head: Head, bitmap: ImageBitmap) => void} drawn after each; bitmaps live until it returns */
  constructor(canvas, drawn) {
    this.canvas = canvas;
    this.drawn = drawn;
  }

  /** Draw that picture, unless a newer one comes while another is being decoded. @param {ArrayBuffer} data @param {Head} head */
  take(data, head) {
    this.#waiting = { data, head };
    if (!this.#busy) this.#work();
  }

  async #work() {
    this.#busy = true;
    while (this.#waiting) {
      const { data, head } = this.#waiting;
      this.#waiting = null;
      try {
        const bitmap = await this.#decoded(data, head);
        this.draw(bitmap);
        this.drawn(head, bitmap);
        bitmap.close();
      } catch (error) {
        console.warn('vivant: a picture could not be drawn', error);
      }
    }
    this.#busy = false;
  }

  /** @param {ArrayBuffer} data @param {Head} head */
  async #decoded(data, head) {
    const [colours, alpha] = await Promise.all(jpegsOf(data, head).map((blob) => createImageBitmap(/** @type {Blob} */ (blob))));
    return alpha ? this.#masked(colours, alpha) : colours;
  }

  /** Brightness becomes alpha, pixel by pixel. @param {ImageBitmap} colours @param {ImageBitmap} alpha */
  async #masked(colours, alpha) {
    const { width, height } = colours;
    this.#mask ??= new OffscreenCanvas(width, height);
    if (this.#mask.width !== width) Object.assign(this.#mask, { width, height });
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (this.#mask.getContext('2d', { willReadFrequently: true }));
    context.drawImage(alpha, 0, 0);
    const mask = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
    context.drawImage(colours, 0, 0);
    const image = context.getImageData(0, 0, width, height);
    const pixels = new Uint32Array(image.data.buffer);
    for (let i = 0; i < pixels.length; i++) pixels[i] = (pixels[i] & 0xffffff) | (mask[i] << 24);
    colours.close();
    alpha.close();
    return createImageBitmap(image);
  }

  /** @param {ImageBitmap | HTMLVideoElement} bitmap */
  draw(bitmap) {
    if (!this.canvas) return;
    const { width, height } = this.canvas;
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext('2d'));
    context.clearRect(0, 0, width, height);
    context.drawImage(bitmap, 0, 0, width, height);
  }
}
