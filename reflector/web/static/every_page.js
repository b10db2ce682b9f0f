// What every page of a person with an account does: go on with uploads, and keep pages for when the server is away.

import { all, at, byId } from "./dom.js";
import { list as recordings } from "./recording/store.js";
import { t } from "./text.js";
import { list as uploads } from "./uploads/store.js";

const sign = byId("uploading");
const { user } = sign.dataset;

// Browsers have it with TLS, and on the machine itself
navigator.serviceWorker?.register(at("/service-worker.js")).catch(() => {});

// Logging out clears what the browser keeps
for (const form of all("[data-signs-out]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const left = await Promise.all([uploads(user), recordings(user)]).catch(() => []);
    if (!left.flat().length || confirm(t("Uploads and recordings that are not done are given up. Log out?")))
      form.submit();
  });
}

// The library shows its uploads itself. Without any, nothing more is loaded
if (!("library" in sign.dataset) && (await uploads(user)).length) {
  const [queue, view] = await Promise.all([import("./uploads/queue.js"), import("./uploads/view.js")]);
  queue.start(user, view.showSign, () => {});
}
