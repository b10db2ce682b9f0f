// Brings one recording to the server: a transcript for it, then its pieces, as they are made.

import { createIn, describe, discard, isFinal } from "../uploads/send.js";
import { Sender } from "./sender.js";
import * as store from "./store.js";

const RETRY_MS = 3000;
// After Stop, so long may the first connection take before the recording is uploaded as a file
const PATIENCE_MS = 10_000;

export class Delivery {
  /**
   * @param {store.Recording} recording
   * @param {{ onTranscript?: (id: string) => void, onChange?: () => void, onDone: (id: string) => void,
   *   onRefused: (sentence: string) => void, stops?: boolean, after?: Promise<void> }} options
   *   `onRefused`: the server does not take it, or cannot be reached this way. `stops`: the transcript ends with it.
   *   `after`: what has to be there before it
   */
  constructor(
    recording,
    { onTranscript = () => {}, onChange = () => {}, onDone, onRefused, stops = true, after = Promise.resolve() },
  ) {
    this.recording = recording;
    this.onTranscript = onTranscript;
    this.onChange = onChange;
    this.onDone = onDone;
    this.onRefused = onRefused;
    this.stops = stops;
    /** What was made before there is a sender. @type {[Blob, number][]} */
    this.early = [];
    /** @type {Sender | null} */
    this.sender = null;
    this.isComplete = false;
    this.isOver = false;
    this.after = after;
    /** @type {() => void} */
    this.settle = () => {};
    /** Once it is there, or given up. @type {Promise<void>} */
    this.settled = new Promise((resolve) => {
      this.settle = resolve;
    });
    this.begin();
  }

  /** Seconds that the server has. */
  get seconds() {
    return this.sender?.seconds ?? 0;
  }

  get isConnected() {
    return this.sender?.isConnected ?? false;
  }

  async begin() {
    while (!this.isOver && !this.recording.transcript) {
      try {
        await this.create();
      } catch (error) {
        if (isFinal(error.status)) return this.refuse(error.message);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    await this.after;
    if (this.isOver) return;
    this.onTranscript(/** @type {string} */ (this.recording.transcript));
    this.sender = new Sender({
      transcript: /** @type {string} */ (this.recording.transcript),
      key: String(this.recording.key),
      format: store.formatOf(this.recording),
      tracks: this.recording.tracks ?? 1,
      stops: this.stops,
      onChange: this.onChange,
      onDone: () => {
        this.isOver = true;
        this.settle();
        this.onDone(/** @type {string} */ (this.recording.transcript));
      },
      onRefused: (sentence) => this.refuse(sentence),
    });
    for (const [blob, seconds] of this.early) this.sender.add(blob, seconds);
    this.early = [];
    if (this.isComplete) this.sender.complete();
  }

  async create() {
    const { name, language, target, room, tags, options } = this.recording;
    const body = { name, source_kind: "live", source_language: language, target_language: target };
    const id = await createIn(body, room);
    if (this.isOver) {
      await discard(id); // it is uploaded as a file by now
      return;
    }
    this.recording.transcript = id;
    await store.keepAlive(this.recording).catch(() => {});
    await describe({ transcript: id, tags, options }).catch(() => {});
  }

  /** @param {Blob} blob the next piece @param {number} seconds recorded with it */
  add(blob, seconds) {
    if (this.sender) this.sender.add(blob, seconds);
    else this.early.push([blob, seconds]);
  }

  /** Nothing more comes. */
  complete() {
    this.isComplete = true;
    this.sender?.complete();
    this.after.then(() =>
      setTimeout(() => {
        if (!this.isOver && !this.sender?.hasEverConnected) this.refuse("");
      }, PATIENCE_MS),
    );
  }

  /** @param {string} sentence of the server; "" if it was not reached */
  refuse(sentence) {
    if (this.isOver) return;
    this.isOver = true;
    this.sender?.abandon();
    this.settle();
    this.onRefused(sentence);
  }
}
