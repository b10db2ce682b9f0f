// One recording to the server, in chunks, each tried again when the connection drops.

import { api, sentence } from "./dom.js";

const CHUNK_BYTES = 50 * 1024 * 1024;
const TRIES = 5;

function send(url, chunk, name, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.responseType = "json";
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => {
      if (request.status === 200) resolve();
      else {
        const error = new Error(sentence(request.response, request.status));
        error.final = request.status < 500;
        reject(error);
      }
    };
    request.onerror = () => reject(new Error("The connection to the server was lost."));
    const form = new FormData();
    form.append("chunk", chunk, name);
    request.send(form);
  });
}

/** Creates the transcript, sends the file, answers the transcript's id. `target`: "" for no translation. */
export async function upload(file, language, target, onProgress) {
  const created = await api("/v1/transcripts", {
    method: "POST",
    body: JSON.stringify({
      name: file.name.replace(/\.[^.]+$/, ""), source_kind: "file", source_language: language, target_language: target,
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
    for (let attempt = 1; ; attempt += 1) {
      try {
        await send(url, chunk, file.name, (sent) => onProgress(Math.min(1, (start + sent) / file.size)));
        break;
      } catch (error) {
        if (error.final || attempt === TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, 1000 * attempt));
      }
    }
  }
}
