// One recording: fills in as events arrive, and stays useful while it does.

import { api, at, byId, clock, draw, make, showStatus } from "./dom.js";
import { markdown } from "./markdown.js";
import { followWords, loadAudio, playFrom, showWaveform } from "./player.js";
import { noteProgress, showSteps, whenRetried } from "./steps.js";
import { listenToWords, render } from "./words.js";

const id = byId("transcript").dataset.id;
const base = `/v1/transcripts/${id}`;
const RECONNECT_MS = 2000;
const NOT_ALLOWED = 1008;
let leaving = false;  // deleted here: the page goes to the list by itself
const state = { transcript: null, run: null, topics: [], words: [] };

const participant = (speaker) => state.transcript?.participants?.find((p) => p.speaker === speaker);
const nameOf = (speaker) => participant(speaker)?.name ?? `Speaker ${speaker}`;

function showHead() {
  const { title, name, created_at: created, duration, status } = state.transcript;
  const shown = title || name || "Recording";
  byId("title").textContent = shown;
  document.title = `${shown} – Reflector`;
  const date = new Date(created).toLocaleString([], { dateStyle: "full", timeStyle: "short" });
  byId("meta").textContent = [title && name ? name : null, date, duration ? clock(duration / 1000) : null]
    .filter(Boolean).join(" · ");
  showStatus(byId("status"), status);
  byId("process").hidden = !["ended", "error"].includes(status) || !state.run?.run;
}

function showSummary(text) {
  byId("summary").hidden = !text;
  if (text) draw(byId("summary-text"), text, () => markdown(text.replace(/^# (Quick recap|Summary)\n+/gm, "")));
}

function showActions(items) {
  const lists = [
    ["Decisions", items?.decisions?.map((d) => [d.decision, d.decided_by]) ?? []],
    ["Next steps", items?.next_steps?.map((n) => [n.task, [n.assigned_to, n.deadline].filter(Boolean).join(", ")]) ?? []],
  ].filter(([, entries]) => entries.length);
  byId("actions").hidden = lists.length === 0;
  draw(byId("actions-text"), lists, () => lists.flatMap(([heading, entries]) => [
    make("h3", {}, heading),
    make("ul", {}, ...entries.map(([text, detail]) =>
      make("li", {}, text, detail ? make("div", { className: "detail" }, detail) : null))),
  ]));
}

function showTopics() {
  byId("topics").hidden = state.topics.length === 0;
  draw(byId("topics-list"), state.topics, () => state.topics.map((topic) => {
    const time = make("button", { type: "button", className: "link" }, clock(topic.timestamp));
    time.setAttribute("aria-label", `Play from ${clock(topic.timestamp)}`);
    time.addEventListener("click", () => playFrom(topic.timestamp));
    return make("li", {}, time, " ", make("a", { href: `#topic-${topic.id}` }, topic.title), make("p", {}, topic.summary));
  }));
}

function showWords() {
  byId("words").hidden = state.words.length === 0;
  draw(byId("words-text"), [state.words, state.topics, state.transcript.participants], () => {
    const { elements, followed } = render(state.words, state.topics, nameOf, rename);
    followWords(followed);
    return elements;
  });
}

async function showTranslation(step) {
  if (step?.state !== "done" || !byId("translation").hidden) return;
  const found = await api(`${base}/translation`).catch(() => null);  // none: it was not to be translated
  if (!found) return;
  byId("translation-text").lang = found.language;
  byId("translation-text").replaceChildren(...found.text.split("\n").map((line) => make("p", {}, line)));
  byId("translation").hidden = false;
}

async function refreshRun() {
  state.run = await api(`${base}/run`);
  showSteps(state.run);
  showActions(state.run.action_items);
  showError(state.run.error);
  const playback = state.run.steps.find((step) => step.name === "playback");
  if (playback?.state === "done") loadAudio(at(`${base}/audio/mp3`));
  await showTranslation(state.run.steps.find((step) => step.name === "translate"));
}

// One after the other: an answer that was under way for longer must not hide what is newer
let refreshed = Promise.resolve();
function refreshAll() {
  refreshed = refreshed.catch(() => {}).then(load);
  return refreshed;
}

async function load() {
  [state.transcript, state.topics, state.words] = await Promise.all(
    [base, `${base}/topics`, `${base}/words`].map((path) => api(path)));
  await refreshRun();
  showHead();
  showSummary(state.transcript.long_summary);
  showTopics();
  showWords();
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

let refreshTimer = null;
function refreshSoon() {
  clearTimeout(refreshTimer);
  refreshTimer = setTimeout(() => act(async () => {}), 150);
}

const HANDLERS = {
  STATUS: refreshSoon,
  TOPIC: refreshSoon,
  TRANSCRIPT: refreshSoon,
  FINAL_TITLE: refreshSoon,
  FINAL_LONG_SUMMARY: (data) => showSummary(data.long_summary),
  ACTION_ITEMS: (data) => showActions(data.action_items),
  WAVEFORM: (data) => showWaveform(data.waveform),
  DURATION: refreshSoon,
  CHANGED: refreshSoon,
  PROGRESS: (data) => {
    noteProgress(data);
    const step = state.run?.steps.find((s) => s.name === data.step);
    if (!step || step.state !== "running" || data.fraction >= 1) refreshRunSoon();
    if (step && step.state === "pending") step.state = "running";
    if (state.run) showSteps(state.run);
  },
};

let runTimer = null;
function refreshRunSoon() {
  runTimer ??= setTimeout(() => {
    runTimer = null;
    refreshRun().catch(() => {});
  }, 400);
}

function connect() {
  const address = new URL(at(`${base}/events`), location.href);
  address.protocol = address.protocol.replace("http", "ws");
  const socket = new WebSocket(address);
  socket.addEventListener("open", refreshSoon);
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(data);
    HANDLERS[message.event]?.(message.data);
  });
  socket.addEventListener("close", ({ code }) => {
    if (leaving) return;
    if (code === NOT_ALLOWED) location.reload();  // the server says why, or asks for a login
    else setTimeout(connect, RECONNECT_MS);
  });
}

const EDITED = { title: "title", short_summary: "short summary", long_summary: "summary", speakers: "speakers" };
const processAgain = (edits) => act(() => api(`${base}/process?edits=${edits}`, { method: "POST" }));

let renamed = null;
function rename(speaker) {
  renamed = speaker;
  byId("rename-name").value = participant(speaker)?.name ?? "";
  byId("rename").showModal();
  byId("rename-name").select();
}

byId("rename").querySelector("form").addEventListener("submit", (event) => {
  const name = byId("rename-name").value.trim();
  if (!name) return;
  const known = participant(renamed);
  const [method, path] = known
    ? ["PATCH", `${base}/participants/${encodeURIComponent(known.id)}`]
    : ["POST", `${base}/participants`];
  act(() => api(path, { method, body: JSON.stringify({ speaker: renamed, name }) }));
});

for (const button of document.querySelectorAll("[data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close(""));
}
byId("delete").addEventListener("click", () => byId("confirm").showModal());
byId("confirm").addEventListener("close", async () => {
  if (byId("confirm").returnValue !== "ok") return;
  try {
    leaving = true;
    await api(base, { method: "DELETE" });
    location.href = at("/");
  } catch (error) {
    leaving = false;
    showError(error.message);
  }
});
byId("process").addEventListener("click", () => {
  const edited = state.run?.edited ?? [];
  if (edited.length === 0) return processAgain("keep");
  byId("process-edited").textContent = edited.map((part) => EDITED[part] ?? part).join(", ");
  byId("process-again").showModal();
});
byId("process-again").addEventListener("close", () => {
  const choice = byId("process-again").returnValue;
  if (choice) processAgain(choice);
});

whenRetried(() => act(() => api(`${base}/process?steps=failed`, { method: "POST" })));
listenToWords(byId("words-text"));
await refreshAll().catch((error) => showError(error.message));
connect();
