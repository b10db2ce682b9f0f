// What is being done, how far it is, and what went wrong.

import { all, byId, draw, make, timeLeft } from "./dom.js";
import { t } from "./text.js";

const LABELS = {
  decode: t("Reading the file"),
  playback: t("Sound for the player"),
  transcribe: t("Words"),
  diarize: t("Speakers"),
  assemble: t("Who said what"),
  topics: t("Topics"),
  title: t("Title"),
  summary: t("Summary"),
  actions: t("Action items"),
  translate: t("Translation"),
  finish: t("Finishing"),
};
const ANALYSIS = new Set(["topics", "title", "summary", "actions", "translate"]);
const progress = new Map();
const again = make("button", { type: "button", id: "retry" }, t("Try the missing parts again"));

let mayRetry = false;

/** `allowed`: whether this person may. */
export function whenRetried(allowed, action) {
  mayRetry = allowed;
  again.addEventListener("click", action);
}

function stepRow(step) {
  const live = step.state === "running" ? progress.get(step.name) : null;
  const fraction = step.state === "done" ? 1 : (live?.fraction ?? 0);
  const bar = make("progress", { max: 1, value: fraction });
  if (step.state === "running" && !live) bar.removeAttribute("value");
  bar.setAttribute("aria-label", LABELS[step.name] ?? step.name);
  const states = {
    done: t("done"),
    failed: t("failed"),
    pending: step.error ? t("waiting") : "",
    running: live ? `${Math.round(fraction * 100)} % ${timeLeft(live.eta)}` : t("working"),
  };
  return make(
    "div",
    { className: `step ${step.state}` },
    make("span", {}, LABELS[step.name] ?? step.name),
    bar,
    make("span", { className: "state" }, states[step.state]),
    step.error ? make("span", { className: "reason" }, step.error) : null,
  );
}

/** @param {import("../types").Run} run */
export function showSteps(run) {
  const box = byId("steps");
  const failed = run.steps.filter((step) => step.state === "failed");
  box.hidden = run.steps.length === 0 || (run.status === "ended" && !failed.length);
  const shown = run.status === "ended" ? failed : run.steps;
  const canRetry = mayRetry && run.status === "ended" && failed.some((step) => ANALYSIS.has(step.name));
  const live = shown.map((step) => progress.get(step.name));
  draw(box, [shown, live, canRetry], () => [...shown.map(stepRow), ...(canRetry ? [again] : [])]);
  const warnings = run.steps.flatMap((step) => step.warnings);
  byId("warnings").replaceChildren(...warnings.map((text) => make("p", { className: "notice mild" }, text)));
  for (const step of run.steps) {
    for (const mark of all(`[data-mark="${step.name}"]`)) mark.hidden = step.method !== "extractive";
  }
}

export function noteProgress(data) {
  progress.set(data.step, data);
}
