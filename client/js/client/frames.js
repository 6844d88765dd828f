/** Binary frames of the door; docs/web.md is the specification. */

const HEAD_BYTES = 24;
export const PICTURE = 1, SOUND = 2, MOTION = 3;
const N_WEIGHTS = 52, N_POSE = 6;

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
export function headOf(data) {
  const view = new DataView(data);
  return {
    kind: view.getUint8(0),
    speaking: view.getUint8(1) === 1,
    side_px: view.getUint16(2, true),
    epoch: view.getUint32(4, true),
    pts_us: Number(view.getBigUint64(8, true)),
    number: view.getUint32(16, true),
    first_bytes: view.getUint32(20, true),
  };
}

/** Colours, and alpha where there is one. @param {ArrayBuffer} data @param {Head} head @returns {[Blob, Blob?]} */
export function jpegsOf(data, head) {
  const middle = HEAD_BYTES + head.first_bytes;
  /** @param {number} from @param {number} to */
  const jpeg = (from, to) => new Blob([data.slice(from, to)], { type: 'image/jpeg' });
  const colours = jpeg(HEAD_BYTES, middle);
  return middle < data.byteLength ? [colours, jpeg(middle, data.byteLength)] : [colours];
}

/** @param {ArrayBuffer} data */
export function samplesOf(data) {
  return new Int16Array(data, HEAD_BYTES);
}

/** @param {ArrayBuffer} data @param {Head} head @param {string[]} names @returns {Motion} */
export function motionOf(data, head, names) {
  const values = new Float32Array(data, HEAD_BYTES);
  const [gazeYaw, gazePitch, out, up] = values.subarray(N_WEIGHTS + N_POSE);
  return {
    pts_us: head.pts_us, epoch: head.epoch, index: head.number,
    weights: values.subarray(0, N_WEIGHTS), names,
    pose: poseOf(values.subarray(N_WEIGHTS)),
    gaze: { yaw_deg: gazeYaw, pitch_deg: gazePitch },
    tongue: { out, up },
    body: poseOf(values.subarray(N_WEIGHTS + N_POSE + 4)),
  };
}

/** @param {Float32Array} values @returns {Pose} */
function poseOf([yaw_deg, pitch_deg, roll_deg, x, y, scale]) {
  return { yaw_deg, pitch_deg, roll_deg, x, y, scale };
}
