// Who changed what and when, and how to take it back.

import { date } from "./dates.js";
import { open, showProblem } from "./dialogs.js";
import { api, byId, clock, make } from "./dom.js";

const PARTS = {
  name: "Name",
  title: "Title",
  short_summary: "Short summary",
  long_summary: "Summary",
  action_items: "Action items",
  reviewed: "Checked",
  participants: "Names",
  speakers: "Speaker",
  words: "Words",
};

function showChange({ part, at_seconds: seconds, before, after }) {
  const where = seconds === null ? "" : ` at ${clock(seconds)}`;
  return make(
    "div",
    { className: "change" },
    make("strong", {}, `${PARTS[part] ?? part}${where}`),
    make("del", { dir: "auto" }, before || "nothing"),
    make("ins", { dir: "auto" }, after || "nothing"),
  );
}

/**
 * @param {string} base the path of the recording
 * @param {() => Promise<void>} reread read the page's data again
 */
export function listenToHistory(base, reread) {
  const dialog = byId("history");
  const list = byId("history-list");

  function showEdit(edit) {
    const undo = make("button", { type: "button", className: "small" }, "Undo");
    const when = date(edit.at);
    undo.setAttribute("aria-label", `Undo the change of ${when}`);
    undo.addEventListener("click", async () => {
      undo.disabled = true;
      try {
        await api(`${base}/history/${edit.id}/undo`, { method: "POST" });
        await Promise.all([load(), reread()]);
      } catch (error) {
        showProblem(dialog, error.message);
        undo.disabled = false;
      }
    });
    const by = [edit.by, when].filter(Boolean).join(" · ");
    return make(
      "li",
      {},
      make("div", { className: "edit-head" }, make("span", { className: "meta", dir: "auto" }, by), undo),
      ...edit.changes.map(showChange),
    );
  }

  async function load() {
    showProblem(dialog, null);
    try {
      const edits = await api(`${base}/history`);
      list.replaceChildren(...edits.map(showEdit));
      byId("history-empty").hidden = edits.length > 0;
    } catch (error) {
      showProblem(dialog, error.message);
    }
  }

  byId("history-open").addEventListener("click", () => {
    list.replaceChildren();
    byId("history-empty").hidden = true;
    open(dialog);
    load();
  });
}
