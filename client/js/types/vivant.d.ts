/** A face of Vivant in a web page; docs/web.md describes verbs, events and the protocol. */
export type Motion = import('./frames.js').Motion;
export type Head = import('./frames.js').Head;
export type Controls = {
    /**
     * yaw, pitch, -30 to 30 degrees
     */
    gaze?: [number, number];
    /**
     * 0.8 (near) to 1.25
     */
    distance?: number;
    /**
     * neutral, happy, sad, angry, surprised, afraid, disgusted, contempt
     */
    emotion?: string;
    /**
     * 0 to 2
     */
    intensity?: number;
    /**
     * 0 to 2
     */
    head_motion?: number;
    /**
     * 0 to 2
     */
    mouth?: number;
    singing?: boolean;
    /**
     * 0 to 1
     */
    eye_contact?: number;
    /**
     * auto, speaking, listening, thinking, working
     */
    attention?: string;
};
export type Stage = {
    /**
     * original, blur, transparent or a colour
     */
    background?: string;
    mirror?: boolean;
    /**
     * auto, "top right", "top left", "bottom right" or "bottom left"
     */
    label_corner?: string;
};
export type OwnOptions = {
    /**
     * where pictures are drawn
     */
    canvas?: HTMLCanvasElement | null;
    /**
     * name or id
     */
    portrait?: string;
    pictures?: 'jpeg' | 'jpeg-alpha' | 'none';
    /**
     * whether it comes
     */
    motion?: boolean;
    /**
     * whether the delayed sound is played
     */
    sound?: boolean;
    size_px?: number;
    fps?: number | string;
    jpeg_quality?: number;
    /**
     * of what is pushed
     */
    sample_rate_hz?: number;
    seed?: number;
    controls?: Controls;
    priority?: number;
    label_off_reason?: string;
    /**
     * the server's
     */
    token?: string;
    /**
     * a name that an earlier `ready` gave
     */
    client?: string;
    /**
     * the page's own
     */
    audioContext?: AudioContext;
    /**
     * whether pictures and sound may come by it, where it is offered
     */
    webrtc?: boolean;
};
export type Options = OwnOptions & Stage;
/** Connects by itself, and again when the connection is lost. @param {string} url @param {Options} [options] */
export declare function connect(url: string, options?: Options): Face;
export declare class Face {
    #private;
    url: URL;
    /** The open connection's `ready` message, or the next's; fails where there is none. @type {Promise<any>} */
    ready: Promise<any>;
    /** @param {string} url http(s) or ws(s) @param {Options} options */
    constructor(url: string, options: Options);
    /** Samples per second of what is pushed. */
    get sample_rate_hz(): any;
    /** @param {string} event @param {(message: any) => void} callback @returns {() => void} takes it back */
    on(event: string, callback: (message: any) => void): () => void;
    /** The next piece of the voice, mono. @param {Int16Array | Float32Array} samples @param {number} [captured_ms] when its first was heard: then the delay is told */
    push(samples: Int16Array | Float32Array, captured_ms?: number): void;
    /** Sends a microphone, or the stream, until `deafen`. @param {MediaStream} [stream] */
    listen(stream?: MediaStream): Promise<void>;
    /** What was said is spoken to its end. */
    deafen(): void;
    /** Names the utterance that the next sound begins. @param {{id?: string, text?: string, language?: string, live?: boolean}} [utterance] */
    begin({ id, text, language, live }?: {
        id?: string;
        text?: string;
        language?: string;
        live?: boolean;
    }): void;
    /** What the utterance says, where that is known. @param {string} text @param {string} [language] */
    sayText(text: string, language?: string): void;
    /** The utterance is complete. */
    end(): void;
    /** Forget it now. */
    interrupt(): void;
    /** @param {Controls} changed */
    controls(changed: Controls): void;
    /** @param {string} attention */
    attention(attention: string): void;
    /** @param {Stage} changed */
    stage(changed: Stage): void;
    /** Another face; voice and motion go on. @param {string} portrait */
    portrait(portrait: string): void;
    /** @param {string} act nod, shake, tilt, think or laugh */
    act(act: string): void;
    /** Of the sound that is played, 0 to 1. */
    get volume(): number;
    set volume(volume: number);
    /** Plays the sound there. @param {string} deviceId */
    output(deviceId: string): Promise<void>;
    /** @returns {Promise<{portrait: string, bundled: boolean}[]>} */
    portraits(): Promise<{
        portrait: string;
        bundled: boolean;
    }[]>;
    /** @param {Blob} picture @param {string} consent me, agreed, unreal or synthetic */
    putPortrait(picture: Blob, consent: string): Promise<any>;
    /** @param {string} portrait */
    deletePortrait(portrait: string): Promise<void>;
    /** For good. */
    close(): void;
}
