/** What is behind the person, and where the label is. */

import { $, all, element, sentence } from "./dom.js";
import { putBackground } from "./server.js";
import { group, hint } from "./steer.js";
import { t } from "./texts.js";

const BACKGROUNDS = ["original", "blur", "color", "picture", "transparent"];
const CORNERS = ["auto", "top left", "top right", "bottom left", "bottom right"];
export const PLAIN = { background: "original", label_corner: "auto" };

/** `changed` gets what is to be shown: {background, label_corner}. */
export class Look {
  constructor(changed) {
    this.changed = changed;
    this.stage = { ...PLAIN };
    this.colour = element("input", { type: "color", value: "#2f5d50", aria: { label: t("colour") } });
    this.colour.addEventListener("input", () => this.set({ background: this.colour.value }));
    this.file = element("input", { type: "file", accept: "image/*", hidden: true });
    this.file.addEventListener("change", () => this.putPicture());
    this.wrong = element("p", { className: "error", role: "alert", hidden: true });
    $("look").append(
      group("background", hint("backgroundHint"), this.choices("background", BACKGROUNDS, (kind) => this.choose(kind)), this.colour, this.file, this.wrong),
      group("label", hint("labelHint"), this.choices("corner", CORNERS, (label_corner) => this.set({ label_corner }))),
    );
    this.show();
  }

  choose(kind) {
    sentence(this.wrong);
    if (kind === "picture") this.file.click();
    else this.set({ background: kind === "color" ? this.colour.value : kind });
  }

  async putPicture() {
    try {
      this.set({ background: await putBackground(this.file.files[0]) });
    } catch (error) {
      sentence(this.wrong, error.message);
    }
    this.file.value = "";
  }

  choices(name, kinds, choose) {
    const buttons = kinds.map((kind) => element("button", {
      className: "soft", type: "button", data: { [name]: kind }, aria: { pressed: "false" }, onclick: () => choose(kind),
    }, t(`${name}_${kind}`)));
    return element("div", { className: "row" }, ...buttons);
  }

  /** What is kept of it: a picture goes with the page. */
  get kept() {
    return this.stage.background.startsWith("picture") ? { ...this.stage, background: PLAIN.background } : this.stage;
  }

  set(stage) {
    Object.assign(this.stage, stage);
    this.show();
    this.changed({ ...this.stage });
  }

  take(stage) {
    this.stage = { ...PLAIN, ...stage };
    this.show();
  }

  show() {
    const { background, label_corner } = this.stage;
    const isColour = background.startsWith("#");
    if (isColour) this.colour.value = background;
    this.colour.hidden = !isColour;
    press("background", isColour ? "color" : background.split(" ")[0]);
    press("corner", label_corner);
    $("frame").classList.toggle("clear", background === "transparent");
  }
}

function press(name, kind) {
  for (const button of all(`[data-${name}]`))
    button.setAttribute("aria-pressed", String(button.dataset[name] === kind));
}
