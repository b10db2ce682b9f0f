// One's own notes at moments of a recording, which nobody else sees. Without text a note is a bookmark.

import { api, byId, clock, make, makeButton, send } from "./dom.js";
import { currentTime, playButton, whenMoved } from "./player.js";
import { t } from "./text.js";

/** @typedef {import("../types").Note} Note */

/** @param {string} base the path of the recording
 *  @param {(action: () => Promise<any>) => Promise<void>} act does it, and says on the page why it did not work
 *  @param {() => number} moment the second that a new note is for */
export function listenToNotes(base, act, moment = currentTime) {
  const path = `${base}/notes`;
  const input = byId("note-text");

  /** @param {Note} note */
  function showNote(note) {
    const named = { time: clock(note.at) };
    const begin = () => line.replaceChildren(editor(note));
    const drop = () => change(() => send(`${path}/${note.id}`, "DELETE"));
    const edit = makeButton("✎", t("Edit the note at {time}", named), begin, "link edit");
    const remove = makeButton("✕", t("Remove the note at {time}", named), drop, "link edit");
    const text = make("span", { dir: "auto" }, note.text || t("Bookmark"));
    const line = make("li", { className: "note" }, playButton(note.at), " ", text, " ", edit, " ", remove);
    return line;
  }

  /** @param {Note} note */
  function editor(note) {
    const box = make("textarea", { value: note.text, rows: 3, maxLength: 10_000, dir: "auto" });
    box.setAttribute("aria-label", t("Note"));
    const save = make("button", { className: "primary" }, t("Save"));
    const form = make("form", { className: "correct" }, box, make("div", { className: "row" }, save));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      change(() => send(`${path}/${note.id}`, "PATCH", { text: box.value }));
    });
    requestAnimationFrame(() => box.focus());
    return form;
  }

  async function show() {
    /** @type {Note[]} */
    const notes = await api(path);
    byId("notes-list").replaceChildren(...notes.map(showNote));
  }

  const change = (action) => act(() => action().then(show));

  const showMoment = () => {
    byId("note-at").textContent = clock(moment());
  };
  whenMoved(showMoment);
  showMoment();
  byId("note-form").addEventListener("submit", (event) => {
    event.preventDefault();
    change(async () => {
      await send(path, "POST", { at: moment(), text: input.value });
      input.value = "";
    });
  });
  return act(show);
}
