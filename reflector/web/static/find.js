// Find words in the text of a recording: all matches are marked, one after the other comes into view.

import { byId } from "./dom.js";
import { t } from "./text.js";

let words = []; // { element, text }
let matches = []; // of elements
let current = -1;

/** Without case, accents and punctuation. */
export const plain = (text) =>
  text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\p{M}/gu, "")
    .replace(/[^\p{L}\p{N}\s]/gu, "");

/** Where `query` is in `texts`, all plain: its words in this order, the last one as a beginning. `[[first, last]]` */
export function positions(texts, query) {
  const wanted = plain(query).split(/\s+/).filter(Boolean);
  if (!wanted.length) return [];
  const last = wanted.length - 1;
  return texts.flatMap((_, first) => {
    const isHere = wanted.every((word, index) =>
      index === last ? texts[first + index]?.startsWith(word) : texts[first + index] === word,
    );
    return isHere ? [[first, first + last]] : [];
  });
}

const showCurrent = () => matches[current]?.[0].scrollIntoView({ block: "center" });

/** Mark match `place` as the current one, and say which of how many it is. */
function setCurrent(place) {
  for (const element of matches[current] ?? []) element.classList.remove("current");
  current = place;
  for (const element of matches[current] ?? []) element.classList.add("current");
  const isTyped = byId("find").value.trim() !== "";
  byId("find-count").textContent = !isTyped
    ? ""
    : matches.length
      ? t("{place} of {count}", { place: current + 1, count: matches.length })
      : t("none");
  byId("find-previous").disabled = byId("find-next").disabled = matches.length === 0;
}

function go(step) {
  if (!matches.length) return;
  setCurrent((current + step + matches.length) % matches.length);
  showCurrent();
}

/** `place`: which match is the current one, if there are so many. */
function mark(place) {
  for (const element of matches.flat()) element.classList.remove("hit", "current");
  matches = positions(
    words.map((word) => word.text),
    byId("find").value,
  ).map(([first, last]) => words.slice(first, last + 1).map((word) => word.element));
  for (const element of matches.flat()) element.classList.add("hit");
  setCurrent(Math.min(place, matches.length - 1));
}

/** The words on the page are new: `elements`, in order. */
export function findIn(elements) {
  words = elements.map((element) => ({ element, text: plain(element.textContent) }));
  const isFirst = current < 0;
  mark(Math.max(0, current));
  if (isFirst) showCurrent(); // what was searched for; later the reader may be elsewhere
}

/** `query`: what was searched for on the page before this one. */
export function listenToFind(query) {
  byId("find").value ||= query; // what was typed before this script was there stays
  byId("find").addEventListener("input", () => {
    mark(0);
    showCurrent();
  });
  byId("find-previous").addEventListener("click", () => go(-1));
  byId("find-form").addEventListener("submit", (event) => {
    event.preventDefault();
    go(1);
  });
}
