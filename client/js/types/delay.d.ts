/** Microphone-to-picture delay: when the sound was captured that a picture belongs to, and when that picture was drawn. */
export type Piece = {
    first: number;
    captured_ms: number;
};
export type Utterance = {
    pieces: Piece[];
    n: number;
    moved_ms: number;
};
/** @typedef {{first: number, captured_ms: number}} Piece samples are counted within their utterance */
/** @typedef {{pieces: Piece[], n: number, moved_ms: number}} Utterance as it was sent, and how much later it comes */
export declare class Delay {
    #private;
    rate_hz: number;
    say: (ms: number) => void;
    /** What comes between the time of `drawn` and the drawing. */
    later_ms: number;
    /** @param {number} rate_hz @param {(ms: number) => void} say called once a second */
    constructor(rate_hz: number, say: (ms: number) => void);
    /** An utterance begins with the next sound. */
    begin(): void;
    /** @param {number} length in samples @param {number} captured_ms */
    sent(length: number, captured_ms: number): void;
    /** By silence that the server put into it, less what it left out. @param {number} ms */
    moved(ms: number): void;
    /** The next utterance has begun. @param {number} position_us */
    began(position_us: number): void;
    over(): void;
    forget(): void;
    /** A picture was drawn just now. @param {number} pts_us */
    drawn(pts_us: number): void;
}
