// What is said in a recording that runs: lines that stay, and the words that are being said.

import { clock, make } from "../dom.js";
import { t } from "../text.js";

// Further from the end than this, somebody reads what was said before
const NEAR_PIXELS = 80;
const LATE_SECONDS = 5;
const SOURCES = { microphone: t("Microphone:"), shared: t("Shared sound:") };
// Times of lines are rounded
const NEAR_SECONDS = 0.1;

/** Live text in `box`, which scrolls. */
export class LiveText {
  /** @param {HTMLElement} box @param {HTMLElement} state says if the text is late */
  constructor(box, state) {
    this.box = box;
    this.state = state;
    this.last = -1;
    this.lastTopic = -1;
    /** Of the last line. @type {string | null} */
    this.lastTrack = null;
    /** Of the recording that were heard. */
    this.seconds = 0;
    this.follows = true;
    this.final = make("span");
    this.partial = make("span", { className: "partial" });
    this.running = make("p", { className: "running", dir: "auto" }, this.final, " ", this.partial);
    box.append(this.running);
    box.addEventListener("scroll", () => {
      this.follows = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PIXELS;
    });
  }

  get isEmpty() {
    return this.last < 0 && !this.running.textContent.trim();
  }

  /** Show the data of an event LIVE. @param {any} data */
  add(data) {
    if (data.line) this.addLine(data.line);
    else if (data.translation) this.addTranslation(data.translation);
    else if (data.topic) this.addTopic(data.topic);
    else if (data.state === "waiting") this.state.textContent = t("The text follows later. The recording goes on.");
    else this.showRunning(data);
    if (this.follows) this.box.scrollTop = this.box.scrollHeight;
  }

  /** A connection that comes again brings all lines once more. */
  addLine({ text, start, end, track }) {
    if (start <= this.last) return;
    this.last = start;
    this.final.textContent = "";
    const time = make("span", { className: "meta" }, clock(start));
    const isOther = track && track !== this.lastTrack;
    this.lastTrack = track;
    const source = isOther ? make("span", { className: "track" }, SOURCES[track], " ") : "";
    const dataset = { start: String(start), end: String(end) };
    this.running.before(make("p", { dir: "auto", dataset }, time, " ", source, text));
  }

  addTranslation({ start, text }) {
    const line = this.box.querySelector(`p[data-start="${start}"]`);
    if (line && !line.querySelector(".translated"))
      line.append(make("span", { className: "translated", dir: "auto" }, text));
  }

  /** Before its first line, in which it may begin. A connection that comes again brings it once more. */
  addTopic({ title, summary, start }) {
    if (start <= this.lastTopic) return;
    this.lastTopic = start;
    const lines = [.../** @type {NodeListOf<HTMLElement>} */ (this.box.querySelectorAll("p[data-start]"))];
    const first = lines.find(({ dataset }) => Number(dataset.end) > start + NEAR_SECONDS);
    const heading = make("h3", { dir: "auto", dataset: { topic: String(start) }, title: summary }, title);
    (first ?? this.running).before(heading);
  }

  showRunning({ final, partial, lag, seconds }) {
    this.seconds = seconds;
    this.final.textContent = final;
    this.partial.textContent = partial;
    this.state.textContent = lag > LATE_SECONDS ? t("{seconds} seconds behind", { seconds: Math.round(lag) }) : "";
  }

  /** Nobody speaks any more. */
  end() {
    this.final.textContent = "";
    this.partial.textContent = "";
    this.state.textContent = "";
  }
}
