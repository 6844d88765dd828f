/** Whoever reaches the studio from another machine shows its token first. */

import { $, sentence } from "./dom.js";
import { get, keepToken, token } from "./server.js";
import { t } from "./texts.js";

/** An address may end in #token=...: what follows # is told to no server and to no other page, and is gone from it at once. */
function takeToken() {
  const [, said] = /^#token=(.+)$/.exec(location.hash) ?? [];
  if (!said) return;
  keepToken(decodeURIComponent(said));
  history.replaceState(null, "", location.pathname);
}

/** Whether the studio wants another token than the one that this page has. */
async function isRefused() {
  return get("/studio/about").then(() => false, ({ code }) => code === "unauthenticated");
}

/** Until the studio lets this page in; at once where it asks for nothing. */
export async function admitted() {
  takeToken();
  while (await isRefused()) {
    sentence($("door-error"), token() && t("doorRefused"));
    document.body.dataset.view = "door";
    await said();
  }
  document.body.dataset.view = "gallery";
}

/** A token that somebody has typed. @returns {Promise<void>} */
function said() {
  $("token").focus();
  return new Promise((resolve) => {
    $("door-form").addEventListener("submit", (event) => {
      event.preventDefault();
      keepToken($("token").value.trim());
      $("token").value = "";
      resolve();
    }, { once: true });
  });
}
