/** The wall of portraits: each is still at first and moves as soon as its film is there. */

import { $, element, sentence } from "./dom.js";
import { blobAddress, get, keepClientName, remove } from "./server.js";
import { t } from "./texts.js";

const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** `choose` is called with a portrait, `browse` when a picture of one's own is wanted. */
export class Gallery {
  constructor({ choose, browse }) {
    this.choose = choose;
    this.browse = browse;
    this.portraits = [];
    this.films = new Map();
  }

  /** Ask for the portraits and hang them. */
  async load() {
    const isHere = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
    $("gallery-hint").textContent = isHere ? t("galleryHint") : t("galleryHintElsewhere", { host: location.hostname });
    try {
      const [{ portraits, client }, about] = await Promise.all([get("/v1/portraits"), get("/studio/about")]);
      keepClientName(client);
      this.portraits = portraits.map(({ portrait, bundled }) => ({
        id: portrait, bundled: Boolean(bundled), name: titleOf(portrait, bundled), about: about[portrait] ?? "",
      }));
      this.portraits.sort((one, other) => rank(one) - rank(other));
      sentence($("gallery-error"), this.portraits.length ? "" : t("galleryEmpty"));
    } catch {
      sentence($("gallery-error"), t("galleryFailed"));
    }
    this.hang();
    this.wake();
  }

  /** A film over the still picture, which fades in: its frame is closer. */
  async lay(id, film) {
    const frame = $("cards").querySelector(`[data-portrait="${CSS.escape(id)}"] .card-frame`);
    const picture = element("img", { className: "card-picture card-film", alt: "", src: film });
    await picture.decode().catch(() => null);
    frame?.append(picture);
  }

  find = (id) => this.portraits.find((portrait) => portrait.id === id);

  /** A portrait's film, or else its still picture. */
  async picture({ id, bundled }) {
    if (this.films.has(id)) return this.films.get(id);
    return bundled ? own(id) : blobAddress(`/studio/portraits/${id}/still.jpg`).catch(() => "");
  }

  hang() {
    $("cards").replaceChildren(this.ownCard(), ...this.portraits.map((portrait) => this.card(portrait)));
  }

  card(portrait) {
    const picture = element("img", { className: "card-picture", alt: "", width: 256, height: 256, decoding: "async", hidden: true });
    this.picture(portrait).then((src) => Object.assign(picture, { src, hidden: !src }));
    const name = element("span", { className: "card-name" }, portrait.name);
    const frame = element("span", { className: "card-frame" }, picture);
    const button = element("button", {
      className: "card-button", type: "button", aria: { label: t("speakAs", { name: portrait.name }) },
      title: portrait.about, onclick: () => this.choose(portrait),
    }, frame, name);
    const card = element("li", { className: "card", data: { portrait: portrait.id } }, button);
    if (!portrait.bundled) card.append(this.removal(portrait));
    return card;
  }

  removal(portrait) {
    return element("button", {
      className: "card-remove", type: "button", aria: { label: t("remove", { name: portrait.name }) },
      onclick: async () => {
        await remove(`/v1/portraits/${portrait.id}`).catch(() => null);
        await this.load();
        $("gallery-title").focus();
      },
    }, "×");
  }

  ownCard() {
    const inside = element("span", { className: "card-frame" },
      element("span", { className: "card-plus", aria: { hidden: "true" } }, "+"),
      element("span", { className: "hint" }, t("yourPictureHint")));
    const button = element("button", { className: "card-button", type: "button", onclick: () => this.browse() },
      inside, element("span", { className: "card-name" }, t("yourPicture")));
    return element("li", { className: "card card-new" }, button);
  }

  /** Set them in motion, one after another, unless somebody wants calm. */
  async wake() {
    for (const portrait of this.portraits) {
      if (document.body.dataset.view !== "gallery") return;
      if (this.films.has(portrait.id) || (calm.matches && portrait.bundled)) continue;
      const kind = calm.matches ? "still.jpg" : "alive.webp";
      const film = await blobAddress(`/studio/portraits/${portrait.id}/${kind}`).catch(() => null);
      if (film === null) continue;
      this.films.set(portrait.id, film);
      this.lay(portrait.id, film);
    }
  }
}

/** A bundled portrait as it came, before anything is drawn. */
const own = (id) => `/v1/portraits/${id}/picture`;

/** One's own hang first, then old masters. */
const rank = ({ bundled, about }) => (bundled ? 1 + Number(!about || about.startsWith("nobody")) : 0);

const NAMES = "vivant-names";

/** What people call it: a bundled name made readable, or the name of the file, which never leaves this page. */
function titleOf(id, bundled) {
  const own = JSON.parse(sessionStorage.getItem(NAMES) ?? "{}")[id];
  const words = id.split("_").map((word) => word[0].toUpperCase() + word.slice(1)).join(" ");
  return bundled ? words.replace(/ (Painting|Ink)$/, (_, how) => `, ${how.toLowerCase()}`) : own ?? t("yourPicture");
}

/** A new portrait of one's own is called like its file. */
export function name(id, fileName) {
  const names = JSON.parse(sessionStorage.getItem(NAMES) ?? "{}");
  names[id] = fileName.replace(/\.[^.]*$/, "").slice(0, 40) || t("yourPicture");
  sessionStorage.setItem(NAMES, JSON.stringify(names));
}
