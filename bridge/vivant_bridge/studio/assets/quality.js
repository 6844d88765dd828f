/** How good the face is and how it runs: sounds to click, three small plots. */

import { $, all, element } from "./dom.js";
import { blobAddress, get } from "./server.js";
import { group, hint } from "./steer.js";
import { t } from "./texts.js";

const VISEMES = ["sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou"];
const KEPT = 60; // seconds
const SVG = "http://www.w3.org/2000/svg";

export class Quality {
  /** `live` is the face. */
  constructor(live) {
    this.live = live;
    this.plots = { fps: new Plot("fps", 40), lag: new Plot("lag", 400), cpu: new Plot("cpu", 100), detail: new Plot("detail", 2) };
    this.detail = element("p", { className: "hint" });
    $("quality").append(
      group("visemes", hint("visemesHint"), element("div", { className: "cells" }, ...VISEMES.map((name) => this.viseme(name)))),
      group("plots", ...Object.values(this.plots).map((plot) => plot.root), this.detail),
    );
    live.addEventListener("delay", ({ detail }) => this.plots.lag.add(detail.ms));
    live.addEventListener("statistics", ({ detail }) => {
      this.plots.fps.add(detail.fps);
      this.plots.detail.add(detail.detail);
      this.detail.textContent = t(`detail_${detail.detail}`);
      this.askCpu();
    });
    live.addEventListener("state", () => this.back());
  }

  async askCpu() {
    const figures = await get("/studio/figures").catch(() => null);
    if (!figures) return;
    this.plots.cpu.add(figures.cpu_percent);
    this.live.tell("figures", figures);
  }

  viseme(name) {
    return element("button", {
      className: "soft", type: "button", data: { viseme: name }, aria: { pressed: "false", label: t("viseme", { name }) },
      onclick: (event) => this.show(name, event.currentTarget),
    }, name);
  }

  /** The face makes a sound until it is clicked again. */
  async show(name, button) {
    const wasOn = button.getAttribute("aria-pressed") === "true";
    this.back();
    if (wasOn) return;
    const picture = await blobAddress(`/studio/portraits/${this.live.portrait.id}/viseme/${name}.jpg`);
    button.setAttribute("aria-pressed", "true");
    $("still").src = picture;
    $("frame").classList.add("sound");
  }

  back() {
    for (const button of all("[data-viseme]")) button.setAttribute("aria-pressed", "false");
    $("frame").classList.remove("sound");
  }
}

/** The last minute of one figure. */
class Plot {
  constructor(name, most) {
    this.name = t(`plot_${name}`);
    this.most = most;
    this.values = [];
    this.now = element("output", {}, "–");
    this.line = document.createElementNS(SVG, "polyline");
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("viewBox", `0 0 ${KEPT - 1} 100`);
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.svg.setAttribute("role", "img");
    this.svg.setAttribute("aria-label", this.name);
    this.svg.append(this.line);
    this.root = element("div", { className: "plot" }, element("span", {}, this.name), this.now, this.svg);
  }

  add(value) {
    this.values = [...this.values, value].slice(-KEPT);
    const most = Math.max(this.most, ...this.values) * 1.1;
    const first = KEPT - this.values.length;
    this.line.setAttribute("points", this.values.map((each, i) => `${first + i},${100 - (100 * each) / most}`).join(" "));
    this.now.textContent = String(Math.round(value));
    this.svg.setAttribute("aria-label", t("plotNow", { name: this.name, value: Math.round(value) }));
  }
}
