// Sends a recording to the server while it is made. The browser keeps all of it until the server has all.

import { openSocket } from "../dom.js";
import { isFinal } from "../uploads/send.js";

const RETRY_MS = [500, 1000, 2000, 5000, 10_000];
const PING_MS = 15_000;
// A connection can be dead without an error
const STALLED_MS = 20_000;
// So much is under way before the first answer
const AHEAD_BYTES = 1024 * 1024;
const OFFSET_BYTES = 8;
const STOPPED = 409;

/** @typedef {{ start: number, end: number, seconds: number, blob: Blob }} Piece in bytes of the recording */

export class Sender {
  /**
   * @param {{ transcript: string, key: string, format: string, tracks: number, stops: boolean,
   *   onChange: () => void, onDone: () => void, onRefused: (sentence: string) => void }} options
   *   `stops`: the transcript ends once the server has all of it
   */
  constructor({ transcript, key, format, tracks, stops, onChange, onDone, onRefused }) {
    this.stops = stops;
    this.path = `/v1/transcripts/${transcript}/record/stream?recording=${key}&format=${format}&tracks=${tracks}`;
    this.onChange = onChange;
    this.onDone = onDone;
    this.onRefused = onRefused;
    /** What the server has not acknowledged. @type {Piece[]} */
    this.pieces = [];
    this.size = 0;
    this.saved = 0;
    this.sent = 0;
    /** Seconds that the server has. */
    this.seconds = 0;
    this.failures = 0;
    this.isComplete = false;
    this.isOver = false;
    this.isConnected = false;
    this.hasEverConnected = false;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.sending = Promise.resolve();
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.stalled = null;
    /** The connection on which stop was said. @type {WebSocket | null} */
    this.hasAskedToStop = null;
    this.connect();
  }

  /** @param {Blob} blob the next piece @param {number} seconds recorded with it */
  add(blob, seconds) {
    this.pieces.push({ start: this.size, end: this.size + blob.size, seconds, blob });
    this.size += blob.size;
    this.pump();
  }

  /** Nothing more comes: the recording ends once the server has it. */
  complete() {
    this.isComplete = true;
    this.pump();
  }

  /** Give it up; what was sent stays with the server. */
  abandon() {
    this.isOver = true;
    clearTimeout(this.timer);
    this.answered();
    clearInterval(this.pinging);
    this.socket?.close();
  }

  connect() {
    if (this.isOver) return;
    const socket = openSocket(this.path);
    this.socket = socket;
    this.expectAnswer();
    socket.addEventListener("message", ({ data }) => {
      if (socket === this.socket) this.handle(JSON.parse(data));
    });
    socket.addEventListener("close", () => {
      if (socket === this.socket) this.retry();
    });
    clearInterval(this.pinging);
    this.pinging = setInterval(() => {
      if (this.isConnected) this.put(JSON.stringify({ type: "ping" }));
    }, PING_MS);
  }

  retry() {
    this.isConnected = false;
    this.answered();
    this.onChange();
    if (this.isOver) return;
    this.timer = setTimeout(() => this.connect(), RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)]);
    this.failures += 1;
  }

  /** The time runs from the first message without an answer: later ones do not begin it anew. */
  expectAnswer() {
    this.stalled ??= setTimeout(() => {
      this.stalled = null;
      const dead = this.socket;
      this.socket = null;
      dead?.close();
      this.retry();
    }, STALLED_MS);
  }

  answered() {
    clearTimeout(this.stalled ?? undefined);
    this.stalled = null;
  }

  /** @param {string} sentence of the server */
  refuse(sentence) {
    this.abandon();
    this.onRefused(sentence);
  }

  end() {
    this.abandon();
    this.onDone();
  }

  /** @param {any} answer of the server */
  handle({ type, offset, detail, status }) {
    this.answered();
    // It has less than it acknowledged: its disk was set back, or the recording is another one by now
    if (type === "ready" && offset < this.saved) return this.refuse("");
    if (type === "ready" || type === "saved") {
      if (type === "ready") this.sent = offset;
      this.acknowledge(offset);
      this.failures = 0;
      this.isConnected = true;
      this.hasEverConnected = true;
      this.pump();
    } else if (type === "stopped") {
      this.end();
      return;
    } else if (type === "error" && isFinal(status)) {
      // It was stopped already: by another tab, or the answer was lost
      if (status === STOPPED && this.isComplete && offset >= this.size) return this.end();
      return this.refuse(detail);
    }
    if (this.sent > this.saved) this.expectAnswer();
    this.onChange();
  }

  /** @param {number} offset */
  acknowledge(offset) {
    this.saved = offset;
    while (this.pieces.length && this.pieces[0].end <= offset) {
      this.seconds = /** @type {Piece} */ (this.pieces.shift()).seconds;
    }
  }

  /** @param {string | ArrayBufferView | ArrayBuffer} message */
  put(message) {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    this.socket.send(message);
    this.expectAnswer();
  }

  /** Send what the server does not have, one piece after the other. */
  pump() {
    this.sending = this.sending.then(() => this.sendAll()).catch(() => {});
  }

  async sendAll() {
    const socket = this.socket;
    while (this.isConnected && socket === this.socket && this.sent - this.saved < AHEAD_BYTES) {
      const piece = this.pieces.find(({ end }) => end > this.sent);
      if (!piece) break;
      const bytes = new Uint8Array(await piece.blob.arrayBuffer());
      if (socket !== this.socket) return;
      const from = Math.max(0, this.sent - piece.start);
      const message = new Uint8Array(OFFSET_BYTES + bytes.length - from);
      new DataView(message.buffer).setBigUint64(0, BigInt(piece.start + from));
      message.set(bytes.subarray(from), OFFSET_BYTES);
      this.sent = piece.end;
      this.put(message);
    }
    if (!this.isComplete || !this.isConnected || this.saved < this.size) return;
    if (this.hasAskedToStop === socket) return;
    this.hasAskedToStop = socket;
    if (this.stops) this.put(JSON.stringify({ type: "stop" }));
    else this.end();
  }
}
