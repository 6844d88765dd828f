/** Pictures and sound by WebRTC, where the server offers it: what a network loses or delays does less harm. */
export declare class Media {
    #private;
    /** Plays both. */
    video: HTMLVideoElement;
    /** @param {(video: HTMLVideoElement) => void} draw called with every picture */
    constructor(draw: (video: HTMLVideoElement) => void);
    /** @param {string[]} kinds video, audio @returns {Promise<string>} SDP with all addresses in it */
    offer(kinds: string[]): Promise<string>;
    /** @param {string} sdp */
    answer(sdp: string): Promise<void>;
    /** From a picture's first packet until it was decoded, since the last look. */
    took_ms(): Promise<number>;
    close(): void;
}
