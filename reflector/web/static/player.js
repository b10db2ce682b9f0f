// The waveform above the browser's own player, and which word is being heard.

import { byId, clock, makeButton, recall, remember } from "./dom.js";
import { t } from "./text.js";

const audio = byId("audio");
const canvas = byId("waveform");
let peaks = [];
let topics = [];
let words = [];
let current = null;

const duration = () => (Number.isFinite(audio.duration) ? audio.duration : 0);

function draw() {
  const ratio = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  const played = duration() ? audio.currentTime / duration() : 0;
  // `getPropertyValue` gives light-dark() as written; a resolved colour comes from `color`
  const [on, off] = ["--accent", "--wave"].map((name) => {
    canvas.style.color = `var(${name})`;
    return style.color;
  });
  const step = width / Math.max(1, peaks.length);
  peaks.forEach((peak, index) => {
    context.fillStyle = index / peaks.length < played ? on : off;
    const bar = Math.max(2, peak * height);
    context.fillRect(index * step, (height - bar) / 2, Math.max(1, step - 1), bar);
  });
  if (duration()) {
    context.fillStyle = on;
    for (const { timestamp } of topics) context.fillRect((timestamp / duration()) * width, 0, 2, height);
  }
  canvas.setAttribute("aria-valuemax", String(Math.round(duration())));
  canvas.setAttribute("aria-valuenow", String(Math.round(audio.currentTime)));
  canvas.setAttribute(
    "aria-valuetext",
    t("{place} of {count}", { place: clock(audio.currentTime), count: clock(duration()) }),
  );
}

// Who scrolls or selects looks for something: the page does not pull them away
const QUIET_MS = 4000;
let quietUntil = 0;
for (const kind of ["wheel", "touchmove", "pointerdown", "keydown"]) {
  addEventListener(
    kind,
    () => {
      quietUntil = performance.now() + QUIET_MS;
    },
    { passive: true },
  );
}

function keepInView(element) {
  const { top, bottom } = element.getBoundingClientRect();
  if (top > innerHeight * 0.25 && bottom < innerHeight * 0.75) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  element.scrollIntoView({ block: "center", behavior: still ? "auto" : "smooth" });
}

function mark() {
  const now = audio.currentTime;
  let [low, high] = [0, words.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (words[middle].start <= now) low = middle + 1;
    else high = middle;
  }
  const found = words[low - 1];
  const element = found && now <= found.end + 0.3 ? found.element : null;
  if (element === current) return;
  current?.classList.remove("now");
  element?.classList.add("now");
  current = element;
  if (element && byId("follow").checked && !audio.paused && performance.now() > quietUntil) keepInView(element);
}

export function showWaveform(values) {
  peaks = values;
  draw();
}

/** `[{timestamp}]`, in seconds. */
export function showTopicMarks(list) {
  topics = list;
  draw();
}

/** `[{start, end, element}]`, in order. */
export function followWords(list) {
  words = list;
  current = null;
}

// Times can be pressed before the player is there. After a while nobody expects the sound any more
const LATE_MS = 30_000;
let pressed = { seconds: 0, until: 0 };

export function unloadAudio() {
  byId("player").hidden = true;
  audio.pause();
  audio.removeAttribute("src");
}

export function loadAudio(url) {
  if (audio.getAttribute("src") !== url) audio.src = url;
  byId("player").hidden = false;
  draw();
  if (performance.now() < pressed.until) playFrom(pressed.seconds);
  pressed.until = 0;
}

export function playFrom(seconds) {
  if (byId("player").hidden) {
    pressed = { seconds, until: performance.now() + LATE_MS };
    return;
  }
  audio.currentTime = seconds;
  audio.play().catch(() => {});
}

/** Where the player is, in seconds. */
export const currentTime = () => audio.currentTime;

/** Call `action` whenever the player is elsewhere. */
export function whenMoved(action) {
  for (const kind of ["timeupdate", "seeked"]) audio.addEventListener(kind, action);
}

/** A time that is heard when it is pressed. */
export function playButton(seconds) {
  const time = clock(seconds);
  return makeButton(time, t("Play from {time}", { time }), () => playFrom(seconds), "link");
}

const seekTo = (fraction) => {
  audio.currentTime = Math.min(1, Math.max(0, fraction)) * duration();
};
canvas.addEventListener("click", (event) => seekTo(event.offsetX / canvas.clientWidth));
const toggle = () => (audio.paused ? audio.play().catch(() => {}) : audio.pause());
const KEYS = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5, PageDown: -30, PageUp: 30 };
canvas.addEventListener("keydown", (event) => {
  const jump = KEYS[event.key];
  if (jump) audio.currentTime = Math.min(duration(), Math.max(0, audio.currentTime + jump));
  else if (event.key === "Home") audio.currentTime = 0;
  else if (event.key === "End") audio.currentTime = duration();
  else if (event.key === " ") toggle();
  else return;
  event.preventDefault();
});

// Anywhere else on the page, unless the key means something there
addEventListener("keydown", (/** @type {any} */ event) => {
  const isPlain = !event.defaultPrevented && !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
  const isTaken = event.target.closest("button, a, input, select, textarea, audio, dialog, [contenteditable]");
  if (!isPlain || isTaken || byId("player").hidden) return;
  if (event.key === " ") toggle();
  else if (event.key === "ArrowLeft" || event.key === "ArrowRight") audio.currentTime += KEYS[event.key];
  else return;
  event.preventDefault();
});

const speed = byId("speed");
const SPEED = "reflector.speed";
speed.addEventListener("change", () => {
  audio.playbackRate = audio.defaultPlaybackRate = Number(speed.value);
  remember(SPEED, speed.value);
});
const remembered = recall(SPEED);
if ([...speed.options].some((option) => option.value === remembered)) {
  speed.value = remembered;
  speed.dispatchEvent(new Event("change"));
}
audio.addEventListener("timeupdate", () => {
  draw();
  mark();
});
audio.addEventListener("loadedmetadata", draw);
audio.addEventListener("seeked", () => {
  draw();
  mark();
});
addEventListener("resize", draw);
