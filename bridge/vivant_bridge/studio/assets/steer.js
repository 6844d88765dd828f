/** Steering: eight moods, acts, a pad for the gaze, sliders. */

import { $, all, drawing, element } from "./dom.js";
import { MOODS } from "./icons.js";
import { t } from "./texts.js";

export const EMOTIONS = Object.keys(MOODS);
const ACTS = ["nod", "shake", "tilt", "think", "laugh"];
/** What is written in `vivant.types.Controls`; distance is turned so that right is nearer. */
const SLIDERS = {
  intensity: [0, 2, 0.05], head_motion: [0, 2, 0.05], mouth: [0, 2, 0.05], eye_contact: [0, 1, 0.01], distance: [0.8, 1.25, 0.01],
};
/** @type {import("/client/vivant.js").Controls} */
export const START = {
  emotion: "neutral", gaze: [0, 0], distance: 1, intensity: 1, head_motion: 1, mouth: 1, singing: false, eye_contact: 0.8125,
};
const MOST_DEG = 30;
/** Of what a face may look aside with grace; chosen by eye. */
const PAD_DEG = [25, 16];

/** The page of the panel. `changed` gets the controls that are new, `acted` an act. */
export class Steer {
  constructor({ changed, acted }) {
    this.changed = changed;
    this.controls = { ...START };
    this.pad = new Pad((gaze) => this.set({ gaze }));
    $("steer").append(
      group("emotion", element("div", { className: "moods" }, ...EMOTIONS.map((mood, i) => this.mood(mood, i + 1)))),
      group("gaze", this.pad.root, hint("gazeHint")),
      group(null, ...Object.keys(SLIDERS).map((name) => this.slider(name)), this.singing()),
      group("act", element("div", { className: "row" }, ...ACTS.map((act) => element("button", {
        className: "soft", type: "button", onclick: () => acted(act),
      }, t(`act_${act}`))))),
      element("button", { className: "soft", type: "button", onclick: () => this.set({ ...START }) }, t("reset")),
      hint("keys"),
    );
    this.show();
  }

  set(controls) {
    Object.assign(this.controls, controls);
    this.show();
    this.changed(controls);
  }

  /** Other controls without telling anybody: those of a preset. */
  take(controls) {
    this.controls = { ...START, ...controls };
    this.show();
  }

  mood(mood, key) {
    return element("button", {
      className: "mood", type: "button", data: { mood }, aria: { pressed: "false", keyshortcuts: String(key) },
      onclick: () => this.set({ emotion: mood }),
    }, element("kbd", { className: "key", aria: { hidden: "true" } }, String(key)), drawing(MOODS[mood], 32), t(`emotion_${mood}`));
  }

  slider(name) {
    const [min, max, step] = SLIDERS[name];
    const input = element("input", { type: "range", min, max, step, id: `control-${name}` });
    input.addEventListener("input", () => this.set({ [name]: name === "distance" ? mirrored(input) : input.valueAsNumber }));
    const label = element("label", { htmlFor: input.id }, t(name));
    return element("div", { className: "slider" }, label, element("output", { htmlFor: input.id }), input);
  }

  singing() {
    const input = element("input", { type: "checkbox", id: "control-singing" });
    input.addEventListener("change", () => this.set({ singing: input.checked }));
    return element("label", { className: "check" }, input, t("singing"), element("span", { className: "hint" }, t("singingHint")));
  }

  show() {
    for (const button of all("[data-mood]"))
      button.setAttribute("aria-pressed", String(button.dataset.mood === this.controls.emotion));
    for (const [name, [min, max]] of Object.entries(SLIDERS)) {
      const input = $(`control-${name}`), value = this.controls[name];
      input.value = name === "distance" ? min + max - value : value;
      input.parentElement.querySelector("output").textContent = `${Math.round(100 * value)} %`;
    }
    $("control-singing").checked = this.controls.singing;
    this.pad.show(this.controls.gaze);
  }
}

const mirrored = (input) => Number((Number(input.min) + Number(input.max) - input.valueAsNumber).toFixed(3));

/** A pad for (yaw, pitch): dragged, or moved by two sliders that only the keyboard meets. */
class Pad {
  constructor(changed) {
    this.changed = changed;
    this.dot = element("span", { className: "pad-dot" });
    this.axes = ["gazeYaw", "gazePitch"].map((name, axis) => this.axis(name, axis));
    this.root = element("div", { className: "pad", id: "pad" }, this.dot, ...this.axes);
    this.root.addEventListener("pointerdown", (event) => { this.root.setPointerCapture(event.pointerId); this.drag(event); });
    this.root.addEventListener("pointermove", (event) => { if (event.buttons) this.drag(event); });
    this.root.addEventListener("dblclick", () => this.changed([0, 0]));
  }

  axis(name, axis) {
    const input = element("input", {
      type: "range", min: -PAD_DEG[axis], max: PAD_DEG[axis], step: 1, aria: { label: t(name) },
    });
    input.addEventListener("input", () => this.changed(this.axes.map((each) => each.valueAsNumber)));
    input.addEventListener("keydown", (event) => this.arrow(event));
    return input;
  }

  /** Either slider takes all four arrows. */
  arrow(event) {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [0, 0];
    if (!dx && !dy) return;
    event.preventDefault();
    const [x, y] = this.axes.map((each) => each.valueAsNumber);
    this.changed([bounded(x + 2 * dx, PAD_DEG[0]), bounded(y + 2 * dy, PAD_DEG[1])]);
  }

  drag(event) {
    const box = this.root.getBoundingClientRect();
    const x = (2 * (event.clientX - box.left)) / box.width - 1, y = 1 - (2 * (event.clientY - box.top)) / box.height;
    this.changed([Math.round(bounded(x, 1) * PAD_DEG[0]), Math.round(bounded(y, 1) * PAD_DEG[1])]);
  }

  show([yaw, pitch]) {
    this.axes.forEach((input, axis) => {
      const value = bounded([yaw, pitch][axis], MOST_DEG);
      input.valueAsNumber = value;
      input.setAttribute("aria-valuetext", t("degrees", { value }));
    });
    this.dot.style.left = `${50 + (50 * yaw) / PAD_DEG[0] * 0.9}%`;
    this.dot.style.top = `${50 - (50 * pitch) / PAD_DEG[1] * 0.9}%`;
  }
}

const bounded = (value, most) => Math.min(most, Math.max(-most, value));

/** Things that belong together, under a heading. */
export function group(title, ...children) {
  const heading = title ? [element("h2", {}, t(title))] : [];
  return element("section", { className: "group" }, ...heading, ...children);
}

export const hint = (key) => element("p", { className: "hint" }, t(key));
