// The queue of uploads: one after the other, each until it is there. Any page goes on with it, and one tab at a time.

import { NAME } from "../kept.js";
import { fingerprintOf } from "./fingerprint.js";
import * as sending from "./send.js";
import * as store from "./store.js";

/** @typedef {import("./store.js").Upload} Upload */

const RETRY_SECONDS = [1, 2, 5, 10];
// Another tab goes on so long after this one has gone
const LEASE_MS = 8000;
const RENEW_MS = 2000;
const LOOK_MS = 3000;
const SHOW_MS = 200;

/** It was dismissed, or another tab has it now: nothing more is done about it here. */
class Gone extends Error {}

const me = Math.random().toString(36).slice(2);
/** How far this tab is with each, from 0 to 1. @type {Map<number, number>} */
const fractions = new Map();

let user = "";
let isRunning = false;
/** @type {(uploads: Upload[]) => void} */
let changed = () => {};
/** @type {(id: string, left: number) => void} */
let arrived = () => {};

export const fractionOf = (upload) =>
  fractions.get(upload.key) ?? Math.min(1, upload.sent / sending.chunksOf(upload.file));
/** Whether another tab has it. */
export const isElsewhere = (upload) => upload.owner !== me && upload.until > Date.now();

const own = () => store.list(user);
const show = async () => changed(await own());

let willShow = false;
function showSoon() {
  if (willShow) return;
  willShow = true;
  setTimeout(() => {
    willShow = false;
    show();
  }, SHOW_MS);
}

/** Waits so many seconds, or until the browser is online again. */
function pause(seconds) {
  return new Promise((/** @type {(value?: any) => void} */ resolve) => {
    const timer = setTimeout(done, seconds * 1000);
    function done() {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    }
    addEventListener("online", done);
  });
}

/** Keep these fields, here and in the store. @param {Upload} upload @param {Partial<Upload>} fields */
async function note(upload, fields) {
  Object.assign(upload, fields);
  if (!(await store.change(upload.key, fields))) throw new Gone();
  await show();
}

/** Do `action` until it works; throws Refused where it never will. @param {Upload} upload @param {() => Promise<any>} action */
async function persist(upload, action) {
  for (let attempt = 0; ; attempt += 1) {
    // A browser slows down what is in the background: this tab may have lost it meanwhile
    if (!(await store.claim(upload.key, me, LEASE_MS))) throw new Gone();
    try {
      const answer = await action();
      // What was done counts, even if it was dismissed meanwhile: the next step finds that out
      if (upload.problem) await note(upload, { problem: null }).catch(() => {});
      return answer;
    } catch (error) {
      if (error instanceof sending.Refused || error instanceof Gone) throw error;
      await note(upload, { problem: error.message });
      await pause(RETRY_SECONDS[Math.min(attempt, RETRY_SECONDS.length - 1)]);
    }
  }
}

/** Send what is missing. @param {Upload} upload */
async function sendRest(upload) {
  const total = sending.chunksOf(upload.file);
  const resumedAt = upload.sent;
  try {
    while (upload.sent < total) {
      const number = upload.sent;
      await persist(upload, () =>
        sending.sendOne(upload, number, (fraction) => {
          fractions.set(upload.key, fraction);
          showSoon();
        }),
      );
      await note(upload, { sent: number + 1 });
    }
  } catch (error) {
    // The answer to the last chunk may have been lost, or the server the chunks from before
    if (error instanceof Gone) throw error;
    if (await persist(upload, () => sending.hasArrived(upload.transcript))) return;
    if (!(error instanceof sending.Refused) || resumedAt === 0) throw error;
    await note(upload, { sent: 0 });
    await sendRest(upload);
  }
}

/** @param {Upload} upload @returns {Promise<boolean>} whether it is there now */
async function work(upload) {
  if (!upload.transcript) {
    await persist(upload, () => sending.checkAccount(upload.user));
    if (!upload.same) {
      const [same] = await persist(upload, () => sending.findSame(upload.fingerprint));
      if (same) {
        await note(upload, { state: "same", same });
        return false;
      }
    }
    const id = await persist(upload, () => sending.create(upload));
    await note(upload, { transcript: id }).catch(async (error) => {
      await sending.discard(id);
      throw error;
    });
  }
  try {
    await persist(upload, () => sending.describe(upload));
    await sendRest(upload);
  } catch (error) {
    if (error instanceof sending.Refused) {
      await sending.discard(upload.transcript);
      await note(upload, { transcript: null, sent: 0 });
    }
    throw error;
  }
  return true;
}

/** @param {Upload} upload */
async function take(upload) {
  const renewing = setInterval(() => store.claim(upload.key, me, LEASE_MS).catch(() => {}), RENEW_MS);
  try {
    if (!(await work(upload))) return;
    await store.remove(upload.key);
    arrived(/** @type {string} */ (upload.transcript), (await own()).length);
  } catch (error) {
    if (!(error instanceof Gone)) await note(upload, { state: "refused", problem: error.message }).catch(() => {});
  } finally {
    clearInterval(renewing);
    fractions.delete(upload.key);
    await store.release(upload.key, me).catch(() => {});
  }
}

/**
 * Take it if no other tab has it. With TLS browsers know locks, which a tab that was slowed down keeps; the lease that
 * `claim` renews is for those without.
 *
 * @param {Upload} upload
 * @returns {Promise<boolean>} whether it was this tab's turn
 */
async function takeIfFree(upload) {
  const begin = async () => {
    if (!(await store.claim(upload.key, me, LEASE_MS))) return false;
    await take(upload);
    return true;
  };
  if (!navigator.locks) return begin();
  const name = `${NAME}.${upload.key}`;
  return navigator.locks.request(name, { ifAvailable: true }, async (lock) => (lock ? begin() : false));
}

async function run() {
  if (isRunning) return;
  isRunning = true;
  try {
    for (;;) {
      const waiting = (await own()).filter((upload) => upload.state === "waiting");
      let hadTurn = false;
      for (const upload of waiting) {
        hadTurn = await takeIfFree(upload);
        if (hadTurn) break;
      }
      if (!hadTurn) break;
      await show();
    }
  } finally {
    isRunning = false;
    await show();
  }
}

/**
 * Go on with the uploads of `account`.
 *
 * @param {string} account
 * @param {(uploads: Upload[]) => void} onChange
 * @param {(id: string, left: number) => void} onArrival the recording is there, and so many uploads are left
 */
export function start(account, onChange, onArrival) {
  user = account;
  changed = onChange;
  arrived = onArrival;
  run();
  // What another tab leaves behind
  setInterval(run, LOOK_MS);
  addEventListener("beforeunload", (event) => {
    if (store.isAnyUnkept()) event.preventDefault();
  });
}

/**
 * @param {Iterable<File>} files
 * @param {Pick<Upload, "language" | "target" | "room" | "tags" | "options">} choices
 * @param {"waiting" | "shared"} state "shared": somebody has to say yes first
 * @returns {Promise<boolean>} whether the browser keeps them all
 */
export async function enqueue(files, choices, state = "waiting") {
  let key = Date.now() * 1000;
  let areKept = true;
  for (const file of files) {
    const fingerprint = await fingerprintOf(file).catch(() => `${file.size}-${file.name}-${file.lastModified}`);
    const kept = store.add({
      ...choices,
      key: key++,
      file,
      fingerprint,
      user,
      transcript: null,
      sent: 0,
      problem: null,
      state,
      same: null,
      owner: me,
      until: Date.now() + LEASE_MS,
    });
    await show();
    run();
    areKept = (await kept) && areKept;
  }
  return areKept;
}

export async function retry(key) {
  await store.change(key, { state: "waiting", problem: null });
  run();
}

export async function dismiss(key) {
  const upload = (await own()).find((each) => each.key === key);
  await store.remove(key);
  await show();
  if (upload?.transcript) await sending.discard(upload.transcript);
}
