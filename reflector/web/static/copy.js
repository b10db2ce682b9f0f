// Copy the text or the link of a recording. Browsers give no clipboard to pages without TLS: there the text is selected.

import { copyFrom } from "./copy_field.js";
import { open, showProblem } from "./dialogs.js";
import { at, byId, fetchText } from "./dom.js";
import { t } from "./text.js";

const dialog = byId("copy");
const box = byId("copy-text");

let loads = 0;

async function load(base) {
  loads += 1;
  const own = loads;
  showProblem(dialog, null);
  say("");
  box.value = "";
  try {
    const wanted = new URLSearchParams({ names: byId("copy-names").checked, times: byId("copy-times").checked });
    const path = `${base}/export/${byId("copy-format").value}?${wanted}`;
    byId("copy-download").href = at(path);
    const text = await fetchText(path);
    if (own === loads) box.value = text; // else somebody has chosen another format since
  } catch (error) {
    if (own === loads) showProblem(dialog, error.message);
  }
}

const say = (/** @type {string} */ text) => {
  byId("copy-said").textContent = text;
};

/** @param {string} base the path of the recording */
export function listenToCopy(base) {
  byId("copy-open").addEventListener("click", () => {
    byId("copy-title").textContent = t("Copy the transcript");
    byId("copy-options").hidden = false;
    open(dialog);
    load(base);
  });
  byId("copy-options").addEventListener("change", () => load(base));
  byId("copy-link").addEventListener("click", () => {
    byId("copy-title").textContent = t("Copy the link");
    byId("copy-options").hidden = true;
    say("");
    box.value = `${location.origin}${location.pathname}`;
    open(dialog);
    box.select();
  });
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    copyFrom(box, say);
  });
}
