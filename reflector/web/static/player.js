// The waveform above the browser's own player, and which word is being heard.

import { byId, clock } from "./dom.js";

const audio = byId("audio");
const canvas = byId("waveform");
let peaks = [];
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
  canvas.setAttribute("aria-valuemax", String(Math.round(duration())));
  canvas.setAttribute("aria-valuenow", String(Math.round(audio.currentTime)));
  canvas.setAttribute("aria-valuetext", `${clock(audio.currentTime)} of ${clock(duration())}`);
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
}

export function showWaveform(values) {
  peaks = values;
  draw();
}

/** `[{start, end, element}]`, in order. */
export function followWords(list) {
  words = list;
  current = null;
}

export function loadAudio(url) {
  if (audio.getAttribute("src") !== url) audio.src = url;
  byId("player").hidden = false;
  draw();
}

export function playFrom(seconds) {
  audio.currentTime = seconds;
  audio.play().catch(() => {});
}

const seekTo = (fraction) => { audio.currentTime = Math.min(1, Math.max(0, fraction)) * duration(); };
canvas.addEventListener("click", (event) => seekTo(event.offsetX / canvas.clientWidth));
canvas.addEventListener("keydown", (event) => {
  const jump = { ArrowLeft: -5, ArrowRight: 5, PageDown: -30, PageUp: 30 }[event.key];
  if (jump) audio.currentTime = Math.min(duration(), Math.max(0, audio.currentTime + jump));
  else if (event.key === "Home") audio.currentTime = 0;
  else if (event.key === "End") audio.currentTime = duration();
  else if (event.key === " ") audio.paused ? audio.play() : audio.pause();
  else return;
  event.preventDefault();
});
audio.addEventListener("timeupdate", () => { draw(); mark(); });
audio.addEventListener("loadedmetadata", draw);
audio.addEventListener("seeked", () => { draw(); mark(); });
addEventListener("resize", draw);
