// The picture of a recording that has one. It follows the player: one control for sound and picture, and captions.

import { byId, make, recall, remember } from "./dom.js";
import { t } from "./text.js";

// Further apart, the picture jumps to the sound
const DRIFT_SECONDS = 0.3;
const SHOWN = "reflector.video";

/**
 * Offer the video, if the browser can show it.
 *
 * @param {string} source
 * @param {string} captions WebVTT
 */
export function offerVideo(source, captions) {
  const audio = byId("audio");
  const panel = byId("video");
  const toggle = byId("video-toggle");
  if (panel.childElementCount) return;
  const video = make("video", { muted: true, playsInline: true, preload: "metadata", src: source });
  video.setAttribute("aria-label", t("Video of the recording"));
  const track = make("track", { kind: "captions", label: t("Transcript"), src: captions, default: true });
  video.append(track);
  panel.append(video);

  const follow = () => {
    if (panel.hidden) return;
    if (Math.abs(video.currentTime - audio.currentTime) > DRIFT_SECONDS) video.currentTime = audio.currentTime;
    video.playbackRate = audio.playbackRate;
    if (audio.paused !== video.paused) {
      if (audio.paused) video.pause();
      else video.play().catch(() => {});
    }
  };
  for (const kind of ["play", "pause", "seeked", "ratechange", "timeupdate"]) audio.addEventListener(kind, follow);
  video.addEventListener("click", () => (audio.paused ? audio.play().catch(() => {}) : audio.pause()));
  const show = () => {
    panel.hidden = !toggle.checked;
    if (panel.hidden) video.pause();
    follow();
  };
  // Sound alone comes in video containers, too
  video.addEventListener("loadedmetadata", () => {
    if (!video.videoWidth) return;
    byId("video-label").hidden = false;
    toggle.checked = recall(SHOWN) !== "0";
    show();
  });
  toggle.addEventListener("change", () => {
    remember(SHOWN, toggle.checked ? "1" : "0");
    show();
  });
}
