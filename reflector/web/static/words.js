// The transcript: turns by speaker, topics as headings, every word a place to listen.

import { byId, clock, make, recall, remember } from "./dom.js";
import { playButton, playFrom } from "./player.js";
import { t } from "./text.js";

// As many as style.css has; after them the same colours with another line beside the text
const COLOURS = Number(byId("transcript").dataset.colours);
const DOUBLE_CLICK_MS = 250;
const PATTERNS = ["", "dashed", "dotted"];

const speakerClasses = (speaker) =>
  `turn speaker-${speaker % COLOURS} ${PATTERNS[Math.floor(speaker / COLOURS) % PATTERNS.length]}`.trim();

/** @typedef {import("../types").Word} Word */
/** @typedef {import("../types").Topic} Topic */
/** @typedef {{ speaker: number, words: Word[], topic: Topic | undefined }} Turn */

/**
 * @param {Word[]} words
 * @param {Map<number, Topic>} topicStarts
 */
function turns(words, topicStarts) {
  /** @type {Turn[]} */
  const groups = [];
  /** @type {Turn | null} */
  let last = null;
  for (const word of words) {
    const topic = topicStarts.get(word.start);
    topicStarts.delete(word.start); // words that people inserted share the time of another
    const long = last && last.words.length > 40 && /[.?!…]$/.test(last.words.at(-1)?.text.trim() ?? "");
    if (!last || word.speaker !== last.speaker || topic || long) {
      last = { speaker: word.speaker, words: [], topic };
      groups.push(last);
    }
    last.words.push(word);
  }
  return groups;
}

/**
 * Elements of the transcript, and the list that the player follows.
 *
 * @param {Word[]} words
 * @param {Topic[]} topics
 * @param {(speaker: number) => string} nameOf
 * @param {((turn: Turn) => void) | null} onSpeaker null if nobody may be named
 * @param {((turn: Turn, text: HTMLElement) => void) | null} onCorrect null if nothing may be corrected
 */
export function render(words, topics, nameOf, onSpeaker, onCorrect) {
  const starts = new Map(topics.map((topic) => [topic.timestamp, topic]));
  /** @type {{ start: number, end: number, element: HTMLElement }[]} */
  const followed = [];
  /** @type {HTMLElement[]} */
  const elements = [];
  for (const turn of turns(words, starts)) {
    if (turn.topic)
      elements.push(
        make("h3", { className: "topic-title", dir: "auto", id: `topic-${turn.topic.id}` }, turn.topic.title),
      );
    const text = make("p", { dir: "auto" });
    for (const word of turn.words) {
      const element = make("span", { className: "word", dataset: { start: word.start } }, word.text.trim());
      if (typeof word.probability === "number") {
        element.classList.add("unsure");
        element.title = t("The recogniser is {percent} % sure of this", {
          percent: Math.round(word.probability * 100),
        });
      }
      followed.push({ start: word.start, end: word.end, element });
      text.append(element, " ");
    }
    const name = nameOf(turn.speaker);
    const who = onSpeaker
      ? make("button", { type: "button", className: "link", title: t("Name this speaker"), dir: "auto" }, name)
      : make("strong", { dir: "auto" }, name);
    if (onSpeaker) who.addEventListener("click", () => onSpeaker(turn));
    const time = playButton(turn.words[0].start);
    const edit = onCorrect ? make("button", { type: "button", className: "link edit" }, "✎") : null;
    edit?.setAttribute(
      "aria-label",
      t("Correct the words of {name} at {time}", { name, time: clock(turn.words[0].start) }),
    );
    edit?.addEventListener("click", () => onCorrect?.(turn, text));
    const box = make(
      "div",
      { className: speakerClasses(turn.speaker) },
      make("div", { className: "who" }, who, edit, time),
      text,
    );
    elements.push(box);
  }
  return { elements, followed };
}

const SHOW_UNSURE = "show-unsure";

/** Let people see which words the recogniser was not sure of. */
export function listenToUnsure(container) {
  const box = byId("unsure");
  const show = () => container.classList.toggle(SHOW_UNSURE, box.checked);
  box.checked = recall(SHOW_UNSURE) === "1";
  box.addEventListener("change", () => {
    remember(SHOW_UNSURE, box.checked ? "1" : "0");
    show();
  });
  show();
}

export function listenToWords(container) {
  let waiting = null;
  container.addEventListener("click", (event) => {
    clearTimeout(waiting);
    const word = event.target.closest(".word");
    // Who selects text, by dragging or by a double click, does not want to hear it
    if (!word || event.detail > 1 || !getSelection()?.isCollapsed) return;
    waiting = setTimeout(() => playFrom(Number(word.dataset.start)), DOUBLE_CLICK_MS);
  });
}
