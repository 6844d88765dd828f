/** What the face is for: a camera, OBS, another avatar, films; and what is missing for it. */

import { $, all, element, sentence, whole } from "./dom.js";
import { USUAL } from "./live.js";
import { blobAddress, get, post } from "./server.js";
import { group, hint } from "./steer.js";
import { t } from "./texts.js";

const AVATARS = ["none", "vmc", "vtube-studio", "live-link-face", "ifacialmocap"];
/** Firefox and Safari let no page do it. */
const choosesSpeaker = () => "setSinkId" in AudioContext.prototype;

/** `live` is the face; `note` writes a line of the log. */
export class Use {
  constructor(live, note) {
    this.live = live;
    this.note = note;
    this.camera = element("button", { className: "soft", type: "button", id: "camera", aria: { pressed: "false" }, onclick: () => this.switchCamera() }, t("cameraStart"));
    this.said = element("p", { className: "hint", role: "status" });
    this.wrong = element("p", { className: "error", role: "alert", hidden: true });
    $("use").append(
      group("camera", hint("cameraHint"), this.camera, this.said, this.wrong,
        this.devices("microphone-choice", "microphoneChoice", "audioinput"),
        this.devices("speaker-choice", "speakerChoice", "audiooutput"), hint(choosesSpeaker() ? "speakerHint" : "speakerFixed")),
      group("doctor", this.doctor()),
      group("obs", hint("obsHint"), this.address()),
      group("motion", hint("motionHint"), this.avatar()),
      group("recordings", this.films()),
      group("log", element("ol", { className: "log", id: "log" }, element("li", {}, t("logEmpty")))),
    );
    $("speaker-choice").disabled = !choosesSpeaker();
    $("speaker-choice").addEventListener("change", () => this.chooseSpeaker());
    navigator.mediaDevices?.addEventListener("devicechange", () => this.list());
    live.addEventListener("figures", ({ detail }) => this.figures(detail));
    this.list();
    this.showAddress();
  }

  devices(id, title, kind) {
    const select = element("select", { id, data: { kind } }, element("option", { value: USUAL }, t("choice_default")));
    return element("div", { className: "field" }, element("label", { htmlFor: id }, t(title)), select);
  }

  /** What the browser knows of; names come once it was allowed to hear. */
  async list() {
    const known = await navigator.mediaDevices?.enumerateDevices().catch(() => []) ?? [];
    for (const select of all("select[data-kind]")) {
      const chosen = select.value;
      const named = known.filter(({ kind, label, deviceId }) => kind === select.dataset.kind && label && deviceId !== USUAL);
      const options = named.map(({ deviceId, label }) => element("option", { value: deviceId }, label));
      select.replaceChildren(element("option", { value: USUAL }, t("choice_default")), ...options);
      if ([...select.options].some(({ value }) => value === chosen)) select.value = chosen;
    }
  }

  async chooseSpeaker() {
    sentence(this.wrong);
    try {
      await this.live.output($("speaker-choice").value);
    } catch (error) {
      $("speaker-choice").value = this.live.speaker;
      sentence(this.wrong, t("failed", { why: error.message }));
    }
  }

  async switchCamera() {
    const on = this.camera.getAttribute("aria-pressed") !== "true";
    sentence(this.wrong);
    try {
      this.showCamera(await post("/studio/camera", { on }));
      this.note(on ? "log_cameraOn" : "log_cameraOff");
    } catch (error) {
      sentence(this.wrong, error.message);
    }
  }

  showCamera({ on }) {
    this.camera.setAttribute("aria-pressed", String(on));
    this.camera.textContent = t(on ? "cameraStop" : "cameraStart");
    this.said.textContent = on ? t("cameraOn", { name: this.live.portrait.name }) : "";
  }

  /** What the studio says once a second. */
  figures({ camera_fps, said }) {
    const isOn = camera_fps !== null;
    if (isOn !== (this.camera.getAttribute("aria-pressed") === "true")) this.showCamera({ on: isOn });
    if (isOn) this.said.textContent = t("cameraFps", { fps: Math.round(camera_fps) });
    for (const text of said) writeLog("log_said_by_studio", { text });
  }

  doctor() {
    const list = element("ul", { className: "findings", aria: { live: "polite" } });
    const look = async () => {
      list.replaceChildren(element("li", {}, t("doctorWait")));
      try {
        list.replaceChildren(...(await get("/studio/doctor")).findings.map(finding));
      } catch (error) {
        list.replaceChildren(element("li", { className: "bad" }, error.message));
      }
    };
    return element("div", { className: "group" }, list, element("button", { className: "soft", type: "button", onclick: look, id: "doctor" }, t("doctorRun")));
  }

  address() {
    const input = element("input", { type: "text", readOnly: true, id: "obs-address", aria: { label: t("obsAddress") } });
    return element("div", { className: "copyable" }, input, copyButton(() => input.value));
  }

  async showAddress() {
    const { key } = await get("/studio/obs");
    $("obs-address").value = `${location.origin}/obs#${key}`;
  }

  avatar() {
    const select = element("select", { id: "avatar", aria: { label: t("motion") } }, ...AVATARS.map((kind) => element("option", { value: kind }, t(`motion_${kind}`))));
    const wrong = element("p", { className: "error", role: "alert", hidden: true });
    select.addEventListener("change", async () => {
      sentence(wrong);
      await post("/studio/motion", { to: select.value }).catch((error) => { select.value = "none"; sentence(wrong, error.message); });
    });
    return element("div", { className: "group" }, select, wrong);
  }

  films() {
    return element("ul", { className: "films", id: "films" }, element("li", { className: "hint" }, t("recordingsEmpty")));
  }

  /** A film is there. */
  async addFilm({ name, address }) {
    const film = await blobAddress(address);
    const video = element("video", { src: film, controls: true, playsInline: true, aria: { label: t("play", { name }) } });
    const link = element("a", { href: film, download: name }, t("download", { name }));
    $("films").querySelector(".hint")?.remove();
    $("films").prepend(element("li", {}, video, link));
  }
}

function finding({ good, what, fix }) {
  const item = element("li", { className: good ? "" : "bad" }, whole(what));
  if (fix) item.append(element("span", { className: "copyable" }, element("code", {}, fix), copyButton(() => fix)));
  return item;
}

function copyButton(text) {
  const button = element("button", { className: "soft", type: "button" }, t("copy"));
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text());
    button.textContent = t("copied");
    setTimeout(() => { button.textContent = t("copy"); }, 2000);
  });
  return button;
}

/** A line of what happened. */
export function writeLog(key, values = {}) {
  const log = $("log");
  if (log.querySelector("time") === null) log.replaceChildren();
  const now = new Date();
  const time = element("time", { dateTime: now.toISOString() }, now.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" }));
  log.prepend(element("li", {}, time, element("span", {}, t(key, values))));
}
