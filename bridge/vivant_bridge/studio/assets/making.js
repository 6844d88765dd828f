/** A picture becomes a face: dropped or chosen, consent asked once, and every stage shown. */

import { $, element, sentence } from "./dom.js";
import { name } from "./gallery.js";
import { made } from "./server.js";
import { has, t } from "./texts.js";

const ANSWERS = ["me", "agreed", "unreal", "synthetic", "other"];
const MOST_MB = 8; // as the door refuses more
const WHERE = { kinds: (event) => [...(event.dataTransfer?.types ?? [])], files: (event) => [...(event.dataTransfer?.files ?? [])] };

/** Take pictures that are dropped anywhere, or chosen by `browse`; `done` gets the id of the portrait that came of one. */
export class Making {
  constructor(done) {
    this.done = done;
    addEventListener("dragover", (event) => this.over(event));
    addEventListener("dragleave", (event) => { if (event.relatedTarget === null) $("drop").hidden = true; });
    addEventListener("drop", (event) => this.dropped(event));
    $("file").addEventListener("change", () => { this.begin([...$("file").files]); $("file").value = ""; });
    $("making-close").addEventListener("click", () => $("making").close());
    $("making").addEventListener("close", () => this.stop?.abort());
  }

  browse = () => $("file").click();

  over(event) {
    if (!WHERE.kinds(event).includes("Files")) return;
    event.preventDefault();
    $("drop").hidden = false;
  }

  dropped(event) {
    event.preventDefault();
    $("drop").hidden = true;
    const files = WHERE.files(event);
    if (files.length) this.begin(files);
  }

  async begin(files) {
    const [file, ...others] = files;
    this.show(file);
    if (others.length) return this.fail(t("notOne"));
    const mb = Math.ceil(file.size / 2 ** 20);
    if (mb > MOST_MB) return this.fail(t("tooLarge", { mb, most: MOST_MB }));
    try {
      await this.make(file, "");
    } catch (error) {
      if (error.name !== "AbortError") this.fail(error.message);
    }
  }

  show(file) {
    URL.revokeObjectURL($("making-picture").src);
    const address = URL.createObjectURL(file);
    for (const picture of [$("making-picture"), $("consent-picture")]) {
      picture.src = address;
      picture.hidden = false;
      picture.onerror = () => { picture.hidden = true; };
    }
    $("stages").replaceChildren();
    $("stages").classList.remove("stopped");
    $("making-title").textContent = t("makingTitle");
    $("making-close").textContent = t("cancel");
    sentence($("making-error"));
    if (!$("making").open) $("making").showModal();
    this.stage("reading");
  }

  async make(file, consent) {
    this.stop = new AbortController();
    for await (const said of made(file, consent, this.stop.signal)) {
      if (said.stage) this.stage(said.stage);
      if (said.error) throw new Error(said.error);
      if (said.ask) {
        const answer = await this.ask();
        if (answer) return this.make(file, answer);
        return $("making").close();
      }
      if (said.portrait) {
        $("making").close();
        name(said.portrait.id, file.name);
        return this.done(said.portrait.id);
      }
    }
  }

  stage(name) {
    const text = has(name) ? t(name) : name;
    if ($("stages").lastElementChild?.textContent !== text) $("stages").append(element("li", {}, text));
  }

  fail(text) {
    if (!$("making").open) $("making").showModal();
    $("stages").classList.add("stopped");
    $("making-title").textContent = t("madeFailed");
    $("making-close").textContent = t("close");
    sentence($("making-error"), text);
  }

  /** Who it shows: one of the answers, or "" when nobody says it. */
  ask() {
    const sheet = $("consent");
    $("consent-answers").replaceChildren(...ANSWERS.map((answer) => element("button", { value: answer }, t(`consent_${answer}`))));
    sheet.returnValue = "";
    sheet.showModal();
    return new Promise((resolve, reject) => {
      sheet.addEventListener("close", () => {
        if (sheet.returnValue === "other") reject(new Error(t("consentRefused")));
        else resolve(sheet.returnValue);
      }, { once: true });
    });
  }
}
