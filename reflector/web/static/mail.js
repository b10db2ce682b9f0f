// Send a recording's text by e-mail.

import { onSubmit, open, showProblem } from "./dialogs.js";
import { byId, send } from "./dom.js";
import { t } from "./text.js";

const dialog = byId("mail");
const recipient = byId("mail-recipient");
const say = (/** @type {string} */ text) => {
  byId("mail-said").textContent = text;
};

/** @param {string} base the path of the recording */
export function listenToMail(base) {
  byId("mail-open").addEventListener("click", () => {
    say("");
    open(dialog);
  });
  onSubmit(dialog, async () => {
    const email = recipient.value;
    showProblem(dialog, null);
    say(t("It is being sent…"));
    byId("mail-send").disabled = true;
    try {
      await send(`${base}/email`, "POST", { email });
      say(t("Sent to {email}.", { email }));
      recipient.value = "";
    } catch (error) {
      say("");
      throw error;
    } finally {
      byId("mail-send").disabled = false;
    }
    return false; // it may go to others, too
  });
}
