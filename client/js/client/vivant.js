/** A face of Vivant in a web page; docs/web.md describes verbs, events and the protocol. */

import { Delay } from './delay.js';
import { headOf, MOTION, motionOf, PICTURE, samplesOf, SOUND } from './frames.js';
import { Microphone } from './microphone.js';
import { Painter } from './painter.js';
import { Player } from './player.js';

/** @typedef {import('./frames.js').Motion} Motion */
/** @typedef {import('./frames.js').Head} Head */

/**
 * @typedef {object} Controls what is not named stays as it is
 * @property {[number, number]} [gaze] yaw, pitch, -30 to 30 degrees
 * @property {number} [distance] 0.8 (near) to 1.25
 * @property {string} [emotion] neutral, happy, sad, angry, surprised, afraid, disgusted, contempt
 * @property {number} [intensity] 0 to 2
 * @property {number} [head_motion] 0 to 2
 * @property {number} [mouth] 0 to 2
 * @property {boolean} [singing]
 * @property {number} [eye_contact] 0 to 1
 * @property {string} [attention] auto, speaking, listening, thinking, working
 */

/**
 * @typedef {object} Stage
 * @property {string} [background] original, blur, transparent or a colour
 * @property {boolean} [mirror]
 * @property {string} [label_corner] auto, "top right", "top left", "bottom right" or "bottom left"
 */

/**
 * @typedef {object} OwnOptions
 * @property {HTMLCanvasElement | null} [canvas] where pictures are drawn
 * @property {string} [portrait] name or id
 * @property {'jpeg' | 'jpeg-alpha' | 'none'} [pictures]
 * @property {boolean} [motion] whether it comes
 * @property {boolean} [sound] whether the delayed sound is played
 * @property {number} [size_px]
 * @property {number | string} [fps]
 * @property {number} [jpeg_quality]
 * @property {number} [sample_rate_hz] of what is pushed
 * @property {number} [seed]
 * @property {Controls} [controls]
 * @property {number} [priority]
 * @property {string} [label_off_reason]
 * @property {string} [token] the server's
 * @property {string} [client] a name that an earlier `ready` gave
 * @property {AudioContext} [audioContext] the page's own
 * @property {boolean} [webrtc] whether pictures and sound may come by it, where it is offered
 * @typedef {OwnOptions & Stage} Options
 */

const FATAL = new Set([4400, 4401, 4404, 4501]);
const FIRST_PAUSE_MS = 500, LONGEST_PAUSE_MS = 10_000;
const MOST_UNSENT_MS = 150; // of a microphone's sound that a slow network has not taken
const USUAL = { portrait: 'ada', motion: false, sound: false };

/** Connects by itself, and again when the connection is lost. @param {string} url @param {Options} [options] */
export function connect(url, options = {}) {
  return new Face(url, options);
}

export class Face {
  /** @type {Map<string, Set<(message: any) => void>>} */
  #listeners = new Map();
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {Record<string, any>} */
  #config;
  #client = '';
  #epoch = 0;
  #speaking = false;
  #closed = false;
  #attempt = 0;
  /** Before it closes the socket. @type {any} */
  #error = null;
  /** @type {string[]} */
  #names = [];
  #again = 0;
  /** @type {AudioContext | undefined} */
  #context;
  #ownContext;
  /** @type {Player | undefined} */
  #player;
  #volume = 1;
  /** @type {Microphone | null} */
  #microphone = null;
  /** @type {import('./media.js').Media | null} */
  #media = null;
  #webrtc;
  #painter;
  #delay;
  /** Of `ready`; null once it is settled. @type {{resolve: (said: any) => void, reject: (error: Error) => void} | null} */
  #waiting = null;
  /** The open connection's `ready` message, or the next's; fails where there is none. @type {Promise<any>} */
  ready = Promise.resolve();

  /** @param {string} url http(s) or ws(s) @param {Options} options */
  constructor(url, options) {
    if (!('createImageBitmap' in window && 'AudioContext' in window)) throw new Error('this browser is too old for a live face');
    const { canvas = null, audioContext, client = '', webrtc = true, ...config } = options;
    this.#webrtc = webrtc && 'RTCPeerConnection' in window;
    this.url = new URL(url, location.href);
    this.#client = client;
    this.#context = audioContext;
    this.#ownContext = !audioContext;
    const pictures = canvas ? 'jpeg' : 'none';
    this.#config = { ...USUAL, pictures, ...config };
    if (this.#config.pictures === 'none') this.#config.motion = true;
    this.#config.sample_rate_hz ??= this.#audio().sampleRate;
    this.#painter = new Painter(canvas, (head, bitmap) => this.#drawn(head, bitmap));
    this.#delay = new Delay(this.#config.sample_rate_hz, (ms) => this.#emit('delay', { ms }));
    this.#await();
    this.#open();
  }

  /** Samples per second of what is pushed. */
  get sample_rate_hz() {
    return this.#config.sample_rate_hz;
  }

  /** @param {string} event @param {(message: any) => void} callback @returns {() => void} takes it back */
  on(event, callback) {
    const set = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, set.add(callback));
    return () => { set.delete(callback); };
  }

  /** The next piece of the voice, mono. @param {Int16Array | Float32Array} samples @param {number} [captured_ms] when its first was heard: then the delay is told */
  push(samples, captured_ms) {
    if (this.#socket?.readyState !== WebSocket.OPEN || !samples.length) return;
    if (!this.#speaking) this.#delay.begin();
    this.#speaking = true;
    if (captured_ms !== undefined) this.#delay.sent(samples.length, captured_ms);
    this.#socket.send(/** @type {ArrayBufferView<ArrayBuffer>} */ (pcm(samples)));
  }

  /** Sends a microphone, or the stream, until `deafen`. @param {MediaStream} [stream] */
  async listen(stream) {
    this.deafen();
    const own = !stream;
    stream ??= await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: this.#config.sound } });
    const microphone = new Microphone(this.#audio(), stream, own);
    this.#microphone = microphone;
    await microphone.open((samples, captured_ms) => this.#heard(samples, captured_ms));
    if (this.#microphone !== microphone) microphone.close(); // deafened meanwhile
  }

  /** What is late is left out, here or there, or all that follows would be late. @param {Int16Array} samples @param {number} captured_ms */
  #heard(samples, captured_ms) {
    const unsent_ms = 1000 * (this.#socket?.bufferedAmount ?? 0) / (2 * this.sample_rate_hz);
    if (unsent_ms > MOST_UNSENT_MS) return;
    if (!this.#speaking) this.begin({ live: true });
    this.push(samples, captured_ms);
  }

  /** What was said is spoken to its end. */
  deafen() {
    if (!this.#microphone) return;
    this.#microphone.close();
    this.#microphone = null;
    this.end();
  }

  /** Names the utterance that the next sound begins. @param {{id?: string, text?: string, language?: string, live?: boolean}} [utterance] */
  begin({ id = '', text = '', language = '', live = false } = {}) {
    this.#speaking = false;
    this.#send({ type: 'begin', utterance_id: id, text, language, live });
  }

  /** What the utterance says, where that is known. @param {string} text @param {string} [language] */
  sayText(text, language = '') {
    this.#send({ type: 'say_text', text, language });
  }

  /** The utterance is complete. */
  end() {
    this.#speaking = false;
    this.#send({ type: 'end' });
  }

  /** Forget it now. */
  interrupt() {
    this.#speaking = false;
    this.#epoch += 1;
    this.#player?.stop();
    this.#delay.forget();
    this.#send({ type: 'interrupt', epoch: this.#epoch });
  }

  /** @param {Controls} changed */
  controls(changed) {
    this.#config.controls = { ...this.#config.controls, ...changed };
    this.#send({ type: 'controls', ...changed });
  }

  /** @param {string} attention */
  attention(attention) {
    this.controls({ attention });
  }

  /** @param {Stage} changed */
  stage(changed) {
    Object.assign(this.#config, changed);
    this.#send({ type: 'stage', ...changed });
  }

  /** Another face; voice and motion go on. @param {string} portrait */
  portrait(portrait) {
    this.#config.portrait = portrait;
    this.#send({ type: 'portrait', portrait });
  }

  /** @param {string} act nod, shake, tilt, think or laugh */
  act(act) {
    this.#send({ type: 'act', act });
  }

  /** Of the sound that is played, 0 to 1. */
  get volume() {
    return this.#volume;
  }

  set volume(volume) {
    this.#volume = volume;
    if (this.#player) this.#player.gain.gain.value = volume;
    if (this.#media) Object.assign(this.#media.video, { volume, muted: false });
  }

  /** Plays the sound there. @param {string} deviceId */
  async output(deviceId) {
    const context = /** @type {AudioContext & {setSinkId?: (id: string) => Promise<void>}} */ (this.#audio());
    if (!context.setSinkId) throw new Error('this browser lets no page choose its speaker');
    await context.setSinkId(deviceId);
    await this.#media?.video.setSinkId(deviceId);
  }

  /** @returns {Promise<{portrait: string, bundled: boolean}[]>} */
  async portraits() {
    return (await this.#fetch('GET', 'v1/portraits')).portraits;
  }

  /** @param {Blob} picture @param {string} consent me, agreed, unreal or synthetic */
  async putPortrait(picture, consent) {
    return this.#fetch('POST', `v1/portraits?consent=${encodeURIComponent(consent)}`, picture);
  }

  /** @param {string} portrait */
  async deletePortrait(portrait) {
    await this.#fetch('DELETE', `v1/portraits/${encodeURIComponent(portrait)}`);
  }

  /** For good. */
  close() {
    this.#giveUp('the face was closed');
    clearTimeout(this.#again);
    this.deafen();
    this.#player?.stop();
    this.#media?.close();
    this.#socket?.close(1000);
    if (this.#ownContext) this.#context?.close();
  }

  #audio() {
    return this.#context ??= new AudioContext(this.#config.sample_rate_hz ? { sampleRate: this.#config.sample_rate_hz } : {});
  }

  #await() {
    if (this.#waiting) return;
    this.ready = new Promise((resolve, reject) => { this.#waiting = { resolve, reject }; });
    this.ready.catch(() => {}); // `failed` says it, too
  }

  /** @param {string} message */
  #giveUp(message) {
    this.#closed = true;
    this.#await();
    this.#waiting?.reject(new Error(message));
    this.#waiting = null;
  }

  #open() {
    const socket = this.#socket = new WebSocket(this.#at('v1/face', 'ws'));
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      this.#send({ type: 'config', ...this.#config, client: this.#client });
      if (this.#epoch) this.#send({ type: 'interrupt', epoch: this.#epoch }); // what comes carries it
    };
    socket.onmessage = ({ data }) => (typeof data === 'string' ? this.#hear(JSON.parse(data)) : this.#take(data));
    socket.onclose = ({ code, reason }) => this.#lost(code, reason);
  }

  /** @param {string} path @param {string} scheme */
  #at(path, scheme) {
    const url = new URL(this.url);
    url.pathname = url.pathname.replace(/\/?$/, '/');
    url.protocol = url.protocol.replace(/http|ws/, scheme);
    return new URL(path, url);
  }

  async #offer() {
    const { Media } = await import('./media.js');
    const media = this.#media = new Media((video) => this.#painter.draw(video));
    this.volume = this.#volume;
    this.#send({ type: 'offer', sdp: await media.offer(this.#config.sound ? ['video', 'audio'] : ['video']) });
  }

  /** @param {number} code @param {string} reason */
  #lost(code, reason) {
    this.#media?.close();
    this.#media = null;
    const error = this.#error, message = error?.message ?? (reason || 'the connection was lost');
    this.#error = null;
    this.#speaking = false;
    this.#delay.forget();
    if (this.#closed || code === 1000) return;
    if (FATAL.has(code)) {
      this.#giveUp(message);
      this.#emit('failed', { code: error?.code ?? code, message });
      return;
    }
    const pause_ms = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#attempt++) * (0.75 + Math.random() / 2);
    const retry_ms = Math.max(pause_ms, error?.retry_after_ms ?? 0);
    this.#await();
    this.#again = setTimeout(() => this.#open(), retry_ms);
    this.#emit('lost', { retry_ms, message });
  }

  /** @param {any} message */
  #hear(message) {
    switch (message.type) {
      case 'ready':
        this.#attempt = 0;
        this.#client = message.client;
        this.#names = message.weight_names;
        this.#waiting?.resolve(message);
        this.#waiting = null;
        if (message.webrtc && this.#webrtc && this.#config.pictures === 'jpeg') this.#offer();
        break;
      case 'answer': this.#media?.answer(message.sdp); break;
      case 'statistics': this.#media?.took_ms().then((ms) => { this.#delay.later_ms = ms; }); break;
      case 'utterance_started': this.#delay.began(message.position_us); break;
      case 'utterance_finished': this.#delay.over(); break;
      case 'moved': this.#delay.moved(message.ms); break;
      case 'error': this.#error = message; break;
    }
    this.#emit(message.type, message);
  }

  /** @param {ArrayBuffer} data */
  #take(data) {
    const head = headOf(data);
    const stale = head.epoch < this.#epoch;
    if (head.kind === PICTURE) {
      if (stale) this.#confirm(head);
      else if (!head.first_bytes && this.#media) this.#drawn(head, this.#media.video); // that comes by WebRTC
      else this.#painter.take(data, head);
    } else if (stale) {
      return;
    } else if (head.kind === MOTION) {
      this.#emit('motion', motionOf(data, head, this.#names));
    } else if (head.kind === SOUND) {
      if (!this.#player) {
        this.#player = new Player(this.#audio());
        this.volume = this.#volume;
      }
      const samples = samplesOf(data);
      this.#player.play(samples, head.number, head.pts_us);
      this.#emit('sound', { samples, ...head });
    }
  }

  /** @param {Head} head @param {ImageBitmap | HTMLVideoElement} bitmap */
  #drawn(head, bitmap) {
    this.#confirm(head);
    this.#delay.drawn(head.pts_us);
    this.#emit('picture', { bitmap, ...head, sound_late_ms: this.#player?.late_ms(head.pts_us) ?? null });
  }

  /** @param {Head} head */
  #confirm(head) {
    this.#send({ type: 'shown', picture: head.number });
  }

  /** @param {Record<string, any>} message */
  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** @param {string} event @param {any} message */
  #emit(event, message) {
    for (const callback of this.#listeners.get(event) ?? []) callback(message);
  }

  /** @param {string} method @param {string} path @param {Blob} [body] @returns {Promise<any>} */
  async #fetch(method, path, body) {
    const headers = { 'Vivant-Client': this.#client, ...(this.#config.token && { Authorization: `Bearer ${this.#config.token}` }) };
    const answer = await fetch(this.#at(path, 'http'), { method, headers, body });
    const said = answer.status === 204 ? {} : await answer.json();
    if (!answer.ok) throw Object.assign(new Error(said.error.message), said.error);
    this.#client = said.client ?? this.#client;
    return said;
  }
}

/** @param {Int16Array | Float32Array} samples */
function pcm(samples) {
  if (samples instanceof Int16Array) return samples;
  return Int16Array.from(samples, (sample) => Math.max(-32768, Math.min(32767, Math.round(sample * 32768))));
}
