// What this browser keeps until the server has it: files to upload, and recordings as they are made.

// Several servers may share a host, each below a path of its own
export const NAME = `reflector-uploads${document.documentElement.dataset.root}`;
export const UPLOADS = "uploads";
export const RECORDINGS = "recordings";
/** The pieces of a recording, with the keys [recording, number]. */
export const PIECES = "pieces";

/** @type {Promise<IDBDatabase> | null} */
let opened = null;

const forget = () => {
  opened = null;
};

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(UPLOADS, { keyPath: "key" });
      request.result.createObjectStore(RECORDINGS, { keyPath: "key" });
      request.result.createObjectStore(PIECES);
    };
    request.onsuccess = () => {
      // The browser closes it where its disk fails or its data are deleted: the next use opens it again
      request.result.onclose = forget;
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
  });
  opened.catch(forget);
  return opened;
}

/**
 * Do `work` in one transaction.
 *
 * @template T
 * @param {string[]} stores
 * @param {IDBTransactionMode} mode
 * @param {(transaction: IDBTransaction, give: (value: T) => void) => void} work
 * @returns {Promise<T>} what `work` gave, once it is stored
 */
export async function inTransaction(stores, mode, work) {
  // Strict: "saved" means on the disk, where the browser can tell
  const transaction = (await database()).transaction(stores, mode, { durability: "strict" });
  return new Promise((resolve, reject) => {
    /** @type {any} */
    let found;
    work(transaction, (value) => {
      found = value;
    });
    transaction.oncomplete = () => resolve(found);
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = transaction.onerror;
  });
}
