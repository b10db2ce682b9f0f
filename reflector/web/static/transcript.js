// One recording: fills in as events arrive, and stays useful while it does.

import { api, byId, clock, make, showStatus } from "./dom.js";
import { markdown } from "./markdown.js";
import { followWords, loadAudio, playFrom, showWaveform } from "./player.js";
import { noteProgress, showSteps } from "./steps.js";
import { listenToWords, render } from "./words.js";

const id = byId("transcript").dataset.id;
const base = `/v1/transcripts/${id}`;
const RECONNECT_MS = 2000;
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
  if (text) byId("summary-text").replaceChildren(...markdown(text.replace(/^# (Quick recap|Summary)\n+/gm, "")));
}

function showActions(items) {
  const lists = [
    ["Decisions", items?.decisions?.map((d) => [d.decision, d.decided_by]) ?? []],
    ["Next steps", items?.next_steps?.map((n) => [n.task, [n.assigned_to, n.deadline].filter(Boolean).join(", ")]) ?? []],
  ].filter(([, entries]) => entries.length);
  byId("actions").hidden = lists.length === 0;
  byId("actions-text").replaceChildren(...lists.flatMap(([heading, entries]) => [
    make("h3", {}, heading),
    make("ul", {}, ...entries.map(([text, detail]) =>
      make("li", {}, text, detail ? make("div", { className: "detail" }, detail) : null))),
  ]));
}

function showTopics() {
  byId("topics").hidden = state.topics.length === 0;
  byId("topics-list").replaceChildren(...state.topics.map((topic) => {
    const time = make("button", { type: "button", className: "link" }, clock(topic.timestamp));
    time.setAttribute("aria-label", `Play from ${clock(topic.timestamp)}`);
    time.addEventListener("click", () => playFrom(topic.timestamp));
    return make("li", {}, time, " ", make("a", { href: `#topic-${topic.id}` }, topic.title), make("p", {}, topic.summary));
  }));
}

let shownWords = "";
function showWords() {
  byId("words").hidden = state.words.length === 0;
  const now = JSON.stringify([state.words, state.topics, state.transcript.participants]);
  if (now === shownWords) return;  // what stays keeps the focus of who uses the keyboard
  shownWords = now;
  const { elements, followed } = render(state.words, state.topics, nameOf, rename);
  byId("words-text").replaceChildren(...elements);
  followWords(followed);
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
  showSteps(state.run, () => act(() => api(`${base}/process?steps=failed`, { method: "POST" })));
  showActions(state.run.action_items);
  showError(state.run.error);
  const playback = state.run.steps.find((step) => step.name === "playback");
  if (playback?.state === "done") loadAudio(`${base}/audio/mp3`);
  await showTranslation(state.run.steps.find((step) => step.name === "translate"));
}

async function refreshAll() {
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
  PROGRESS: (data) => {
    noteProgress(data);
    const step = state.run?.steps.find((s) => s.name === data.step);
    if (!step || step.state !== "running" || data.fraction >= 1) refreshRunSoon();
    if (step && step.state === "pending") step.state = "running";
    if (state.run) showSteps(state.run, () => {});
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
  const address = new URL(`${base}/events`, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  const socket = new WebSocket(address);
  socket.addEventListener("open", refreshSoon);
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(data);
    HANDLERS[message.event]?.(message.data);
  });
  socket.addEventListener("close", () => setTimeout(connect, RECONNECT_MS));
}

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
  const others = (state.transcript.participants ?? []).filter((p) => p.speaker !== renamed);
  const known = participant(renamed);
  const participants = [...others, { ...known, speaker: renamed, name }];
  act(() => api(base, { method: "PATCH", body: JSON.stringify({ participants }) }));
});

for (const button of document.querySelectorAll("[data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close(""));
}
byId("delete").addEventListener("click", () => byId("confirm").showModal());
byId("confirm").addEventListener("close", async () => {
  if (byId("confirm").returnValue !== "ok") return;
  try {
    await api(base, { method: "DELETE" });
    location.href = "/";
  } catch (error) {
    showError(error.message);
  }
});
byId("process").addEventListener("click", () => act(() => api(`${base}/process`, { method: "POST" })));

listenToWords(byId("words-text"));
await refreshAll().catch((error) => showError(error.message));
connect();
