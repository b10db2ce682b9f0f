// Replace a word that was misheard everywhere: what would change is shown first, and each place can be left out.

import { onSubmit, open } from "./dialogs.js";
import { byId, clock, make, send } from "./dom.js";
import { t } from "./text.js";

/** @typedef {import("../types").Word} Word */
/** @typedef {{ timestamp_from: number, timestamp_to: number, before: string, text: string }} Correction */
/** @typedef {{ correction: Correction, left: string, right: string }} Place with the text beside it */

const SHOWN = 200;
const BESIDE_CHARACTERS = 40;

/** Words that one speaker says without a break. */
function stretches(words) {
  /** @type {Word[][]} */
  const found = [];
  for (const word of words) {
    const last = found.at(-1);
    if (last && last[0].speaker === word.speaker) last.push(word);
    else found.push([word]);
  }
  return found;
}

function pattern(find, matchCase, wholeWords) {
  const literal = find
    .trim()
    .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
    .replace(/\s+/g, "\\s+");
  const whole = wholeWords ? `(?<![\\p{L}\\p{N}])${literal}(?![\\p{L}\\p{N}])` : literal;
  return new RegExp(whole, matchCase ? "gu" : "giu");
}

/**
 * The places where `replacement` goes in place of `find`. Matches that share a word become one.
 *
 * @param {Word[]} words
 * @param {string} find
 * @param {string} replacement
 * @param {{ matchCase: boolean, wholeWords: boolean }} options
 * @returns {Place[]}
 */
export function placesOf(words, find, replacement, { matchCase, wholeWords }) {
  if (!find.trim()) return [];
  const wanted = pattern(find, matchCase, wholeWords);
  return stretches(words).flatMap((part) => inStretch(part, wanted, replacement));
}

function inStretch(words, wanted, replacement) {
  const ends = [];
  let text = "";
  for (const word of words) {
    text += word.text;
    ends.push(text.length);
  }
  /** @type {[number, number][]} */
  const places = [];
  for (const match of text.matchAll(wanted)) {
    let first = ends.findIndex((end) => end > match.index);
    let last = ends.findIndex((end) => end >= match.index + match[0].length);
    // The server finds words by their start, and words that people inserted share it
    while (first > 0 && words[first - 1].start === words[first].start) first -= 1;
    while (last + 1 < words.length && words[last + 1].start === words[last].start) last += 1;
    const before = places.at(-1);
    if (before && first <= before[1]) before[1] = Math.max(before[1], last);
    else places.push([first, last]);
  }
  return places.map(([first, last]) => {
    const [from, to] = [ends[first - 1] ?? 0, ends[last]];
    const said = text.slice(from, to);
    const timestamps = { timestamp_from: words[first].start, timestamp_to: words[last].start };
    return {
      correction: { ...timestamps, before: said.trim(), text: said.replace(wanted, () => replacement).trim() },
      left: text.slice(Math.max(0, from - BESIDE_CHARACTERS), from),
      right: text.slice(to, to + BESIDE_CHARACTERS),
    };
  });
}

/**
 * @param {string} base the path of the recording
 * @param {() => Word[]} words all words on the page
 * @param {() => void} reread read all again
 */
export function listenToReplace(base, words, reread) {
  const dialog = byId("replace");
  /** @type {Place[]} */
  let found = [];
  const boxes = () => /** @type {NodeListOf<any>} */ (byId("replace-list").querySelectorAll("input"));
  const chosen = () => found.filter((_, place) => boxes()[place]?.checked ?? true);

  function count() {
    const number = chosen().length;
    byId("replace-ok").textContent = number ? t("Replace {number}", { number }) : t("Replace");
    byId("replace-ok").disabled = number === 0;
    const more = found.length > SHOWN ? ` ${t("The first {number} are shown.", { number: SHOWN })}` : "";
    byId("replace-count").textContent = byId("replace-find").value.trim()
      ? `${t("{number} found.", { number: found.length })}${more}`
      : "";
  }

  function preview() {
    found = placesOf(words(), byId("replace-find").value, byId("replace-with").value.trim(), {
      matchCase: byId("replace-case").checked,
      wholeWords: byId("replace-whole").checked,
    });
    byId("replace-list").replaceChildren(...found.slice(0, SHOWN).map(showPlace));
    count();
  }

  dialog.addEventListener("input", ({ target }) => {
    if (/** @type {Element} */ (target).closest("#replace-list")) count();
    else preview();
  });
  byId("replace-open").addEventListener("click", () => {
    byId("replace-find").value = byId("find").value;
    preview();
    open(dialog);
  });
  onSubmit(dialog, async () => {
    const corrections = chosen().map(({ correction }) => correction);
    await send(`${base}/words/corrections`, "POST", { corrections });
    reread();
    return true;
  });
}

function showPlace({ correction: { timestamp_from: start, before, text }, left, right }) {
  const box = make("input", { type: "checkbox", checked: true });
  const change = [make("del", {}, before), " ", make("ins", {}, text || t("nothing"))];
  const shown = make("span", { dir: "auto" }, `${left} `, ...change, right);
  return make(
    "li",
    {},
    make("label", { className: "check" }, box, make("span", { className: "meta" }, clock(start)), shown),
  );
}
