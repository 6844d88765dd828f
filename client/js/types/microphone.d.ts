/** A MediaStream as pieces of PCM. */
export declare class Microphone {
    #private;
    context: AudioContext;
    stream: MediaStream;
    own: boolean;
    /**
     * @param {AudioContext} context
     * @param {MediaStream} stream
     * @param {boolean} own whether its tracks end with `close`
     */
    constructor(context: AudioContext, stream: MediaStream, own: boolean);
    /** @param {(samples: Int16Array, captured_ms: number) => void} take with `performance.now` of the first sample */
    open(take: (samples: Int16Array, captured_ms: number) => void): Promise<void>;
    close(): void;
}
