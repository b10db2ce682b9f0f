// Decisions and next steps: shown, ticked off, changed by people.

import { onSubmit, open, showProblem } from "./dialogs.js";
import { api, byId, draw, make, makeButton, send } from "./dom.js";
import { t } from "./text.js";

/** @typedef {"decisions" | "next_steps"} Kind */
/** @typedef {Record<string, any>} Item */

// Which field of each kind has the text, and which has the person
const FIELDS = {
  decisions: { heading: t("Decisions"), text: "decision", who: "decided_by", add: t("Add a decision") },
  next_steps: { heading: t("Next steps"), text: "task", who: "assigned_to", add: t("Add a next step") },
};
const KINDS = /** @type {Kind[]} */ (Object.keys(FIELDS));
const GONE = t("Somebody else changed this meanwhile. Close this to see what it is now.");

/** What saving and drawing need; null while nothing may be changed. @type {{ base: string, act: (action: () => Promise<void>) => Promise<void> } | null} */
let editor = null;

/** Which item the dialog is about; `item` is null for a new one. @type {{ kind: Kind, item: Item | null }} */
let asked = { kind: "next_steps", item: null };

const listsOf = (items) => ({ decisions: items?.decisions ?? [], next_steps: items?.next_steps ?? [] });

/** Equal but for fields that are empty: the analysis leaves some out. */
const isSame = (one, other) => {
  const filled = (item) =>
    JSON.stringify(
      Object.entries(item)
        .filter(([, value]) => value)
        .sort(),
    );
  return filled(one) === filled(other);
};

/**
 * Put `fresh` in place of `item` in `items`: null adds or removes. Throws if `item` is no longer there.
 *
 * @param {any} items
 * @param {Kind} kind
 * @param {Item | null} item
 * @param {Item | null} fresh
 */
export function replaced(items, kind, item, fresh) {
  const lists = listsOf(items);
  const list = [...lists[kind]];
  const place = item ? list.findIndex((each) => isSame(each, item)) : list.length;
  if (place < 0) throw new Error(GONE);
  list.splice(place, item ? 1 : 0, ...(fresh ? [fresh] : []));
  return { ...lists, [kind]: list };
}

/** Change one item in the newest list, so that two people can change different ones. */
async function save(base, kind, item, fresh) {
  for (;;) {
    const run = await api(`${base}/run`);
    const items = replaced(run.action_items, kind, item, fresh);
    try {
      await send(base, "PATCH", { action_items: items, base_change_seq: run.change_seq });
      return;
    } catch (error) {
      if (error.status !== 409) throw error; // 409: something changed between the two requests; look again
    }
  }
}

function ask(kind, item) {
  asked = { kind, item };
  const { text, who, add } = FIELDS[kind];
  byId("action-title").textContent = item ? t("Change this") : add;
  byId("action-text").value = item?.[text] ?? "";
  byId("action-who").value = item?.[who] ?? "";
  byId("action-deadline").value = item?.deadline ?? "";
  byId("action-deadline-label").hidden = kind === "decisions";
  byId("action-remove").hidden = !item;
  open(byId("action"));
}

function showItem(kind, item) {
  const { text, who } = FIELDS[kind];
  const detail = [item[who], item.deadline].filter(Boolean).join(", ");
  const said = make("span", { dir: "auto", className: item.done ? "done" : "" }, item[text]);
  const parts = [];
  if (kind === "next_steps" && (editor || item.done)) {
    const box = make("input", { type: "checkbox", checked: Boolean(item.done), disabled: !editor });
    box.setAttribute("aria-label", t("Done: {text}", { text: item[text] }));
    box.addEventListener("change", () =>
      editor?.act(() => save(editor?.base, kind, item, { ...item, done: box.checked })),
    );
    parts.push(box, " ");
  }
  parts.push(said);
  if (editor) {
    const label = t("Edit: {text}", { text: item[text] });
    parts.push(
      " ",
      makeButton(t("Edit"), label, () => ask(kind, item), "link edit"),
    );
  }
  if (detail) parts.push(make("div", { className: "detail", dir: "auto" }, detail));
  return make("li", {}, ...parts);
}

/**
 * @param {any} items as the run has them
 * @param {boolean} isReady the analysis is done, so that people may add what it missed
 */
export function showActions(items, isReady) {
  const lists = listsOf(items);
  const found = KINDS.filter((kind) => lists[kind].length);
  const mayAdd = editor !== null && isReady;
  byId("actions").hidden = found.length === 0 && !mayAdd;
  draw(byId("actions-text"), [lists, mayAdd], () => [
    ...found.flatMap((kind) => [
      make("h3", {}, FIELDS[kind].heading),
      make("ul", { className: kind }, ...lists[kind].map((item) => showItem(kind, item))),
    ]),
    mayAdd ? make("p", { className: "add" }, ...KINDS.map(addButton)) : "",
  ]);
}

function addButton(kind) {
  const button = make("button", { type: "button", className: "link" }, FIELDS[kind].add);
  button.addEventListener("click", () => ask(kind, null));
  return button;
}

/** Let people change the items. `act` does something, says why if it fails, and reads all again. */
export function listenToActions(base, act) {
  editor = { base, act };
  const dialog = byId("action");
  const change = async (fresh) => {
    await save(base, asked.kind, asked.item, fresh);
    await act(async () => {});
  };
  onSubmit(dialog, async () => {
    const { text, who } = FIELDS[asked.kind];
    const value = (id) => byId(id).value.trim() || null;
    if (!value("action-text")) return false;
    const fresh = { ...asked.item, [text]: value("action-text"), [who]: value("action-who") };
    if (asked.kind === "next_steps") fresh.deadline = value("action-deadline");
    await change(fresh);
    return true;
  });
  byId("action-remove").addEventListener("click", async () => {
    try {
      await change(null);
      dialog.close();
    } catch (error) {
      showProblem(dialog, error.message);
    }
  });
}
