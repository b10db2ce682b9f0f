// Uploads that are not done, kept by the browser with their files: a page that is left or closed loses nothing.

import { inTransaction, UPLOADS } from "../kept.js";

/**
 * @typedef {{
 *   key: number, file: File, fingerprint: string, user: string,
 *   language: string, target: string, room?: string, tags: string[], options: import("../../types").ProcessingOptions,
 *   transcript: string | null, sent: number, problem: string | null,
 *   state: "waiting" | "shared" | "same" | "refused", same: { id: string, title: string } | null,
 *   owner: string, until: number,
 * }} Upload `sent`: chunks that the server has. `owner`: the tab that sends it, `until` a moment in ms
 */

/** Uploads that are not kept: not yet, or because the browser is set to keep nothing or has no room. @type {Map<number, Upload>} */
const unkept = new Map();

/**
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore, give: (value: T) => void) => void} work
 * @returns {Promise<T>}
 */
const inStore = (mode, work) =>
  inTransaction([UPLOADS], mode, (transaction, give) => work(transaction.objectStore(UPLOADS), give));

/** Whether some upload is lost with this page. */
export const isAnyUnkept = () => unkept.size > 0;

/**
 * It is in the list at once, and kept when the browser has copied its file.
 *
 * @param {Upload} upload
 * @returns {Promise<boolean>} whether it is kept, or done already
 */
export async function add(upload) {
  unkept.set(upload.key, upload);
  try {
    await inStore("readwrite", (store) => store.put(upload));
    if (!unkept.has(upload.key)) {
      await remove(upload.key); // dismissed, or sent, meanwhile
      return true;
    }
    await inStore("readwrite", (store) => {
      store.put(upload); // with what has changed meanwhile
      unkept.delete(upload.key);
    });
    return true;
  } catch {
    return false; // it goes on as long as this page is open
  }
}

/** The uploads of an account, the oldest first. @param {string} user @returns {Promise<Upload[]>} */
export async function list(user) {
  /** @type {Upload[]} */
  const kept = await inStore("readonly", (store, give) => {
    const request = store.getAll();
    request.onsuccess = () => give(request.result);
  }).catch(() => []);
  const rest = kept.filter(({ key }) => !unkept.has(key));
  const own = [...rest, ...unkept.values()].filter((upload) => upload.user === user);
  return own.sort((a, b) => a.key - b.key);
}

/**
 * Change an upload as `decide` says; null leaves it as it is. Answers what `decide` answered.
 *
 * @param {number} key
 * @param {(upload: Upload) => Partial<Upload> | null} decide
 */
async function update(key, decide) {
  const own = unkept.get(key);
  if (own) {
    const fields = decide(own);
    Object.assign(own, fields);
    return fields;
  }
  return inStore("readwrite", (store, give) => {
    const request = store.get(key);
    request.onsuccess = () => {
      const fields = request.result ? decide(request.result) : null;
      if (fields) store.put({ ...request.result, ...fields });
      give(fields);
    };
  });
}

/** False if it is gone: dismissed, or sent by another tab. @param {number} key @param {Partial<Upload>} fields */
export const change = async (key, fields) => (await update(key, () => fields)) !== null;

/** Leave it to other tabs, if it is still this tab's. */
export const release = (key, owner) => update(key, (upload) => (upload.owner === owner ? { until: 0 } : null));

/** Take an upload for this tab for so many ms; false while another has it. */
export async function claim(key, owner, ms) {
  const free = ({ owner: holder, until }) => holder === owner || until < Date.now();
  return (await update(key, (upload) => (free(upload) ? { owner, until: Date.now() + ms } : null))) !== null;
}

export async function remove(key) {
  unkept.delete(key);
  await inStore("readwrite", (store) => store.delete(key)).catch(() => {});
}
