// Who said what: name a speaker everywhere, or give one turn or the selected words to somebody.

import { onSubmit, open, showProblem } from "./dialogs.js";
import { all, api, byId, make, send } from "./dom.js";
import { t, tn } from "./text.js";

/** @typedef {import("../types").Participant} Person */
/** @typedef {{ start: number, end: number }} Span first and last start of the words, in seconds */
/** @typedef {{ speaker: number, turn: Span | null, selection: Span | null }} Asked */

const TAP_MS = 300;

/** @type {Asked | null} */
let asked = null;

/** @type {() => Person[]} */
let people = () => [];

const known = (name) => people().find((person) => person.name.toLowerCase() === name.toLowerCase());
const named = (speaker) => people().find((person) => person.speaker === speaker);
const scope = () => /** @type {any} */ (document.querySelector("[name=scope]:checked")).value;

/** @param {Asked} question */
export function askWho(question) {
  asked = question;
  const { speaker, selection } = question;
  byId("rename-name").value = selection ? "" : (named(speaker)?.name ?? "");
  offerNames();
  byId("scope").hidden = selection !== null;
  byId("rename-title").textContent = selection ? t("Who said the selected words?") : t("Who is this?");
  for (const choice of all("[name=scope]")) choice.checked = choice.value === "all";
  byId("rename-remove").hidden = selection !== null || !named(speaker);
  showHint();
  open(byId("rename"));
  byId("rename-name").select();
}

/** Names of earlier meetings, read once. @type {string[] | null} */
let earlier = null;

/** Suggest the people of this meeting, then those of earlier ones. */
async function offerNames() {
  const show = (names) =>
    byId("people").replaceChildren(...[...new Set(names)].map((value) => make("option", { value })));
  const own = people().map((person) => person.name);
  show([...own, ...(earlier ?? [])]);
  earlier ??= await api("/v1/participants/names").catch(() => []);
  show([...own, ...(earlier ?? [])]);
}

/** What saving will do, where that is more than a name. */
function showHint() {
  const other = known(byId("rename-name").value.trim());
  const isMerge = asked && !asked.selection && scope() === "all" && other && other.speaker !== asked.speaker;
  byId("rename-hint").hidden = !isMerge || other?.speaker === null;
  byId("rename-hint").textContent = t("{name} is another speaker already: both become one.", { name: other?.name });
}

const pathOf = (base, person) => `${base}/participants/${encodeURIComponent(person.id)}`;

/** The whole speaker is `name`. */
async function nameEverywhere(base, speaker, name) {
  const [mine, other] = [named(speaker), known(name)];
  if (other && other.id !== mine?.id) {
    // One voice was taken for two, or somebody was added before they spoke
    if (mine) await api(pathOf(base, mine), { method: "DELETE" });
    if (other.speaker === null) await send(pathOf(base, other), "PATCH", { speaker });
    else await send(`${base}/speaker/merge`, "PATCH", { speaker_from: speaker, speaker_to: other.speaker });
  } else if (mine) await send(pathOf(base, mine), "PATCH", { name });
  else await send(`${base}/participants`, "POST", { speaker, name });
}

/** Only the words of `span` are `name`'s. */
async function give(base, span, name) {
  const person = known(name) ?? (await send(`${base}/participants`, "POST", { name }));
  const range = { timestamp_from: span.start, timestamp_to: span.end };
  await send(`${base}/speaker/assign`, "PATCH", { participant: person.id, ...range });
}

/**
 * @param {string} base the path of the recording
 * @param {() => Person[]} participants
 * @param {() => void} reread read all again
 */
export function listenToSpeakers(base, participants, reread) {
  people = participants;
  const dialog = byId("rename");
  dialog.addEventListener("input", showHint);
  onSubmit(dialog, async () => {
    const name = byId("rename-name").value.trim();
    if (!name || !asked) return false;
    const { speaker, turn, selection } = asked;
    const span = selection ?? (scope() === "turn" ? turn : null);
    if (span) await give(base, span, name);
    else await nameEverywhere(base, speaker, name);
    reread();
    return true;
  });
  byId("rename-remove").addEventListener("click", async () => {
    try {
      const mine = asked && named(asked.speaker);
      if (mine) await api(pathOf(base, mine), { method: "DELETE" });
      reread();
      dialog.close();
    } catch (error) {
      showProblem(dialog, error.message);
    }
  });
}

/** The selected words of the transcript, as a span and a number; null for none. */
function selectedWords() {
  const selection = getSelection();
  if (!selection || selection.isCollapsed || !byId("words-text").contains(selection.anchorNode)) return null;
  const found = [...all("#words-text .word")].filter((word) => selection.containsNode(word, true));
  if (!found.length) return null;
  const starts = found.map((word) => Number(word.dataset.start));
  return { span: { start: Math.min(...starts), end: Math.max(...starts) }, count: found.length };
}

/** A bar with what can be done with the selected words, while there are some. */
export function listenToSelection() {
  const bar = byId("selection");
  /** @type {Span | null} */
  let span = null;
  let hiding = 0;
  document.addEventListener("selectionchange", () => {
    const found = selectedWords();
    clearTimeout(hiding);
    // A tap on the button may take the selection away before it is a click
    if (found) bar.hidden = false;
    else hiding = setTimeout(() => (bar.hidden = true), TAP_MS);
    if (!found) return;
    span = found.span;
    byId("selection-count").textContent = tn("{number} word", "{number} words", found.count);
  });
  // The button must not take the selection away
  bar.addEventListener("pointerdown", (event) => event.preventDefault());
  byId("selection-assign").addEventListener("click", () => {
    if (span) askWho({ speaker: -1, turn: null, selection: span });
  });
}
