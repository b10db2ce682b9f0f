// Copy the text of a field.

import { t } from "./text.js";

const SELECTED = t("This browser does not let the page copy. The text is selected: press Ctrl+C.");

/**
 * Copy what is in `field`, and `say` that. Browsers give no clipboard to pages without TLS: there the text is selected, and `selected` is said.
 *
 * @param {HTMLInputElement | HTMLTextAreaElement} field
 * @param {(text: string) => void} say
 * @param {string} selected
 */
export async function copyFrom(field, say, selected = SELECTED) {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    say(t("Copied."));
  } catch {
    say(selected);
  }
}
