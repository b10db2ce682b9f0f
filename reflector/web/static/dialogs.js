// The dialogs of a recording: name a speaker, process again, delete.

import { api, at, byId, maybe } from "./dom.js";

const EDITED = { title: "title", short_summary: "short summary", long_summary: "summary", speakers: "speakers" };
let renamed = /** @type {any} */ (null); // { speaker, known }
let leaving = false;

/** Deleted here: the page goes to the list by itself. */
export const isLeaving = () => leaving;

/** Inside a dialog, where what was typed stays. */
function showProblem(dialog, text) {
  const box = dialog.querySelector("[data-problem]");
  box.hidden = !text;
  box.textContent = text ?? "";
}

function open(dialog) {
  showProblem(dialog, null);
  dialog.showModal();
}

/** Do it when the dialog is submitted, and say in it why it did not work. `action` answers whether to close. */
function onSubmit(dialog, action) {
  dialog.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      if (await action()) dialog.close();
    } catch (error) {
      showProblem(dialog, error.message);
    }
  });
}

/** Ask for the name of a speaker; `known` is the participant, if there is one. */
export function rename(speaker, known) {
  renamed = { speaker, known };
  byId("rename-name").value = known?.name ?? "";
  open(byId("rename"));
  byId("rename-name").select();
}

function listenToTitle(dialog, base, transcript, reread) {
  const input = byId("retitle-input");
  let before = null;
  byId("retitle").addEventListener("click", () => {
    before = transcript().title;
    input.value = before || transcript().name || "";
    open(dialog);
    input.select();
  });
  onSubmit(dialog, async () => {
    const title = input.value.trim();
    if (!title) return false;
    const now = transcript().title;
    if (now !== before) {
      before = now; // saving again replaces it
      throw new Error(`Somebody else changed it to “${now}” meanwhile. Save again to replace that.`);
    }
    await api(base, { method: "PATCH", body: JSON.stringify({ title }) });
    reread();
    return true;
  });
}

/** `base`: the path of the recording. `transcript()`: as it is now. `edited()`: what people changed. `reread()`: read all again. */
export function listenToDialogs(base, transcript, edited, reread) {
  for (const button of document.querySelectorAll("[data-close]")) {
    button.addEventListener("click", () => button.closest("dialog")?.close());
  }

  onSubmit(byId("rename"), async () => {
    const name = byId("rename-name").value.trim();
    if (!name) return false;
    const { speaker, known } = renamed;
    const [method, path] = known
      ? ["PATCH", `${base}/participants/${encodeURIComponent(known.id)}`]
      : ["POST", `${base}/participants`];
    await api(path, { method, body: JSON.stringify({ speaker, name }) });
    reread();
    return true;
  });

  const retitle = maybe("retitle-dialog");
  if (retitle) listenToTitle(retitle, base, transcript, reread);

  maybe("delete")?.addEventListener("click", () => open(byId("confirm")));
  onSubmit(byId("confirm"), async () => {
    leaving = true;
    try {
      await api(base, { method: "DELETE" });
    } catch (error) {
      leaving = false;
      throw error;
    }
    location.href = at("/");
    return true;
  });

  byId("process").addEventListener("click", () => {
    const parts = edited();
    byId("process-changes").hidden = byId("process-discard").hidden = parts.length === 0;
    byId("process-keep").textContent = parts.length ? "Keep their changes" : "Process again";
    byId("process-edited").textContent = parts.map((part) => EDITED[part] ?? part).join(", ");
    open(byId("process-again"));
  });
  const again = byId("process-again").querySelector("form");
  again.addEventListener(
    "submit",
    ({ submitter }) => {
      again.dataset.edits = submitter.value;
    },
    { capture: true },
  );
  onSubmit(byId("process-again"), async () => {
    await api(`${base}/process?edits=${again.dataset.edits}`, { method: "POST" });
    reread();
    return true;
  });
}
