// How large the words are, which this device remembers.

import { all, recall, remember } from "./dom.js";

/** Buttons `[data-resize]` make text smaller and larger.
 *  @param {string} key under which the size is remembered
 *  @param {{ usual: number, largest: number }} sizes from 1 on
 *  @param {(size: string) => void} show */
export function listenToSize(key, { usual, largest }, show) {
  let size = Number(recall(key)) || usual;
  function resize(by) {
    size = Math.min(largest, Math.max(1, size + by));
    remember(key, String(size));
    show(String(size));
  }
  for (const button of all("[data-resize]")) {
    button.addEventListener("click", () => resize(Number(button.dataset.resize)));
  }
  resize(0);
}

/** The words of recordings on a page, live and final. */
export function listenToWordSize() {
  listenToSize("reflector.word_size", { usual: 2, largest: 5 }, (size) => {
    document.documentElement.dataset.wordSize = size;
  });
}
