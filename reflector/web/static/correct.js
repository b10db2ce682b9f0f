// Correct the words of a turn: what stays keeps its times, and its sound is beside it.

import { api, make, send } from "./dom.js";
import { t } from "./text.js";

/** @typedef {import("../types").Word} Word */

/** A turn is being corrected: the text must not be drawn anew under it. */
let open = 0;
export const isCorrecting = () => open > 0;

const plain = (words) =>
  words
    .map((word) => word.text)
    .join("")
    .trim();

/**
 * Put a form in place of the text of a turn.
 *
 * @param {string} base the path of the recording
 * @param {Word[]} words of the turn
 * @param {HTMLElement} text what the form takes the place of
 * @param {() => void} done the words were changed, or left alone
 */
export function correct(base, words, text, done) {
  const span = { timestamp_from: words[0].start, timestamp_to: words[words.length - 1].start };
  let before = plain(words);
  const input = make("textarea", { value: before, dir: "auto", rows: Math.min(12, 2 + before.length / 70) });
  input.setAttribute("aria-label", t("Words of this turn"));
  const problem = make("p", { className: "notice", hidden: true });
  problem.setAttribute("role", "alert");
  const cancel = make("button", { type: "button" }, t("Cancel"));
  const save = make("button", { className: "primary" }, t("Save"));
  const form = make("form", { className: "correct" }, problem, input, make("div", { className: "row" }, cancel, save));

  const close = () => {
    open -= 1;
    form.replaceWith(text);
    done();
  };
  const store = async () => {
    save.disabled = true;
    try {
      await send(`${base}/words`, "PATCH", { ...span, before, text: input.value });
      close();
    } catch (error) {
      problem.textContent = error.message;
      if (error.status === 409) {
        // Saving again replaces what they wrote
        const now = (await api(`${base}/words`)).filter(
          ({ start }) => start >= span.timestamp_from && start <= span.timestamp_to,
        );
        before = plain(now);
        problem.textContent += ` ${t("Save again to replace that.")}`;
      }
      problem.hidden = false;
    } finally {
      save.disabled = false;
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    store();
  });
  form.addEventListener("keydown", (event) => {
    if (event.isComposing) return; // Enter chooses a character
    if (event.key === "Escape") close();
    else if (event.key === "Enter" && event.target === input) store();
    else return;
    event.preventDefault();
  });
  cancel.addEventListener("click", close);
  open += 1;
  text.replaceWith(form);
  input.focus();
}
