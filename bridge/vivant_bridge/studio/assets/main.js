/** The page: one screen, a gallery and a face. */

import { admitted } from "./admission.js";
import { $, all, drawing, sentence } from "./dom.js";
import { Gallery } from "./gallery.js";
import * as icons from "./icons.js";
import { Live, notice } from "./live.js";
import { Look } from "./look.js";
import { Making } from "./making.js";
import { Quality } from "./quality.js";
import { get, post, put, spoken } from "./server.js";
import { EMOTIONS, Steer } from "./steer.js";
import { fill, t } from "./texts.js";
import { Use, writeLog } from "./use.js";

const SAVED_AFTER_MS = 500;

class Studio {
  /** The page's one, from the first face on. @type {AudioContext} */
  context;

  constructor() {
    this.live = new Live();
    this.gallery = new Gallery({ choose: (portrait) => this.enter(portrait, { speak: true }), browse: () => this.making.browse() });
    this.making = new Making((id) => this.born(id));
    this.steer = new Steer({ changed: (controls) => this.steered(controls), acted: (act) => this.live.act(act) });
    this.look = new Look((stage) => this.staged(stage));
    this.use = new Use(this.live, writeLog);
    this.quality = new Quality(this.live);
    this.bar();
    this.tabs();
    this.listen();
    addEventListener("keydown", (event) => this.key(event));
    addEventListener("hashchange", () => this.route());
  }

  async start() {
    await this.gallery.load();
    await this.offerSay();
  }

  /** The address names the portrait, so that a reload and the back button find it. */
  async route() {
    const id = decodeURIComponent(location.hash.slice(1));
    if (id === (this.live.portrait?.id ?? "") && (id !== "") === (document.body.dataset.view === "studio")) return;
    const portrait = this.gallery.find(id);
    if (portrait) await this.enter(portrait);
    else this.leave();
  }

  /** Show the face; with `speak` it says the bundled lines as soon as it is awake. */
  async enter(portrait, { speak = false } = {}) {
    this.context ??= audioContext();
    this.speakWhenReady = speak;
    this.live.portrait = portrait;
    this.live.turn("waking");
    document.body.dataset.view = "studio";
    $("gallery").hidden = true;
    $("studio").hidden = false;
    $("name").textContent = portrait.name;
    $("name").focus();
    document.title = `${portrait.name} · ${t("title")}`;
    $("still").src = await this.gallery.picture(portrait);
    if (location.hash.slice(1) !== portrait.id) history.pushState(null, "", `#${portrait.id}`);
    const preset = await get(`/studio/presets/${portrait.id}`).catch(() => ({}));
    this.steer.take(preset.controls ?? {});
    this.look.take(preset.stage ?? {});
    this.live.open(portrait, { controls: this.steer.controls, stage: this.look.stage }, this.context);
    writeLog("log_opened", { name: portrait.name });
  }

  leave() {
    this.live.close();
    this.live.portrait = null;
    document.body.dataset.view = "gallery";
    $("studio").hidden = true;
    $("gallery").hidden = false;
    document.title = t("title");
    if (location.hash) history.pushState(null, "", location.pathname);
    this.gallery.wake();
  }

  async born(id) {
    await this.gallery.load();
    await this.enter(this.gallery.find(id), { speak: true });
    writeLog("log_made");
  }

  steered(controls) {
    this.live.steer({ ...controls });
    this.save();
  }

  staged(stage) {
    this.live.restage(stage);
    this.save();
  }

  /** The preset of this portrait, when nothing has moved for a moment. */
  save() {
    clearTimeout(this.saving);
    const { id } = this.live.portrait;
    const preset = { controls: this.steer.controls, stage: this.look.kept };
    this.saving = setTimeout(() => put(`/studio/presets/${id}`, preset).catch(() => null), SAVED_AFTER_MS);
  }

  bar() {
    for (const [id, icon] of [["speak", icons.SPEAK], ["microphone", icons.MICROPHONE], ["record", icons.RECORD]])
      $(id).querySelector(".icon").append(drawing(icon));
    $("to-gallery").addEventListener("click", () => this.leave());
    $("speak").addEventListener("click", () => this.speakOrStop());
    $("microphone").addEventListener("click", () => this.talk());
    $("record").addEventListener("click", () => this.record());
    $("say").addEventListener("submit", (event) => { event.preventDefault(); this.say(); });
  }

  /** The box is there when a voice is; below it stands whose it is, or what brings one. */
  async offerSay() {
    const { voice, bringing } = await get("/studio/say");
    $("say").hidden = voice === null;
    sentence($("say-hint"), voice === null ? t("sayNone", { command: bringing }) : t("sayVoice", { voice }));
  }

  say() {
    const text = $("say-text").value.trim();
    return text && this.trying(async () => {
      await this.live.soundRuns();
      const { samples, id } = await spoken(text, this.context.sampleRate);
      this.live.say(samples, { text, id });
      $("say-text").select();
      writeLog("log_said");
    });
  }

  speakOrStop() {
    return this.trying(async () => (this.live.state === "speaking" ? this.live.stop() : this.live.speak()));
  }

  talk() {
    return this.trying(async () => {
      if (this.live.stream) return this.live.deafen();
      await this.live.listen();
      return this.use.list();
    });
  }

  record() {
    return this.trying(async () => {
      const on = $("record").getAttribute("aria-pressed") !== "true";
      const film = await post("/studio/recording", { on });
      this.showRecording(on);
      if (on) {
        writeLog("log_recording");
        return;
      }
      writeLog("log_recorded", { s: film.seconds });
      await this.use.addFilm(film);
      $("tab-use").click();
      $("films").scrollIntoView({ block: "nearest" });
    });
  }

  showRecording(on) {
    $("record").setAttribute("aria-pressed", String(on));
    $("record").querySelector(".word").textContent = t(on ? "recordStop" : "record");
  }

  /** Do it; what goes wrong is said below the buttons. */
  async trying(work) {
    sentence($("bar-error"));
    try {
      await work();
    } catch (error) {
      sentence($("bar-error"), error.message);
    }
  }

  listen() {
    const { live } = this;
    const on = (type, hear) => live.addEventListener(type, (event) => hear(/** @type {CustomEvent} */ (event).detail));
    on("state", (detail) => this.state(detail));
    on("log", ({ key }) => writeLog(key));
    on("level", ({ level }) => { $("level").value = level; });
    on("trouble", ({ message }) => sentence($("bar-error"), message));
    on("delay", ({ ms }) => {
      $("delay").textContent = t("delay", { ms: Math.round(ms) });
      $("delay").hidden = live.state !== "live";
    });
  }

  state(detail) {
    const { state } = detail;
    $("frame").dataset.state = state;
    $("studio").dataset.live = String(state === "live");
    notice(state, detail);
    const said = ["waking", "ready", "speaking", "live"].includes(state) ? t(state, { name: this.live.portrait.name }) : "";
    $("status").textContent = said;
    $("microphone").setAttribute("aria-pressed", String(state === "live"));
    $("microphone").querySelector(".word").textContent = t(state === "live" ? "microphoneOff" : "microphone");
    $("speak").querySelector(".word").textContent = t(state === "speaking" ? "stop" : "speak");
    $("speak").querySelector("path").setAttribute("d", state === "speaking" ? icons.STOP : icons.SPEAK);
    for (const id of ["speak", "microphone", "record"]) $(id).disabled = ["waking", "away", "failed"].includes(state);
    if (state !== "live") $("delay").hidden = true;
    if (state === "away") this.showRecording(false);
    if (state === "ready" && this.speakWhenReady) {
      this.speakWhenReady = false;
      this.speakOrStop();
    }
  }

  tabs() {
    const tabs = all("[role=tab]");
    const choose = (chosen) => {
      for (const tab of tabs) {
        const is = tab === chosen;
        tab.setAttribute("aria-selected", String(is));
        tab.tabIndex = is ? 0 : -1;
        $(tab.getAttribute("aria-controls")).hidden = !is;
      }
      if (chosen.id === "tab-use" && !$("use").querySelector(".findings li")) $("doctor").click();
    };
    for (const [i, tab] of tabs.entries()) {
      tab.addEventListener("click", () => choose(tab));
      tab.addEventListener("keydown", ({ key }) => {
        const step = { ArrowRight: 1, ArrowLeft: tabs.length - 1 }[key];
        if (!step) return;
        const next = tabs[(i + step) % tabs.length];
        choose(next);
        next.focus();
      });
    }
  }

  key(event) {
    const isTyping = event.target.matches("input:not([type=range]):not([type=checkbox]), select, textarea");
    if (isTyping || event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
    if (document.body.dataset.view !== "studio") return;
    const mood = EMOTIONS[Number(event.key) - 1];
    if (mood) this.steer.set({ emotion: mood });
    else if (event.key === "Escape") this.leave();
    else if (event.key === "m") $("microphone").click();
    else if (event.key === "r") $("record").click();
    else if (event.key === " " && !event.target.matches("button, input, a, video")) {
      event.preventDefault();
      $("speak").click();
    }
  }
}

const MOST_HZ = 48_000; // that the door takes

/** The page's one AudioContext. */
function audioContext() {
  const usual = new AudioContext({ latencyHint: "interactive" });
  if (usual.sampleRate <= MOST_HZ) return usual;
  usual.close();
  return new AudioContext({ latencyHint: "interactive", sampleRate: MOST_HZ });
}

/** What a live face needs and this browser lacks. */
function missing() {
  const needed = {
    WebSocket: "WebSocket" in window, AudioWorklet: "AudioWorkletNode" in window, createImageBitmap: "createImageBitmap" in window,
    dialog: "HTMLDialogElement" in window, microphone: "mediaDevices" in navigator, TextDecoderStream: "TextDecoderStream" in window,
  };
  return Object.keys(needed).filter((name) => !needed[name]);
}

fill();
const lacking = missing();
if (lacking.length) {
  sentence($("old"), t("old", { what: lacking.join(", ") }));
  document.querySelector("main").hidden = true;
} else {
  await admitted();
  const studio = new Studio();
  await studio.start();
  await studio.route();
}
