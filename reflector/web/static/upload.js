// One recording to the server, in chunks, each retried until it is there: a network that is away for a
// minute, or an hour, costs that time and nothing else.

import { api, at, sentence } from "./dom.js";
import { t } from "./text.js";

const CHUNK_BYTES = 50 * 1024 * 1024;
const RETRY_SECONDS = [1, 2, 5, 10];
const STALLED_SECONDS = 60;

const LOST = t("The connection to the server was lost.");

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

function send(url, chunk, name, onProgress) {
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
      if (request.status === 200) resolve();
      else {
        const error = /** @type {any} */ (new Error(sentence(request.response, request.status)));
        // 408: it paused; 429: too many at once
        error.final = request.status < 500 && ![408, 429].includes(request.status);
        reject(error);
      }
    };
    request.onerror = () => reject(new Error(LOST));
    request.onabort = request.onerror;
    moved();
    const form = new FormData();
    form.append("chunk", chunk, name);
    request.send(form);
  });
}

/**
 * Creates the transcript, sends the file, answers the transcript's id. `target`: "" for no translation.
 * `onProgress(fraction, problem)`: `problem` says why it waits, null while it does not.
 */
export async function upload(file, language, target, onProgress) {
  const created = await api("/v1/transcripts", {
    method: "POST",
    body: JSON.stringify({
      name: file.name.replace(/\.[^.]+$/, ""),
      source_kind: "file",
      source_language: language,
      target_language: target,
    }),
  });
  try {
    await sendAll(created.id, file, onProgress);
  } catch (error) {
    for (const path of ["", "/destroy"]) {
      await api(`/v1/transcripts/${created.id}${path}`, { method: "DELETE" }).catch(() => {});
    }
    throw error;
  }
  return created.id;
}

async function sendAll(id, file, onProgress) {
  const total = Math.max(1, Math.ceil(file.size / CHUNK_BYTES));
  for (let number = 0; number < total; number += 1) {
    const start = number * CHUNK_BYTES;
    const chunk = file.slice(start, start + CHUNK_BYTES);
    const url = `/v1/transcripts/${id}/record/upload?chunk_number=${number}&total_chunks=${total}`;
    for (let attempt = 0; ; attempt += 1) {
      try {
        await send(url, chunk, file.name, (sent) => onProgress(Math.min(1, (start + sent) / file.size), null));
        break;
      } catch (error) {
        if (error.final) throw error;
        onProgress(start / file.size, `${error.message} ${t("The upload goes on by itself.")}`);
        await pause(RETRY_SECONDS[Math.min(attempt, RETRY_SECONDS.length - 1)]);
      }
    }
  }
}
