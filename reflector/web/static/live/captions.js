// Captions for a projector: what is said, large, and nothing else.

import { byId } from "../dom.js";
import { t } from "../text.js";
import { listenToSize } from "../text_size.js";
import { follow } from "./events.js";
import { LiveText } from "./text.js";

const { id } = byId("captions").dataset;
const text = new LiveText(byId("captions-text"), byId("captions-state"));

listenToSize("reflector_caption_size", { usual: 3, largest: 8 }, (size) => {
  byId("captions").dataset.size = size;
  byId("captions-text").scrollTop = byId("captions-text").scrollHeight;
});

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
