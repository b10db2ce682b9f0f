// The transcript: turns by speaker, topics as headings, every word a place to listen.

import { clock, make } from "./dom.js";
import { playFrom } from "./player.js";

const COLOURS = 8;

export const speakerColour = (speaker) =>
  `hsl(${(speaker * 360) / COLOURS + 215} 60% var(--speaker-light, 42%))`;

function turns(words, topicStarts) {
  const groups = [];
  let last = null;
  for (const word of words) {
    const topic = topicStarts.get(word.start);
    const long = last && last.words.length > 40 && /[.?!…]$/.test(last.words.at(-1).text.trim());
    if (!last || word.speaker !== last.speaker || topic || long) {
      last = { speaker: word.speaker, words: [], topic };
      groups.push(last);
    }
    last.words.push(word);
  }
  return groups;
}

/** Elements of the transcript, and the list that the player follows. */
export function render(words, topics, nameOf, onSpeaker) {
  const starts = new Map(topics.map((topic) => [topic.timestamp, topic]));
  const followed = [];
  const elements = [];
  for (const turn of turns(words, starts)) {
    if (turn.topic) elements.push(make("h3", { className: "topic-title", id: `topic-${turn.topic.id}` }, turn.topic.title));
    const text = make("p");
    for (const word of turn.words) {
      const element = make("span", { className: "word", dataset: { start: word.start } }, word.text.trim());
      followed.push({ start: word.start, end: word.end, element });
      text.append(element, " ");
    }
    const who = make("button", { type: "button", className: "link", title: "Name this speaker" }, nameOf(turn.speaker));
    who.addEventListener("click", () => onSpeaker(turn.speaker));
    const at = turn.words[0].start;
    const time = make("button", { type: "button", className: "link" }, clock(at));
    time.setAttribute("aria-label", `Play from ${clock(at)}`);
    time.addEventListener("click", () => playFrom(at));
    const box = make("div", { className: "turn" }, make("div", { className: "who" }, who, time), text);
    box.style.setProperty("--speaker", speakerColour(turn.speaker));
    elements.push(box);
  }
  return { elements, followed };
}

export function listenToWords(container) {
  container.addEventListener("click", (event) => {
    const word = event.target.closest(".word");
    if (word) playFrom(Number(word.dataset.start));
  });
}
