// The record button of the library: what records, how loud it is, what is said, and up to where it is saved.

import { api, at, byId, clock, draw, make, makeButton } from "../dom.js";
import { NAME } from "../kept.js";
import { follow } from "../live/events.js";
import { LiveText } from "../live/text.js";
import { t } from "../text.js";
import { discard } from "../uploads/send.js";
import { Delivery } from "./delivery.js";
import { canRecord, Recorder } from "./recorder.js";
import * as store from "./store.js";

/** @type {Recorder | null} */
let recorder = null;
/** Of what is recorded now, or was last. @type {Delivery | null} */
let delivery = null;
let user = "";
/** @type {(file: File) => Promise<boolean>} whether the browser keeps the upload */
let upload = async () => false;
/** @type {() => Pick<store.Recording, "language" | "target" | "room" | "tags" | "options">} */
let choices = () => ({ language: "auto", target: "", tags: [], options: {} });
/** Ends the live text that is shown. */
let unfollow = () => {};

const say = (text) => {
  byId("recorder-problem").hidden = !text;
  byId("recorder-problem").textContent = text;
};

async function offerDevices() {
  const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  const select = byId("recorder-device");
  const chosen = select.value;
  const [first] = select.options;
  const microphones = devices.filter(({ kind, deviceId }) => kind === "audioinput" && deviceId);
  const named = microphones.map(({ deviceId, label }, n) =>
    make("option", { value: deviceId }, label || t("Microphone {number}", { number: n + 1 })),
  );
  select.replaceChildren(first, ...named);
  select.value = chosen;
  if (select.selectedIndex < 0) select.value = "";
}

function show() {
  const isOn = recorder !== null;
  byId("recorder-choice").hidden = isOn;
  byId("recorder-running").hidden = !isOn;
  byId("record").disabled = isOn;
  if (!recorder) return;
  byId("recorder-time").textContent = clock(recorder.elapsed);
  byId("recorder-saved").textContent = savedUpTo(recorder.recording);
  byId("recorder-level").value = recorder.isPaused ? 0 : recorder.level;
  byId("recorder-pause").textContent = recorder.isPaused ? t("Go on") : t("Pause");
  say(recorder.warning);
}

/** @param {store.Recording} recording that is being made */
function savedUpTo({ seconds }) {
  if (delivery?.isConnected) return t("Saved up to {time}", { time: clock(delivery.seconds) });
  const kept = clock(seconds);
  return t("Kept in this browser up to {time}. It is sent once the server can be reached.", { time: kept });
}

/** Show what is said below the recorder. @param {string} id */
function followText(id) {
  const box = byId("recorder-text");
  box.replaceChildren();
  byId("recorder-live").hidden = false;
  byId("recorder-captions").href = at(`/live/${id}`);
  const text = new LiveText(box, byId("recorder-state"));
  unfollow();
  // Whatever becomes of the text, the recording goes on
  unfollow = follow(`/v1/transcripts/${id}`, { LIVE: (data) => text.add(data) }, { onDenied: () => {} });
}

const keepPage = (event) => event.preventDefault();

let isStarting = false;

/**
 * @param {string | null} transcript one that goes on
 * @param {Promise<void>} after what has to be there before it
 */
async function start(transcript = null, after = Promise.resolve()) {
  if (recorder || isStarting) return;
  isStarting = true;
  say("");
  /** @type {Delivery} */
  let own;
  const fresh = new Recorder({
    user,
    choices: choices(),
    transcript,
    onBegin: () => {
      recorder = fresh;
      own = deliver(fresh.recording, { onTranscript: followText, onChange: show, after });
      delivery = own;
    },
    onChange: show,
    onPiece: (piece, seconds) => own.add(piece, seconds),
    onEnd: () => finish(fresh, own),
  });
  byId("recorder-start").disabled = true;
  try {
    await fresh.start({ device: byId("recorder-device").value, withShared: byId("recorder-shared").checked });
    addEventListener("beforeunload", keepPage);
    byId("recorder-stop").focus();
    offerDevices();
  } catch (error) {
    say(error.message);
  }
  isStarting = false;
  byId("recorder-start").disabled = false;
  show();
}

const STAY_MS = 3000;
/** What this tab sends, with the timer that tells other tabs so. @type {Map<number, ReturnType<typeof setInterval>>} */
const active = new Map();

function release(recording) {
  clearInterval(active.get(recording.key));
  active.delete(recording.key);
}

/** Bring a recording to the server; where that is not possible, as an upload. @param {store.Recording} recording */
function deliver(recording, options = {}) {
  active.set(
    recording.key,
    setInterval(() => store.keepAlive(recording).catch(() => {}), STAY_MS),
  );
  return new Delivery(recording, {
    ...options,
    onDone: async (id) => {
      release(recording);
      await store.remove(recording.key).catch(() => {});
      if (recording === awaited && !recorder) location.href = at(`/transcripts/${id}`);
      else if (!recorder) hideText();
    },
    onRefused: (sentence) => {
      // What is still recorded goes on, and is uploaded at its end
      if (recorder?.recording === recording) recorder.warning = sentence;
      else hand(recording);
    },
  });
}

/** The recording whose page is wanted once it is there. @type {store.Recording | null} */
let awaited = null;

/**
 * Stop was pressed, or the last source is gone: the rest is sent.
 *
 * @param {Recorder} ended
 * @param {Delivery} own
 */
async function finish(ended, own) {
  const { recording, warning, isLost } = ended;
  recorder = null;
  // What took the person's microphone away is to be read; the list has the recording
  awaited = isLost ? null : recording;
  removeEventListener("beforeunload", keepPage);
  show();
  say(warning || t("The end of the recording is being sent."));
  recording.isStopped = true;
  await store.keepAlive(recording).catch(() => {});
  if (own.isOver) await hand(recording, isLost ? warning : "");
  else own.complete();
}

function hideText() {
  unfollow();
  byId("recorder-live").hidden = true;
}

/**
 * The recording becomes an upload, and is no recording any more once that is kept.
 *
 * @param {store.Recording} recording
 * @param {string} sentence what stays to be read
 */
async function hand(recording, sentence = "") {
  hideText();
  try {
    const file = await store.fileOf(recording);
    // Without room for the upload, the recording stays
    if (!file.size || (await upload(file))) {
      release(recording);
      await store.remove(recording.key);
      if (recording.transcript) await discard(recording.transcript);
    }
    say(sentence);
  } catch (error) {
    say(`${error.message} ${t("The recording is kept. Load this page again to upload it.")}`);
  }
}

/**
 * Send what a closed tab has left, if no other tab does. The tab that made it had sent some.
 *
 * @param {store.Recording} recording
 * @param {boolean} isEnd the transcript ends with it
 * @returns {Promise<void>} once it is there, or given up
 */
async function sendLeft(recording, isEnd) {
  const work = async () => {
    recording.isStopped = isEnd;
    await store.keepAlive(recording);
    const left = deliver(recording, { stops: isEnd });
    for (const piece of await store.read(recording)) left.add(piece, recording.seconds);
    left.complete();
    await left.settled;
  };
  if (!navigator.locks) return work();
  const name = `${NAME}.recording.${recording.key}`;
  await navigator.locks.request(name, { ifAvailable: true }, (lock) => (lock ? work() : undefined));
}

/** What a closed or crashed tab has left. */
async function offerInterrupted() {
  const all = await store.interrupted(user).catch(() => []);
  const found = all.filter(({ key }) => !active.has(key));
  // Somebody pressed Stop, and the page was left before all was there
  for (const recording of found.filter(({ isStopped }) => isStopped)) sendLeft(recording, true);
  const open = found.filter(({ isStopped }) => !isStopped);
  draw(byId("interrupted"), open, () => open.map(line));
}

/** @param {store.Recording} recording */
function line(recording) {
  const { name } = recording;
  const box = make("div", { className: "upload" });
  const throwAway = async () => {
    if (!confirm(t("This recording is not uploaded. Throw it away for good?"))) return;
    box.remove();
    await store.remove(recording.key);
    if (recording.transcript)
      await api(`/v1/transcripts/${recording.transcript}`, { method: "DELETE" }).catch(() => {});
  };
  const pass = async () => {
    box.remove();
    await sendLeft(recording, true);
  };
  const goOn = async () => {
    if (recorder || isStarting) return;
    box.remove();
    openRecorder();
    await start(recording.transcript, sendLeft(recording, false));
  };
  const dismiss = makeButton(t("Dismiss"), t("Dismiss {name}", { name }), throwAway);
  const send = makeButton(t("Turn it into text"), t("Turn {name} into text", { name }), pass, "primary");
  const resume = makeButton(t("Go on"), t("Go on with {name}", { name }), goOn);
  const saved = t("It was interrupted. Saved up to {time}", { time: clock(recording.seconds) });
  box.append(
    make("div", { className: "upload-line" }, make("span", { dir: "auto" }, name), make("span", {}, saved)),
    make("div", { className: "row" }, dismiss, recording.transcript ? resume : null, send),
  );
  return box;
}

function openRecorder() {
  byId("recorder").hidden = false;
  byId("record").setAttribute("aria-expanded", "true");
}

/**
 * @param {string} account
 * @param {(file: File) => Promise<boolean>} onFile keeps the file for its upload
 * @param {typeof choices} choose what was chosen beside the recording
 */
export function listenToRecorder(account, onFile, choose) {
  user = account;
  upload = onFile;
  choices = choose;
  byId("record").addEventListener("click", async () => {
    openRecorder();
    if (!canRecord()) {
      byId("recorder-choice").hidden = true;
      say(t("Browsers record on pages with TLS only. Open this page under its https address, or upload a recording."));
      return;
    }
    await offerDevices();
    byId("recorder-start").focus();
  });
  byId("recorder-start").addEventListener("click", () => start());
  byId("recorder-stop").addEventListener("click", () => recorder?.stop());
  byId("recorder-pause").addEventListener("click", () => {
    if (recorder?.isPaused) recorder.resume();
    else recorder?.pause();
    show();
  });
  navigator.mediaDevices?.addEventListener?.("devicechange", offerDevices);
  // The microphone is not taken by another page of this program while a session ends
  addEventListener("visibilitychange", () => {
    if (!document.hidden && recorder && !recorder.isPaused) recorder.keepAwake();
  });
  offerInterrupted();
  setInterval(() => recorder === null && offerInterrupted(), 5000);
}
