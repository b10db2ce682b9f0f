// The record button of the library: what records, how loud it is, up to where it is saved. After *Stop* it is an upload.

import { byId, clock, draw, make, makeButton } from "../dom.js";
import { t } from "../text.js";
import { canRecord, Recorder } from "./recorder.js";
import * as store from "./store.js";

/** @type {Recorder | null} */
let recorder = null;
let user = "";
/** @type {(file: File) => Promise<boolean>} whether the browser keeps the upload */
let upload = async () => false;

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
  byId("recorder-saved").textContent = t("Saved up to {time}", { time: clock(recorder.recording.seconds) });
  byId("recorder-level").value = recorder.isPaused ? 0 : recorder.level;
  byId("recorder-pause").textContent = recorder.isPaused ? t("Go on") : t("Pause");
  say(recorder.warning);
}

const keepPage = (event) => event.preventDefault();

async function start() {
  say("");
  const fresh = new Recorder({ user, onChange: show, onEnd: () => hand(fresh.recording) });
  byId("recorder-start").disabled = true;
  try {
    await fresh.start({ device: byId("recorder-device").value, withShared: byId("recorder-shared").checked });
    recorder = fresh;
    addEventListener("beforeunload", keepPage);
    byId("recorder-stop").focus();
    offerDevices();
  } catch (error) {
    say(error.message);
  }
  byId("recorder-start").disabled = false;
  show();
}

/** A recording that has ended becomes an upload, and is no recording any more once that is kept. @param {store.Recording} recording */
async function hand(recording) {
  const warning = recorder?.recording === recording ? recorder.warning : "";
  if (recorder?.recording === recording) recorder = null;
  removeEventListener("beforeunload", keepPage);
  show();
  say(warning);
  try {
    const file = await store.fileOf(recording);
    // Without room for the upload, the recording stays
    if (!file.size || (await upload(file))) await store.remove(recording.key);
  } catch (error) {
    say(`${error.message} ${t("The recording is kept. Load this page again to upload it.")}`);
  }
}

/** What a closed or crashed tab has left. */
async function offerInterrupted() {
  const found = await store.interrupted(user).catch(() => []);
  draw(byId("interrupted"), found, () => found.map(line));
}

/** @param {store.Recording} recording */
function line(recording) {
  const { name } = recording;
  const box = make("div", { className: "upload" });
  const throwAway = async () => {
    if (!confirm(t("This recording is not uploaded. Throw it away for good?"))) return;
    box.remove();
    await store.remove(recording.key);
  };
  const pass = async () => {
    box.remove();
    await hand(recording);
  };
  const dismiss = makeButton(t("Dismiss"), t("Dismiss {name}", { name }), throwAway);
  const send = makeButton(t("Upload"), t("Upload {name}", { name }), pass, "primary");
  const saved = t("It was interrupted. Saved up to {time}", { time: clock(recording.seconds) });
  box.append(
    make("div", { className: "upload-line" }, make("span", { dir: "auto" }, name), make("span", {}, saved)),
    make("div", { className: "row" }, dismiss, send),
  );
  return box;
}

/**
 * @param {string} account
 * @param {(file: File) => Promise<boolean>} onFile keeps the file for its upload
 */
export function listenToRecorder(account, onFile) {
  user = account;
  upload = onFile;
  byId("record").addEventListener("click", async () => {
    byId("recorder").hidden = false;
    byId("record").setAttribute("aria-expanded", "true");
    if (!canRecord()) {
      byId("recorder-choice").hidden = true;
      say(t("Browsers record on pages with TLS only. Open this page under its https address, or upload a recording."));
      return;
    }
    await offerDevices();
    byId("recorder-start").focus();
  });
  byId("recorder-start").addEventListener("click", start);
  byId("recorder-stop").addEventListener("click", () => recorder?.stop());
  byId("recorder-pause").addEventListener("click", () => {
    if (recorder?.isPaused) recorder.resume();
    else recorder?.pause();
    show();
  });
  navigator.mediaDevices?.addEventListener?.("devicechange", offerDevices);
  // The microphone is not taken by another page of this program while a session ends
  addEventListener("visibilitychange", () => {
    if (!document.hidden && recorder && !recorder.isPaused)
      navigator.wakeLock
        ?.request("screen")
        .then((lock) => {
          if (recorder) recorder.wakeLock = lock;
        })
        .catch(() => {});
  });
  offerInterrupted();
  setInterval(() => recorder === null && offerInterrupted(), 5000);
}
