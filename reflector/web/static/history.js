// Who changed what and when, and how to take it back.

import { date } from "./dates.js";
import { open, showProblem } from "./dialogs.js";
import { api, byId, clock, make } from "./dom.js";
import { t } from "./text.js";

const PARTS = {
  name: t("Name"),
  title: t("Title"),
  short_summary: t("Short summary"),
  long_summary: t("Summary"),
  action_items: t("Action items"),
  reviewed: t("Checked"),
  participants: t("Names"),
  speakers: t("Speaker"),
  words: t("Words"),
};

function showChange({ part, at_seconds: seconds, before, after }) {
  const name = PARTS[part] ?? part;
  return make(
    "div",
    { className: "change" },
    make("strong", {}, seconds === null ? name : t("{part} at {time}", { part: name, time: clock(seconds) })),
    make("del", { dir: "auto" }, before || t("nothing")),
    make("ins", { dir: "auto" }, after || t("nothing")),
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
    const undo = make("button", { type: "button", className: "small" }, t("Undo"));
    const when = date(edit.at);
    undo.setAttribute("aria-label", t("Undo the change of {when}", { when }));
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
