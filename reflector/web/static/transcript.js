// One recording: fills in as events arrive, and stays useful while it does.

import { listenToActions, showActions } from "./actions.js";
import { listenToCopy } from "./copy.js";
import { correct, isCorrecting } from "./correct.js";
import { date } from "./dates.js";
import { isLeaving, leave, listenToDialogs } from "./dialogs.js";
import {
  all,
  api,
  at,
  byId,
  clock,
  draw,
  enableControls,
  listenToMenus,
  make,
  send,
  showStatus,
  titleOf,
} from "./dom.js";
import { findIn, listenToFind } from "./find.js";
import { listenToHistory } from "./history.js";
import { follow } from "./live/events.js";
import { LiveText } from "./live/text.js";
import { listenToMail } from "./mail.js";
import { markdown } from "./markdown.js";
import { listenToNotes } from "./notes.js";
import {
  currentTime,
  followWords,
  loadAudio,
  playButton,
  showTopicMarks,
  showWaveform,
  unloadAudio,
} from "./player.js";
import { listenToReplace } from "./replace.js";
import { query } from "./search.js";
import { listenToShare } from "./share.js";
import { askWho, listenToSelection, listenToSpeakers } from "./speakers.js";
import { noteProgress, showSteps, whenRetried } from "./steps.js";
import { chip, listenToTags, loadTags, openTags, tagsOf } from "./tags.js";
import { t } from "./text.js";
import { listenToWordSize } from "./text_size.js";
import { offerVideo } from "./video.js";
import { listenToUnsure, listenToWords, render } from "./words.js";

// What this person may do: the server says it, and decides it again at each request
const { id, ...rights } = byId("transcript").dataset;
const may = (right) => right in rights;
const base = `/v1/transcripts/${id}`;
/**
 * @type {{ transcript: import("../types").Transcript, run: import("../types").Run | null,
 *   topics: import("../types").Topic[], words: import("../types").Word[] }}
 */
const state = { transcript: /** @type {any} */ (null), run: null, topics: [], words: [] };

const participant = (speaker) => state.transcript?.participants?.find((p) => p.speaker === speaker);
const nameOf = (speaker) => participant(speaker)?.name ?? t("Speaker {number}", { number: speaker + 1 });

const live = new LiveText(byId("live-text"), byId("live-state"));

const isRecorded = () => state.transcript?.status === "recording";

/** What is said, until the final text takes its place. */
function showLive() {
  byId("live").hidden = live.isEmpty || state.words.length > 0;
  if (!isRecorded()) live.end();
}

/** The work has ended while nobody looked at this tab. */
let isNews = false;

function showHead() {
  const { title, name, created_at: created, duration, status } = state.transcript;
  const shown = titleOf(state.transcript);
  byId("title").textContent = shown;
  document.title = `${isNews ? "✓ " : ""}${shown} – Reflector`;
  byId("meta").textContent = [
    title && name ? name : null,
    date(created, "full"),
    duration ? clock(duration / 1000) : null,
  ]
    .filter(Boolean)
    .join(" · ");
  showStatus(byId("status"), status);
  if (byId("share")) byId("share").value = state.transcript.share_mode;
  if (may("change")) byId("reviewed").checked = state.transcript.reviewed;
  byId("checked").hidden = !state.transcript.reviewed;
  byId("process").hidden = !may("process") || !["ended", "error"].includes(status) || !state.run?.run;
}

function showSummary(text) {
  byId("summary").hidden = !text;
  if (text) draw(byId("summary-text"), text, () => markdown(text.replace(/^# (Quick recap|Summary)\n+/gm, "")));
}

function showTopics() {
  byId("topics").hidden = state.topics.length === 0;
  showTopicMarks(state.topics);
  draw(byId("topics-list"), state.topics, () =>
    state.topics.map((topic) => {
      return make(
        "li",
        { dir: "auto" },
        playButton(topic.timestamp),
        " ",
        make("a", { href: `#topic-${topic.id}` }, topic.title),
        make("p", {}, topic.summary),
      );
    }),
  );
}

const spanOf = (words) => ({ start: words[0].start, end: words.at(-1).start });

/** After a correction: the text anew, and the focus where it was. */
async function backTo(start) {
  await reread();
  const word = document.querySelector(`#words-text .word[data-start="${start}"]`);
  /** @type {HTMLElement | null | undefined} */
  const button = word?.closest(".turn")?.querySelector(".edit");
  button?.focus();
}

function showWords() {
  byId("words").hidden = state.words.length === 0;
  showLive();
  byId("unsure-label").hidden = !state.words.some(({ probability }) => typeof probability === "number");
  if (isCorrecting()) return; // what is typed stays
  draw(byId("words-text"), [state.words, state.topics, state.transcript.participants], () => {
    const { elements, followed } = render(
      state.words,
      state.topics,
      nameOf,
      may("change") ? (turn) => askWho({ speaker: turn.speaker, turn: spanOf(turn.words), selection: null }) : null,
      may("change") ? (turn, text) => correct(base, turn.words, text, () => backTo(turn.words[0].start)) : null,
    );
    followWords(followed);
    findIn(followed.map((word) => word.element));
    return elements;
  });
}

async function showTranslation(step) {
  if (step?.state !== "done" || !byId("translation").hidden) return;
  const found = await api(`${base}/translation`).catch(() => null); // none: it was not to be translated
  if (!found) return;
  byId("translation-text").lang = found.language;
  byId("translation-text").replaceChildren(...found.text.split("\n").map((line) => make("p", {}, line)));
  byId("translation").hidden = false;
}

/** @returns {Promise<import("../types").Run>} */
const readRun = () => api(`${base}/run`);
const refreshRun = async () => showRun(await readRun());

/** @param {import("../types").Run} run */
async function showRun(run) {
  state.run = run;
  showSteps(run);
  showActions(run.action_items, run.status === "ended");
  showError(run.error);
  const playback = run.steps.find((step) => step.name === "playback");
  showSound(playback?.state === "done");
  await showTranslation(run.steps.find((step) => step.name === "translate"));
}

function showSound(isThere) {
  const reason = state.transcript.audio_deleted
    ? t("The audio of this recording was deleted.")
    : isThere && !may("hear")
      ? may("linked")
        ? t("This link is without the sound.")
        : t("Log in to hear this recording.")
      : "";
  byId("no-sound").hidden = !reason;
  byId("no-sound").textContent = reason;
  if (reason) unloadAudio();
  else if (isThere) {
    loadAudio(at(`${base}/audio/mp3`));
    if (may("video")) offerVideo(at(`${base}/video`), at(`${base}/export/vtt`));
  }
}

// One after the other: an answer that was under way for longer must not hide what is newer
let refreshed = Promise.resolve();
function refreshAll() {
  refreshed = refreshed.catch(() => {}).then(load);
  return refreshed;
}

// The number of the transcript's last change that this page has: until then nothing is fetched again
let known = Number(byId("transcript").dataset.seq);

/** @param {import("../types").Run | null} run */
const isOver = (run) =>
  run?.status === "ended" && run.steps.every(({ state: each }) => each === "done" || each === "failed");

async function load() {
  // At first the server has just said the number; later it is read before what it numbers
  if (state.transcript) {
    const run = await readRun();
    if (run.change_seq !== known || !isOver(run) || !isOver(state.run)) {
      await readTexts();
      known = run.change_seq;
      await showRun(run);
    }
  } else {
    await readTexts();
    await refreshRun();
  }
  showHead();
  showSummary(state.transcript.long_summary);
  showTopics();
  showWords();
  enableControls();
}

async function readTexts() {
  [state.transcript, state.topics, state.words] = await Promise.all(
    [base, `${base}/topics`, `${base}/words`].map((path) => api(path)),
  );
}

function showError(text) {
  byId("error").hidden = !text;
  byId("error").textContent = text ?? "";
}

async function act(action) {
  try {
    await action();
    await refreshAll();
  } catch (error) {
    showError(error.message);
  }
}

/** Read all again, and say why where that fails. */
const reread = () => act(async () => {});

let refreshTimer = null;
function refreshSoon() {
  clearTimeout(refreshTimer);
  refreshTimer = setTimeout(reread, 150);
}

const HANDLERS = {
  STATUS: ({ value }) => {
    isNews = value === "ended" && document.hidden;
    refreshSoon();
  },
  TOPIC: refreshSoon,
  TRANSCRIPT: () => {
    // While it is recorded, these are lines of the live text
    if (!isRecorded()) refreshSoon();
  },
  LIVE: (data) => {
    live.add(data);
    showLive();
    if (byId("note-at") && isRecorded()) byId("note-at").textContent = clock(live.seconds);
  },
  FINAL_TITLE: refreshSoon,
  FINAL_LONG_SUMMARY: (data) => showSummary(data.long_summary),
  ACTION_ITEMS: refreshSoon,
  WAVEFORM: (data) => showWaveform(data.waveform),
  DURATION: refreshSoon,
  CHANGED: refreshSoon,
  PROGRESS: (data) => {
    noteProgress(data);
    const step = state.run?.steps.find((s) => s.name === data.step);
    if (step?.state !== "running" || data.fraction >= 1) refreshRunSoon();
    if (step && step.state === "pending") step.state = "running";
    if (state.run) showSteps(state.run);
  },
};

async function showTags() {
  await loadTags();
  const own = (await tagsOf([id]))[id] ?? [];
  byId("tag-chips").replaceChildren(...own.flatMap((tag) => [chip(tag), " "]));
}

/** @type {number | null} */
let runTimer = null;
function refreshRunSoon() {
  if (runTimer !== null) return;
  runTimer = setTimeout(() => {
    runTimer = null;
    refreshRun().catch(() => {});
  }, 400);
}

function show(tab) {
  byId("transcript").dataset.tab = tab;
  for (const button of all("[data-show]")) {
    button.setAttribute("aria-pressed", String(button.dataset.show === tab));
  }
}
for (const button of all("[data-show]")) {
  button.addEventListener("click", () => show(button.dataset.show));
}
// On a phone a topic is in the other tab
byId("topics-list").addEventListener("click", ({ target }) => {
  if (target.closest("a")) show("words");
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden || !isNews) return;
  isNews = false;
  showHead();
});
listenToFind(query());
listenToDialogs(
  base,
  () => state.transcript,
  () => state.run?.edited ?? [],
  reread,
);
if (byId("share-open")) listenToShare(base, id);
if (byId("mail-open")) listenToMail(base);
byId("leave")?.addEventListener("click", ({ target }) =>
  leave(() => send(`${base}/shares/people/${target.dataset.user}`, "DELETE")).catch((error) =>
    showError(error.message),
  ),
);
whenRetried(may("process"), () => act(() => api(`${base}/process?steps=failed`, { method: "POST" })));
listenToWords(byId("words-text"));
listenToUnsure(byId("words-text"));
listenToCopy(base);
listenToMenus();
if (may("change")) {
  listenToSpeakers(base, () => /** @type {any} */ (state.transcript.participants) ?? [], reread);
  listenToSelection();
  listenToActions(base, act);
  listenToHistory(base, reread);
  listenToReplace(base, () => state.words, reread);
  byId("reviewed").addEventListener("change", ({ target }) =>
    act(() => send(base, "PATCH", { reviewed: target.checked })),
  );
}
if (byId("tags-open")) {
  const update = () => showTags().catch((error) => showError(error.message));
  listenToTags(update);
  byId("tags-open").addEventListener("click", () => openTags([id]));
  update();
  listenToNotes(
    base,
    (action) => action().catch((error) => showError(error.message)),
    () => (isRecorded() ? live.seconds : currentTime()),
  );
}
listenToWordSize();
await refreshAll().catch((error) => showError(error.message));
follow(base, HANDLERS, { onOpen: refreshSoon, isLeaving });
