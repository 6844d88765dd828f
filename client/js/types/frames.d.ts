/** Binary frames of the door; docs/web.md is the specification. */
export declare const PICTURE = 1, SOUND = 2, MOTION = 3;
export type Head = {
    /**
     * PICTURE, SOUND or MOTION
     */
    kind: number;
    /**
     * while an utterance is spoken
     */
    speaking: boolean;
    /**
     * of a picture
     */
    side_px: number;
    epoch: number;
    /**
     * microseconds of audio time
     */
    pts_us: number;
    /**
     * of a picture; index of motion; sample rate of sound
     */
    number: number;
    /**
     * of a picture's first JPEG
     */
    first_bytes: number;
};
export type Pose = {
    yaw_deg: number;
    pitch_deg: number;
    roll_deg: number;
    x: number;
    y: number;
    scale: number;
};
export type Motion = {
    pts_us: number;
    epoch: number;
    index: number;
    /**
     * 52, in the order of `names`
     */
    weights: Float32Array;
    names: string[];
    /**
     * of the head
     */
    pose: Pose;
    /**
     * of the shoulders
     */
    body: Pose;
    /**
     * of the eyes, relative to the head
     */
    gaze: {
        yaw_deg: number;
        pitch_deg: number;
    };
    tongue: {
        out: number;
        up: number;
    };
};
/**
 * @typedef {object} Head
 * @property {number} kind PICTURE, SOUND or MOTION
 * @property {boolean} speaking while an utterance is spoken
 * @property {number} side_px of a picture
 * @property {number} epoch
 * @property {number} pts_us microseconds of audio time
 * @property {number} number of a picture; index of motion; sample rate of sound
 * @property {number} first_bytes of a picture's first JPEG
 */
/** @typedef {{yaw_deg: number, pitch_deg: number, roll_deg: number, x: number, y: number, scale: number}} Pose */
/**
 * @typedef {object} Motion
 * @property {number} pts_us
 * @property {number} epoch
 * @property {number} index
 * @property {Float32Array} weights 52, in the order of `names`
 * @property {string[]} names
 * @property {Pose} pose of the head
 * @property {Pose} body of the shoulders
 * @property {{yaw_deg: number, pitch_deg: number}} gaze of the eyes, relative to the head
 * @property {{out: number, up: number}} tongue
 */
/** @param {ArrayBuffer} data @returns {Head} */
export declare function headOf(data: ArrayBuffer): Head;
/** Colours, and alpha where there is one. @param {ArrayBuffer} data @param {Head} head @returns {[Blob, Blob?]} */
export declare function jpegsOf(data: ArrayBuffer, head: Head): [Blob, Blob?];
/** @param {ArrayBuffer} data */
export declare function samplesOf(data: ArrayBuffer): Int16Array<ArrayBuffer>;
/** @param {ArrayBuffer} data @param {Head} head @param {string[]} names @returns {Motion} */
export declare function motionOf(data: ArrayBuffer, head: Head, names: string[]): Motion;
