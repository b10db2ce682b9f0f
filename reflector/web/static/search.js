// Search over all recordings: the query is in the address, matches are shown with what was said around them.

import { byId, make } from "./dom.js";

const TYPING_MS = 250;

export const query = () => new URLSearchParams(location.search).get("q")?.trim() ?? "";

/** The words that a query wants: without signs, operators, and what is unwanted. */
export const wanted = (text) =>
  text
    .replace(/(^|\s)-\S+/g, " ")
    .split(/[\s"]+/)
    .filter((word) => word && !/^or$/i.test(word));

/** `text` with what was searched for marked. */
export function highlighted(text, typed) {
  const words = wanted(typed).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (!words.length) return [text];
  // Summaries are Markdown; cut out of their middle its signs mean nothing
  const parts = text.replace(/\*\*|#+ /g, "").split(new RegExp(`(${words.join("|")})`, "giu"));
  return parts.map((part, index) => (index % 2 ? make("mark", {}, part) : part));
}

/** `refresh` shows what the address names. */
export function listenToSearch(refresh) {
  const input = byId("q");
  const apply = () => {
    clearTimeout(timer);
    const address = new URL(location.href);
    address.searchParams.delete("page");
    if (input.value.trim()) address.searchParams.set("q", input.value.trim());
    else address.searchParams.delete("q");
    if (address.href === location.href) return;
    history.replaceState(null, "", address);
    refresh();
  };
  let timer = null;
  input.value ||= query(); // what was typed before this script was there stays
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(apply, TYPING_MS);
  });
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    apply();
  });
  addEventListener("popstate", () => {
    input.value = query();
  });
  if (input.value.trim() !== query()) apply();
}
