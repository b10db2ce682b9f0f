// Records microphones and the sound of a tab, and keeps each second in the browser.

import { t } from "../text.js";
import { Meter } from "./meter.js";
import * as store from "./store.js";

const PIECE_MS = 1000;
// Enough for speech, and for a line of 64 kbit/s
const BIT_RATE = 48_000;
const SILENT_SECONDS = 10;
const MOST_CLIPPED = 20;
const TYPES = ["audio/webm;codecs=opus", "audio/mp4"];

/** The browser records only on pages with TLS, and on the machine itself. */
export const canRecord = () => Boolean(navigator.mediaDevices?.getUserMedia) && "MediaRecorder" in window;

/** In the words of people. @param {any} error of getUserMedia or getDisplayMedia */
function reason(error) {
  const names = {
    NotAllowedError: t("The browser was not allowed to use it. Allow it in the address bar, then try again."),
    NotFoundError: t("There is no microphone. Plug one in, then try again."),
    NotReadableError: t("Another program uses the microphone. Close that, then try again."),
  };
  return new Error(names[error.name] ?? error.message);
}

/** @param {string} device "" for the browser's choice */
async function microphone(device) {
  const audio = { deviceId: device ? { exact: device } : undefined, autoGainControl: true, noiseSuppression: false };
  return navigator.mediaDevices.getUserMedia({ audio }).catch((error) => {
    throw reason(error);
  });
}

/** The sound of a tab, a window or the whole system, as the person chooses. */
async function shared() {
  // Browsers share no sound without a picture; nobody looks at it, so it may be slow
  const wanted = { video: { frameRate: 1 }, audio: { echoCancellation: false, noiseSuppression: false } };
  const stream = await navigator.mediaDevices.getDisplayMedia(wanted).catch((error) => {
    throw reason(error);
  });
  if (stream.getAudioTracks().length) return stream;
  for (const track of stream.getTracks()) track.stop();
  throw new Error(t("That was shared without its sound. Tick “Share audio” in the dialogue of the browser."));
}

/** @param {AudioContext} context */
function toMono(context) {
  return new GainNode(context, { channelCount: 1, channelCountMode: "explicit" });
}

/**
 * A recording that is being made.
 *
 * `onChange` is called when something of it has changed: `seconds` saved, `level` from 0 to 1, `warning`.
 */
export class Recorder {
  /**
   * @param {{ user: string, choices: Pick<store.Recording, "language" | "target" | "room" | "tags" | "options">,
   *   transcript: string | null, onBegin: () => void, onChange: () => void, onEnd: () => void,
   *   onPiece: (piece: Blob, seconds: number) => void }} options
   *   `transcript`: one that it continues. `onBegin` is called before the first piece
   */
  constructor({ user, choices, transcript, onBegin, onChange, onPiece, onEnd }) {
    this.onBegin = onBegin;
    this.onChange = onChange;
    this.onPiece = onPiece;
    this.onEnd = onEnd;
    this.level = 0;
    this.warning = "";
    const now = new Date();
    /** @type {store.Recording} */
    this.recording = {
      key: now.getTime(),
      user,
      name: t("Recording of {when}", { when: now.toLocaleString(document.documentElement.lang) }).replaceAll("/", "-"),
      type: TYPES.find((type) => MediaRecorder.isTypeSupported(type)) ?? "",
      seconds: 0,
      until: 0,
      transcript,
      continues: transcript !== null,
      tracks: 1,
      isStopped: false,
      ...choices,
    };
    /** @type {MediaStream[]} */
    this.sources = [];
    this.pieces = 0;
    /** The browser has no room: what it keeps is the beginning, without gaps. */
    this.isFull = false;
    this.begun = 0;
    this.paused = 0;
    this.pausedAt = 0;
    this.writing = Promise.resolve();
    /** Of each source. @type {Meter[]} */
    this.meters = [];
    /** It ended because no source was left, and not by the person. */
    this.isLost = false;
  }

  get isPaused() {
    return this.media?.state === "paused";
  }

  /** @param {{ device: string, withShared: boolean }} choice @returns {Promise<void>} */
  async start({ device, withShared }) {
    // What is shared has to be asked for while the click is fresh
    if (withShared) this.sources.push(await shared());
    try {
      this.sources.unshift(await microphone(device));
      this.recording.tracks = this.sources.length;
      this.media = this.connect();
      await store.keepAlive(this.recording);
    } catch (error) {
      this.release();
      throw error;
    }
    navigator.storage?.persist?.().catch(() => {});
    this.onBegin();
    this.media.start(PIECE_MS);
    this.begun = performance.now();
    this.watching = setInterval(() => this.watch(), 100);
    this.keepAwake(); // pieces come meanwhile, so nothing waits for it
  }

  /** What records the sources. Two are two tracks: the microphone left, what is shared right. */
  connect() {
    this.context = new AudioContext();
    const out = this.context.createMediaStreamDestination();
    const tracks = this.context.createChannelMerger(2);
    if (this.sources.length > 1) tracks.connect(out);
    for (const [number, source] of this.sources.entries()) {
      const node = this.context.createMediaStreamSource(source);
      if (this.sources.length > 1) node.connect(toMono(this.context)).connect(tracks, 0, number);
      else node.connect(out);
      this.meters.push(new Meter(node));
      for (const track of source.getAudioTracks()) track.addEventListener("ended", () => this.lost());
    }
    const mimeType = this.recording.type || undefined;
    const media = new MediaRecorder(out.stream, { mimeType, audioBitsPerSecond: BIT_RATE });
    media.addEventListener("dataavailable", ({ data }) => this.keep(data));
    media.addEventListener("stop", () => this.writing.then(() => this.onEnd()));
    return media;
  }

  /** Browsers end it with each page that is hidden. */
  keepAwake() {
    navigator.wakeLock
      ?.request("screen")
      .then((lock) => {
        this.wakeLock = lock;
      })
      .catch(() => {});
  }

  /** Recorded, in seconds, without pauses. */
  get elapsed() {
    const now = this.isPaused ? this.pausedAt : performance.now();
    return Math.max(0, (now - this.begun - this.paused) / 1000);
  }

  /** @param {Blob} piece */
  keep(piece) {
    if (!piece.size) return;
    const number = this.pieces++;
    const seconds = this.elapsed;
    this.writing = this.writing.then(() =>
      Promise.resolve(this.isFull ? null : store.add({ ...this.recording, seconds }, number, piece))
        .then(() => {
          if (!this.isFull) this.recording.seconds = seconds;
        })
        .catch(() => {
          this.isFull = true;
          this.warning = t("The browser has no room to keep the recording. Stop it, and free some space.");
        })
        .then(() => {
          this.onPiece(piece, seconds);
          this.onChange();
        }),
    );
  }

  watch() {
    for (const meter of this.meters) meter.look(this.isPaused);
    this.level = Math.max(...this.meters.map(({ level }) => level));
    const [microphone, shared] = this.meters;
    const silent = t("Nothing has been heard for {number} seconds. Is the microphone switched off?", {
      number: SILENT_SECONDS,
    });
    this.warn(silent, microphone.quietSeconds > SILENT_SECONDS);
    // Others may be quiet for long, but their sound comes sooner or later
    const isMissing = Boolean(shared) && !shared.hasSound && shared.quietSeconds > SILENT_SECONDS;
    this.warn(t("Nothing has been heard of the shared sound yet. Is it switched off there?"), isMissing);
    const loud = t("The microphone is too loud, and words may be lost. Turn it down, or move it away.");
    this.warn(loud, microphone.clipped > MOST_CLIPPED, microphone.clipped < 1);
    this.onChange();
  }

  /**
   * Show a sentence while something is wrong, if no other is shown.
   *
   * @param {string} sentence @param {boolean} isWrong @param {boolean} isRight the sentence goes
   */
  warn(sentence, isWrong, isRight = !isWrong) {
    if (isWrong && !this.warning) this.warning = sentence;
    else if (isRight && this.warning === sentence) this.warning = "";
  }

  /** A source was taken away: what was recorded is kept, and the rest goes on if something is left. */
  lost() {
    const left = this.sources.some((source) => source.getAudioTracks().some((track) => track.readyState === "live"));
    this.warning = t("A microphone or the shared sound was taken away. What was recorded is kept.");
    this.isLost = !left;
    if (!left) this.stop();
    this.onChange();
  }

  pause() {
    this.pausedAt = performance.now();
    this.media?.pause();
  }

  resume() {
    this.paused += performance.now() - this.pausedAt;
    this.media?.resume();
  }

  stop() {
    clearInterval(this.watching);
    if (this.media && this.media.state !== "inactive") this.media.stop();
    this.release();
  }

  release() {
    for (const source of this.sources) for (const track of source.getTracks()) track.stop();
    this.context?.close().catch(() => {});
    this.wakeLock?.release().catch(() => {});
  }
}
