// The page that is shown where the server cannot be reached: what was opened before can still be read.

import { all, at, byId, make } from "./dom.js";
import { t } from "./text.js";

const MEETING = /\/transcripts\/[^/]+$/;

async function opened() {
  const names = (await caches.keys()).filter((name) => name.startsWith(`reflector${at("")}:opened-`));
  const found = [];
  for (const name of names) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const { pathname } = new URL(request.url);
      if (!MEETING.test(pathname) || pathname.includes("/v1/")) continue;
      const text = await (await cache.match(request, { ignoreVary: true }))?.text();
      const title = new DOMParser().parseFromString(text ?? "", "text/html").querySelector("#title")?.textContent;
      found.unshift({ pathname, title: title || t("Recording") });
    }
  }
  return found;
}

const meetings = "caches" in window ? await opened().catch(() => []) : [];
byId("opened").replaceChildren(
  ...meetings.map(({ pathname, title }) => make("li", {}, make("a", { href: pathname, dir: "auto" }, title))),
);
byId("opened-title").hidden = meetings.length === 0;
for (const button of all("[data-again]")) button.addEventListener("click", () => location.reload());
addEventListener("online", () => {
  if (location.pathname !== at("/offline")) location.reload();
});
