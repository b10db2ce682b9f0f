// The dialogs of a recording: its title, process again, delete.

import { nameLanguages } from "./dates.js";
import { api, at, byId, send } from "./dom.js";
import { listenToLimits, loadTemplates, saveOptions, showOptions } from "./options.js";
import { t } from "./text.js";

const EDITED = {
  title: t("title"),
  short_summary: t("short summary"),
  long_summary: t("summary"),
  action_items: t("action items"),
  speakers: t("speakers"),
  words: t("words"),
};
let leaving = false;

/** Deleted or left here: the page goes to the list by itself. */
export const isLeaving = () => leaving;

/** Do it, and go to the list. */
export async function leave(action) {
  leaving = true;
  try {
    await action();
  } catch (error) {
    leaving = false;
    throw error;
  }
  location.href = at("/");
}

/** Inside a dialog, where what was typed stays. */
export function showProblem(dialog, text) {
  const box = dialog.querySelector("[data-problem]");
  box.hidden = !text;
  box.textContent = text ?? "";
}

export function open(dialog) {
  showProblem(dialog, null);
  dialog.showModal();
}

export function listenToCloseButtons() {
  for (const button of document.querySelectorAll("[data-close]")) {
    button.addEventListener("click", () => button.closest("dialog")?.close());
  }
}

/** Do it when the dialog is submitted, and say in it why it did not work. `action` answers whether to close. */
export function onSubmit(dialog, action) {
  dialog.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      if (await action()) dialog.close();
    } catch (error) {
      showProblem(dialog, error.message);
    }
  });
}

/** Somebody else changed what a person was changing. */
class ChangedMeanwhile extends Error {
  /** @param {string} value as it is now */
  constructor(value) {
    super(t("Somebody else changed it to “{value}” meanwhile. Save again to replace that.", { value }));
    this.value = value;
  }
}

/**
 * Change one field, which was `before` when the person began. Throws ChangedMeanwhile if it is something else now.
 *
 * @param {string} base the path of the recording
 * @param {"title" | "long_summary"} field
 * @param {string} before
 * @param {string} value
 */
async function saveField(base, field, before, value) {
  for (;;) {
    const now = await api(base);
    const current = now[field] ?? "";
    if (current === value) return;
    if (current !== before) throw new ChangedMeanwhile(current);
    try {
      await send(base, "PATCH", { [field]: value, base_change_seq: now.change_seq });
      return;
    } catch (error) {
      if (error.status !== 409) throw error; // 409: something changed between the two requests; look again
    }
  }
}

/**
 * Let a person change one field in a dialog. What others changed meanwhile is shown, and replaced only on a second try.
 *
 * @param {string} base
 * @param {"title" | "long_summary"} field
 * @param {{ dialog: any, input: any, button: any }} elements
 * @param {{ current: () => string, shown: () => string, reread: () => void }} page `current`: the field as the page knows it
 */
export function listenToField(base, field, { dialog, input, button }, { current, shown, reread }) {
  let before = "";
  button.addEventListener("click", () => {
    before = current();
    input.value = shown();
    open(dialog);
    if (field === "title") input.select();
    else input.setSelectionRange(0, 0);
  });
  input.addEventListener("keydown", (event) => {
    const isWanted = event.shiftKey || event.ctrlKey || event.metaKey;
    if (event.key === "Enter" && isWanted && !event.isComposing) dialog.querySelector("form").requestSubmit();
    else return;
    event.preventDefault();
  });
  onSubmit(dialog, async () => {
    const value = input.value.trim();
    if (!value) return false;
    try {
      await saveField(base, field, before, value);
    } catch (error) {
      if (error instanceof ChangedMeanwhile) before = error.value; // saving again replaces it
      throw error;
    }
    reread();
    return true;
  });
}

/** `base`: the path of the recording. `transcript()`: as it is now. `edited()`: what people changed. `reread()`: read all again. */
export function listenToDialogs(base, transcript, edited, reread) {
  listenToCloseButtons();
  if (byId("retitle")) {
    const title = { dialog: byId("retitle-dialog"), input: byId("retitle-input"), button: byId("retitle") };
    const summary = { dialog: byId("summary-dialog"), input: byId("summary-input"), button: byId("summary-edit") };
    const known = (field) => () => transcript()[field] ?? "";
    const shownTitle = () => transcript().title || transcript().name || "";
    listenToField(base, "title", title, { current: known("title"), shown: shownTitle, reread });
    const text = known("long_summary");
    listenToField(base, "long_summary", summary, { current: text, shown: text, reread });
  }

  byId("delete")?.addEventListener("click", () => open(byId("confirm")));
  onSubmit(byId("confirm"), async () => {
    await leave(() => api(base, { method: "DELETE" }));
    return true;
  });

  byId("process").addEventListener("click", () => {
    const parts = edited();
    byId("process-changes").hidden = byId("process-discard").hidden = parts.length === 0;
    byId("process-keep").textContent = parts.length ? t("Keep their changes") : t("Process again");
    byId("process-edited").textContent = parts.map((part) => EDITED[part] ?? part).join(", ");
    open(byId("process-again"));
    if (byId("process-options")) readChosen().catch((error) => showProblem(byId("process-again"), error.message));
  });
  const again = byId("process-again").querySelector("form");
  again.addEventListener(
    "submit",
    ({ submitter }) => {
      again.dataset.edits = submitter.value;
    },
    { capture: true },
  );
  const language = byId("process-language");
  if (language) nameLanguages(language);
  let spoken = language?.value;
  if (byId("process-options")) listenToLimits("process");
  /** The options as the server has them; null until they are read. @type {import("../types").ProcessingOptions | null} */
  let chosen = null;
  async function readChosen() {
    chosen = null;
    byId("process-options").inert = true;
    const [view] = await Promise.all([api(`${base}/options`), loadTemplates()]);
    showOptions("process", view, byId("process-tags"));
    byId("process-options").inert = false;
    chosen = view.own;
  }
  onSubmit(byId("process-again"), async () => {
    if (language && language.value !== spoken) {
      await send(base, "PATCH", { source_language: language.value });
      spoken = language.value;
    }
    if (chosen) await saveOptions(base, "process", chosen);
    await api(`${base}/process?edits=${again.dataset.edits}`, { method: "POST" });
    reread();
    return true;
  });
}
