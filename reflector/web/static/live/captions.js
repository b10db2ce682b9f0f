// Captions for a projector: what is said, large, and nothing else.

import { all, byId, recall, remember } from "../dom.js";
import { t } from "../text.js";
import { follow } from "./events.js";
import { LiveText } from "./text.js";

const SIZE = "reflector_caption_size";
const SMALLEST = 1;
const LARGEST = 8;

const { id } = byId("captions").dataset;
const text = new LiveText(byId("captions-text"), byId("captions-state"));

let size = Number(recall(SIZE)) || 3;
function resize(by) {
  size = Math.min(LARGEST, Math.max(SMALLEST, size + by));
  byId("captions").dataset.size = String(size);
  remember(SIZE, String(size));
  byId("captions-text").scrollTop = byId("captions-text").scrollHeight;
}
for (const button of all("[data-resize]")) {
  button.addEventListener("click", () => resize(Number(button.dataset.resize)));
}
resize(0);

byId("captions-full").hidden = !document.fullscreenEnabled;
byId("captions-full").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else
    byId("captions")
      .requestFullscreen()
      .catch(() => {});
});

/** What the page says beside the words. */
function showStatus(status) {
  const sentences = {
    idle: t("Nobody records yet. The words appear here."),
    recording: "",
    error: t("The recording could not be turned into text."),
  };
  const ended = t("The recording has ended. Its page has the text.");
  byId("captions-status").textContent = sentences[status] ?? ended;
  if (status !== "recording" && status !== "idle") text.end();
}

follow(`/v1/transcripts/${id}`, {
  LIVE: (data) => text.add(data),
  STATUS: ({ value }) => showStatus(value),
});
