// Newer and older pages of a list; the number is in the address, so that it can be shared, reloaded and gone back to.

import { byId } from "./dom.js";
import { t } from "./text.js";

export const pageNumber = () =>
  Math.max(1, Number.parseInt(new URLSearchParams(location.search).get("page") ?? "", 10) || 1);

/** `pages`: how many there are. */
export function showPages(pages) {
  const now = pageNumber();
  byId("pages").hidden = pages <= 1 && now <= 1;
  byId("page-number").textContent = t("Page {now} of {count}", { now, count: Math.max(1, pages) });
  byId("newer").disabled = now <= 1;
  byId("older").disabled = now >= pages;
}

/** `refresh` shows the page that the address names. */
export function listenToPages(refresh) {
  const go = (step) => {
    const address = new URL(location.href);
    address.searchParams.set("page", String(pageNumber() + step));
    history.pushState(null, "", address);
    refresh();
    byId("list").scrollIntoView({ block: "nearest" });
  };
  byId("newer").addEventListener("click", () => go(-1));
  byId("older").addEventListener("click", () => go(1));
  addEventListener("popstate", refresh);
}
