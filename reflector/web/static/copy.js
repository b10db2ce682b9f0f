// Copy the text or the link of a recording. Browsers give no clipboard to pages without TLS: there the text is selected.

import { open, showProblem } from "./dialogs.js";
import { api, byId } from "./dom.js";

const dialog = byId("copy");
const box = byId("copy-text");

async function load(base) {
  showProblem(dialog, null);
  byId("copy-said").textContent = "";
  box.value = "";
  try {
    const answer = await api(`${base}?transcript_format=${byId("copy-format").value}`);
    const text = answer.transcript;
    box.value = typeof text === "string" ? text : JSON.stringify(text, null, 2);
  } catch (error) {
    showProblem(dialog, error.message);
  }
}

async function copy() {
  box.select();
  try {
    await navigator.clipboard.writeText(box.value);
    byId("copy-said").textContent = "Copied.";
  } catch {
    byId("copy-said").textContent = "This browser does not let the page copy. The text is selected: press Ctrl+C.";
  }
}

/** @param {string} base the path of the recording */
export function listenToCopy(base) {
  byId("copy-open").addEventListener("click", () => {
    byId("copy-title").textContent = "Copy the transcript";
    byId("copy-format-label").hidden = false;
    open(dialog);
    load(base);
  });
  byId("copy-format").addEventListener("change", () => load(base));
  byId("copy-link").addEventListener("click", () => {
    byId("copy-title").textContent = "Copy the link";
    byId("copy-format-label").hidden = true;
    byId("copy-said").textContent = "";
    box.value = `${location.origin}${location.pathname}`;
    open(dialog);
    box.select();
  });
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    copy();
  });
}
