// What is done with several recordings of the list at once.

import { listenToCloseButtons, onSubmit, open } from "./dialogs.js";
import { api, byId, make, send, titleOf } from "./dom.js";
import { t, tn } from "./text.js";

const { user, stranger } = byId("list").dataset;

/** The chosen recordings of this page. @type {Set<string>} */
const picked = new Set();

/** The server decides it again; what one may not do is not offered. */
const mayChange = (item) => stranger === undefined && (item.user_id === null || item.user_id === user);

/** A box to choose `item` with; null where nothing may be done with it. */
export function picker(item) {
  if (!mayChange(item)) return null;
  const box = make("input", { type: "checkbox", className: "pick", checked: picked.has(item.id) });
  box.setAttribute("aria-label", t("Select {title}", { title: titleOf(item) }));
  box.dataset.id = item.id;
  return box;
}

function show() {
  byId("bulk").hidden = picked.size === 0;
  byId("bulk-count").textContent = tn("{number} selected", "{number} selected", picked.size);
}

/** The ids of the chosen recordings. */
export const pickedIds = () => [...picked];

/** The list is drawn anew: what is no longer in it is no longer chosen. */
export function keepPicked(items) {
  const there = new Set(items.map((item) => item.id));
  for (const id of picked) if (!there.has(id)) picked.delete(id);
  show();
}

function clear() {
  picked.clear();
  for (const box of byId("list").querySelectorAll(".pick")) box.checked = false;
  show();
}

/** Say in one line what was done, and why the rest was not. `undo`: null where nothing can be undone. */
function say(text, undo = /** @type {(() => void) | null} */ (null)) {
  const button = undo ? make("button", { type: "button", className: "link" }, t("Undo")) : null;
  if (undo) button?.addEventListener("click", undo);
  byId("bulk-said").replaceChildren(text, " ", ...(button ? [button] : []));
  byId("bulk-said").hidden = false;
}

/** Do `action` with each of `ids`, one after the other; answer those with which it worked, and the first reason. */
async function each(ids, action) {
  const done = [];
  let reason = "";
  for (const id of ids) {
    try {
      await action(`/v1/transcripts/${id}`);
      done.push(id);
    } catch (error) {
      reason ||= error.message;
    }
  }
  return { done, reason };
}

/**
 * @param {(number: number) => string} what says what was done with so many
 * @param {(path: string) => Promise<any>} action
 * @param {((path: string) => Promise<any>) | null} undo
 * @param {() => void} refresh
 */
async function run(what, action, undo, refresh) {
  const ids = [...picked];
  byId("bulk").inert = true;
  const { done, reason } = await each(ids, action);
  byId("bulk").inert = false;
  const failed = reason ? ` ${t("{number} could not be: {reason}", { number: ids.length - done.length, reason })}` : "";
  const back = async () => {
    if (undo) await each(done, undo);
    byId("bulk-said").hidden = true;
    refresh();
  };
  say(`${what(done.length)}${failed}`, undo && done.length ? back : null);
  clear();
  refresh();
}

/** `refresh` shows the list anew. */
export function listenToBulk(refresh) {
  byId("list").addEventListener("change", ({ target }) => {
    if (!target.matches(".pick")) return;
    if (target.checked) picked.add(target.dataset.id);
    else picked.delete(target.dataset.id);
    show();
  });
  byId("bulk-clear").addEventListener("click", clear);
  byId("bulk-all").addEventListener("click", () => {
    for (const box of byId("list").querySelectorAll(".pick")) {
      box.checked = true;
      picked.add(box.dataset.id);
    }
    show();
  });
  byId("bulk-trash").addEventListener("click", () =>
    run(
      (n) => tn("{number} recording was moved to the trash.", "{number} recordings were moved to the trash.", n),
      (path) => api(path, { method: "DELETE" }),
      (path) => api(`${path}/restore`, { method: "POST" }),
      refresh,
    ),
  );
  byId("bulk-process").addEventListener("click", () => {
    byId("bulk-process-count").textContent = byId("bulk-count").textContent;
    open(byId("bulk-dialog"));
  });
  onSubmit(byId("bulk-dialog"), async () => {
    await run(
      (n) => tn("{number} recording was put into the queue.", "{number} recordings were put into the queue.", n),
      (path) => api(`${path}/process`, { method: "POST" }),
      null,
      refresh,
    );
    return true;
  });
  listenToCloseButtons();
  byId("bulk-share")?.addEventListener("change", async ({ target }) => {
    const share_mode = target.value;
    target.value = "";
    const changed = (n) => tn("{number} recording was changed.", "{number} recordings were changed.", n);
    if (share_mode) await run(changed, (path) => send(path, "PATCH", { share_mode }), null, refresh);
  });
}
