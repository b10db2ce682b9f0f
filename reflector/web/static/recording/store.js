// Recordings as they are made: each second is kept before it counts as saved.

import { inTransaction, PIECES, RECORDINGS } from "../kept.js";

/**
 * @typedef {{
 *   key: number, user: string, name: string, type: string, seconds: number, until: number,
 *   transcript: string | null, continues: boolean, tracks?: number, isStopped: boolean,
 *   language: string, target: string, room?: string, tags: string[], options: import("../../types").ProcessingOptions,
 * }} Recording
 *   `seconds`: kept so far. `until`: a moment in ms, until when its tab is sure to be there.
 *   `tracks`: of its sound; `continues`: the transcript has what another recorder made before
 */

const ALIVE_MS = 8000;

/** @returns {Promise<void>} */
const write = (work) => inTransaction([RECORDINGS, PIECES], "readwrite", work);

/** The pieces of the recording `key`. */
const piecesOf = (key) => IDBKeyRange.bound([key], [key, []]);

/** @param {Recording} recording */
const alive = (recording) => ({ ...recording, until: Date.now() + ALIVE_MS });

/** Keep that there is a recording, and that its tab is there: at its start, and in a pause. @param {Recording} recording */
export const keepAlive = (recording) =>
  write((transaction) => transaction.objectStore(RECORDINGS).put(alive(recording)));

/**
 * Keep the next piece. It is saved when this is done.
 *
 * @param {Recording} recording with the seconds up to the end of the piece
 * @param {number} number
 * @param {Blob} piece
 */
export const add = (recording, number, piece) =>
  write((transaction) => {
    transaction.objectStore(PIECES).put(piece, [recording.key, number]);
    transaction.objectStore(RECORDINGS).put(alive(recording));
  });

/** All recordings of an account that are no uploads yet. @returns {Promise<Recording[]>} */
export async function list(user) {
  /** @type {Recording[]} */
  const all = await inTransaction([RECORDINGS], "readonly", (transaction, give) => {
    const request = transaction.objectStore(RECORDINGS).getAll();
    request.onsuccess = () => give(request.result);
  });
  return all.filter((each) => each.user === user);
}

/** Those whose tab is gone. */
export const interrupted = async (user) => (await list(user)).filter(({ until }) => until < Date.now());

/** Of the file that it is. @param {Recording} recording */
export const formatOf = ({ type }) => (type.includes("mp4") ? "mp4" : "webm");

/** What it is made of, in its order. @param {Recording} recording @returns {Promise<Blob[]>} */
export const read = (recording) =>
  inTransaction([PIECES], "readonly", (transaction, give) => {
    const request = transaction.objectStore(PIECES).getAll(piecesOf(recording.key));
    request.onsuccess = () => give(request.result);
  });

/** The recording as one file. @param {Recording} recording @returns {Promise<File>} */
export async function fileOf(recording) {
  const pieces = await read(recording);
  return new File(pieces, `${recording.name}.${formatOf(recording)}`, { type: recording.type });
}

export const remove = (key) =>
  write((transaction) => {
    transaction.objectStore(PIECES).delete(piecesOf(key));
    transaction.objectStore(RECORDINGS).delete(key);
  });
