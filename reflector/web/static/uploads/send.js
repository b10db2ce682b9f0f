// One recording to the server, in chunks. What fails is told apart: what another try may mend, and what it will not.

import { api, at, send, sentence } from "../dom.js";
import { isChosen } from "../options.js";
import { t } from "../text.js";

// Small enough that a page that is left in the middle loses little
const CHUNK_BYTES = 16 * 1024 * 1024;
const STALLED_SECONDS = 60;

const LOST = t("The connection to the server was lost.");
const UNREADABLE = t("The file cannot be read any more. Dismiss this, and choose it again.");
const SESSION_ENDED = t("Your session has ended. Log in again; the upload goes on then.");

/** What another try will not mend. */
export class Refused extends Error {
  /** @param {string} message @param {number} status of the answer; 0 without one */
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

/** A request is refused for good; 401: the session, 408: it paused, 429: too many at once. */
export const isFinal = (status) => status >= 400 && status < 500 && ![401, 408, 429].includes(status);

/** Throw Refused in place of an error of the API that another try will not mend. */
async function asked(request) {
  try {
    return await request;
  } catch (error) {
    throw isFinal(error.status) ? new Refused(error.message, error.status) : error;
  }
}

/** The answer; null where a tag or a template was removed before the upload had its turn. */
async function unlessGone(request) {
  try {
    return await asked(request);
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

function sendChunk(url, chunk, name, onProgress) {
  return new Promise((/** @type {(value?: any) => void} */ resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", at(url));
    request.responseType = "json";
    // A connection can be dead without an error
    let stalled;
    const moved = () => {
      clearTimeout(stalled);
      stalled = setTimeout(() => request.abort(), STALLED_SECONDS * 1000);
    };
    request.upload.onprogress = (event) => {
      moved();
      onProgress(event.loaded);
    };
    // The last chunk is answered once the server has looked at the whole recording
    request.upload.onload = () => clearTimeout(stalled);
    request.onloadend = () => clearTimeout(stalled);
    request.onload = () => {
      const { status, response } = request;
      if (status === 200) resolve();
      else if (status === 401) reject(new Error(SESSION_ENDED));
      else reject(new (isFinal(status) ? Refused : Error)(sentence(response, status)));
    };
    request.onerror = () => reject(new Error(LOST));
    request.onabort = request.onerror;
    moved();
    const form = new FormData();
    form.append("chunk", chunk, name);
    request.send(form);
  });
}

/** What the server says now, and not what the service worker keeps. */
const ask = (path) => asked(api(path, { cache: "no-store" }));

/** Throw an error if somebody else has logged in meanwhile: this is not to become their recording. */
export async function checkAccount(user) {
  const account = await ask("/v1/me");
  if ((account?.sub ?? "") !== user) throw new Error(SESSION_ENDED);
}

/** One's own transcripts of the same recording. */
export const findSame = (fingerprint) => ask(`/v1/transcripts/same?fingerprint=${fingerprint}`);

/**
 * Create a transcript, and answer its id. What a room does not take any more is nobody else's: it goes into none.
 *
 * @param {Record<string, unknown>} body
 * @param {string | undefined} room its id; older browsers' stores have none
 */
export async function createIn(body, room) {
  const make = (/** @type {Record<string, unknown>} */ fields) => asked(send("/v1/transcripts", "POST", fields));
  if (!room) return (await make(body)).id;
  try {
    return (await make({ ...body, room_id: room })).id;
  } catch (error) {
    if (![403, 404].includes(error.status)) throw error;
    return (await make(body)).id;
  }
}

/** Create the transcript of an upload, and answer its id. @param {import("./store.js").Upload} upload */
export async function create({ file, fingerprint, language, target, room }) {
  const body = {
    name: file.name.replace(/\.[^.]+$/, ""),
    source_kind: "file",
    source_language: language,
    target_language: target,
    fingerprint,
  };
  return createIn(body, room);
}

/** Give it its tags and options. It may be repeated. @param {Pick<import("./store.js").Upload, "transcript" | "tags" | "options">} chosen */
export async function describe({ transcript, tags, options }) {
  const base = `/v1/transcripts/${transcript}`;
  for (const tag of tags) await unlessGone(send(`${base}/tags/${tag}`, "PUT"));
  if (!isChosen(options)) return;
  const chosen = await unlessGone(send(`${base}/options`, "PUT", options));
  if (!chosen) await asked(send(`${base}/options`, "PUT", { ...options, summary_template_id: null }));
}

/** Whether the server has all of it, although its answer was lost. */
export async function hasArrived(id) {
  const found = await ask(`/v1/transcripts/${id}`);
  return found.status !== "idle";
}

/** Remove a transcript whose recording was refused, so that it does not stay empty. */
export async function discard(id) {
  if (await hasArrived(id).catch(() => true)) return;
  for (const path of ["", "/destroy"]) {
    await api(`/v1/transcripts/${id}${path}`, { method: "DELETE" }).catch(() => {});
  }
}

export const chunksOf = (file) => Math.max(1, Math.ceil(file.size / CHUNK_BYTES));

/**
 * Send chunk `number`. `onProgress` gets the part of the whole file that is there.
 *
 * @param {import("./store.js").Upload} upload
 * @param {number} number
 * @param {(fraction: number) => void} onProgress
 */
export async function sendOne({ transcript, file }, number, onProgress) {
  const start = number * CHUNK_BYTES;
  const url = `/v1/transcripts/${transcript}/record/upload?chunk_number=${number}&total_chunks=${chunksOf(file)}`;
  // A file that was changed or removed fails here, and not like a network
  const chunk = await file
    .slice(start, start + CHUNK_BYTES)
    .arrayBuffer()
    .catch(() => {
      throw new Refused(UNREADABLE);
    });
  await sendChunk(url, new Blob([chunk]), file.name, (sent) =>
    onProgress(Math.min(1, (start + sent) / Math.max(1, file.size))),
  );
}
