/** Draws pictures on a canvas: the newest that has come, and never two at a time. */
export type Head = import('./frames.js').Head;
/** @typedef {import('./frames.js').Head} Head */
export declare class Painter {
    #private;
    canvas: HTMLCanvasElement | null;
    drawn: (head: Head, bitmap: ImageBitmap) => void;
    /**
     * @param {HTMLCanvasElement | null} canvas
     * @param {(head: Head, bitmap: ImageBitmap) => void} drawn called right after each; the bitmap lives until it returns
     */
    constructor(canvas: HTMLCanvasElement | null, drawn: (head: Head, bitmap: ImageBitmap) => void);
    /** Draw that picture, unless a newer one comes while another is being decoded. @param {ArrayBuffer} data @param {Head} head */
    take(data: ArrayBuffer, head: Head): void;
    /** @param {ImageBitmap | HTMLVideoElement} bitmap */
    draw(bitmap: ImageBitmap | HTMLVideoElement): void;
}
