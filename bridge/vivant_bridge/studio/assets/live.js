/** The live face of this page: the client of `client/js`, with the state that people see. */

import { connect } from "/client/vivant.js";
import { $, sentence } from "./dom.js";
import { clientName, keepClientName, token, voice } from "./server.js";
import { t } from "./texts.js";

/** A second of sound is pushed in so many pieces, each a message. */
const PIECES_PER_S = 2;
/** Until a browser has found a speaker; chosen. */
const SOUND_MS = 2000;
/** Of microphones and speakers: whichever the browser takes. */
export const USUAL = "default";

/** Events: `state` (what it does: waking, ready, speaking, live, away, failed), `delay`, `statistics`, `level`, and `log` (a key of the texts). */
export class Live extends EventTarget {
  state = "waking";
  /** @type {import("/client/vivant.js").Face} */
  face = null;
  /** @type {{id: string, name: string, bundled: boolean}} */
  portrait = null;
  /** @type {AudioContext} */
  context = null;
  /** @type {import("/client/vivant.js").Controls} */
  controls = {};
  /** @type {import("/client/vivant.js").Stage} */
  stage = {};
  /** The microphone, while it is on. @type {MediaStream} */
  stream = null;
  /** What the door said was wrong, until the connection ends. @type {{code: string, message: string}} */
  refusal = null;
  /** Device that was chosen to be heard on; the usual one keeps silent while one speaks oneself. */
  speaker = USUAL;

  /** Show a portrait. `context` is the page's AudioContext, made by a click. */
  open(portrait, { controls, stage }, context) {
    this.close();
    Object.assign(this, { portrait, controls, stage: { ...stage }, context });
    this.turn("waking");
    const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`;
    this.face = connect(address, {
      portrait: portrait.id, canvas: $("face"), motion: true, sound: true, sample_rate_hz: context.sampleRate, size_px: 512,
      controls: { ...controls }, client: clientName(), token: token(), audioContext: context,
      pictures: stage.background === "transparent" ? "jpeg-alpha" : "jpeg", ...stage,
    });
    this.listeners();
  }

  listeners() {
    const { face } = this;
    face.on("ready", ({ client }) => {
      keepClientName(client);
      if (this.state === "away") this.tell("log", { key: "log_back" });
    });
    face.on("picture", () => { if (["waking", "away", "failed"].includes(this.state)) this.turn(this.stream ? "live" : "ready"); });
    face.on("utterance_started", () => { if (this.state === "ready") this.turn("speaking"); });
    for (const end of ["utterance_finished", "interrupted"])
      face.on(end, () => { if (this.state === "speaking") this.turn("ready"); });
    face.on("delay", (told) => this.tell("delay", told));
    face.on("statistics", (told) => this.tell("statistics", told));
    face.on("error", (said) => { this.refusal = said; });
    face.on("lost", () => this.lost());
    face.on("failed", ({ code, message }) => this.turn("failed", { code, message }));
    for (const refused of ["portrait_failed", "refused"]) face.on(refused, ({ message }) => this.tell("trouble", { message }));
  }

  /** The connection is gone, or this machine has no time for one more face; the client tries again by itself. */
  lost() {
    const { code, message } = this.refusal ?? {};
    this.refusal = null;
    if (code === "resource_exhausted") return this.turn("failed", { code, message });
    if (this.state !== "away") this.tell("log", { key: "log_away" });
    return this.turn("away");
  }

  tell(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  turn(state, detail = {}) {
    this.state = state;
    this.tell("state", { state, ...detail });
  }

  /** The page's sound begins to run. False where it does not, for some browsers wait for ever for a speaker. */
  async soundRuns() {
    const patience = new Promise((resolve) => { setTimeout(resolve, SOUND_MS); });
    await Promise.race([this.context.resume(), patience]);
    return this.context.state === "running";
  }

  /** The bundled lines. */
  async speak() {
    await this.soundRuns();
    this.say(await voice(this.context.sampleRate));
    this.tell("log", { key: "log_spoke" });
  }

  /** Sound of an utterance, Float32Array at the rate of the context; what it says may be known, and by which name. */
  say(samples, { text = "", id = "" } = {}) {
    this.deafen();
    this.face.interrupt();
    this.turnVolume();
    this.face.begin({ id, text });
    const step = Math.round(this.context.sampleRate / PIECES_PER_S);
    for (let at = 0; at < samples.length; at += step) this.face.push(samples.subarray(at, at + step));
    this.face.end();
  }

  stop() {
    if (this.state !== "speaking") return;
    this.face.interrupt();
    this.tell("log", { key: "log_interrupted" });
  }

  /** Speak with the microphone. Raises an Error with a sentence where there is none. */
  async listen() {
    if (!await this.soundRuns()) throw new Error(t("noSpeaker"));
    this.face.interrupt();
    this.stream = await microphone($("microphone-choice")?.value);
    this.turnVolume();
    await this.face.listen(this.stream);
    this.measure();
    this.turn("live");
    this.tell("log", { key: "log_live" });
  }

  deafen() {
    if (!this.stream) return;
    this.face.deafen();
    for (const track of this.stream.getTracks()) track.stop();
    this.stream = null;
    this.tell("level", { level: 0 });
    this.tell("log", { key: "log_microphoneOff" });
    this.turn("ready");
  }

  /** Some of the controls; the others stay. */
  steer(controls) {
    this.face?.controls(controls);
  }

  act(name) {
    this.face?.act(name);
  }

  /** What is around the face. A person is cut out by another kind of pictures, for which the face is opened anew. */
  restage(stage) {
    const isCutOut = (each) => each.background === "transparent";
    if (isCutOut(stage) === isCutOut(this.stage)) this.face?.stage(stage);
    else this.reopen(stage);
    this.stage = { ...stage };
  }

  /** The same face with other pictures; a microphone that is on stays on. */
  reopen(stage) {
    const { stream } = this;
    this.stream = null;
    this.open(this.portrait, { controls: this.controls, stage }, this.context);
    this.stream = stream;
    if (!stream) return;
    this.turnVolume();
    this.face.listen(stream);
  }

  /** Where its voice is heard. Raises an Error where that cannot be. */
  async output(deviceId) {
    await this.face.output(deviceId === USUAL ? "" : deviceId);
    this.speaker = deviceId;
    this.turnVolume();
  }

  /** One's own voice, a quarter of a second late, is nothing to hear; a cable takes it to others. */
  turnVolume() {
    this.face.volume = this.stream && this.speaker === USUAL ? 0 : 1;
  }

  /** How loud the microphone is, with every picture of the screen. */
  measure() {
    const analyser = this.context.createAnalyser();
    analyser.fftSize = 1024;
    this.context.createMediaStreamSource(this.stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const look = () => {
      if (!this.stream) return;
      analyser.getFloatTimeDomainData(samples);
      const rms = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
      this.tell("level", { level: Math.min(1, Math.max(0, 1 + Math.log10(rms + 1e-6) / 2.5)) });
      requestAnimationFrame(look);
    };
    look();
  }

  close() {
    if (this.stream) this.deafen();
    this.face?.close();
    this.face = null;
  }
}

async function microphone(deviceId) {
  const wanted = { echoCancellation: false, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
  const named = deviceId && deviceId !== USUAL ? { deviceId: { exact: deviceId } } : {};
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: { ...wanted, ...named } });
  } catch (error) {
    const said = { NotAllowedError: "noMicrophonePermission", NotFoundError: "noMicrophone", NotReadableError: "microphoneTaken" };
    throw new Error(said[error.name] ? t(said[error.name]) : t("failed", { why: error.message }));
  }
}

/** What the state looks like, in words over the picture; nothing where the picture says it. */
export function notice(state, { code = "", message = "" } = {}) {
  const away = state === "away", failed = state === "failed";
  $("notice").hidden = !away && !failed;
  if (away) words(t("away"), t("awayHint"));
  if (failed && code === "resource_exhausted") words(t("full"), "");
  else if (failed && code === "not_found") words(t("gone"), "");
  else if (failed) words(t("refused", { why: message }), "");
}

function words(title, hint) {
  $("notice-title").textContent = title;
  sentence($("notice-hint"), hint);
}
