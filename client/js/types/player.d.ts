/** Plays the delayed sound, so that it is heard when its pictures are drawn. */
export declare class Player {
    #private;
    context: AudioContext;
    gain: GainNode;
    /** @param {AudioContext} context */
    constructor(context: AudioContext);
    /** @param {Int16Array} samples @param {number} rate_hz @param {number} pts_us of the first one */
    play(samples: Int16Array, rate_hz: number, pts_us: number): void;
    /** How much later than now it is heard, negative if it was; null while nothing is played. @param {number} pts_us */
    late_ms(pts_us: number): number | null;
    /** Silence at once. */
    stop(): void;
}
