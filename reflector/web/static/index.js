// The list of recordings, and the way for new ones in.

import { keepPicked, listenToBulk, pickedIds, picker } from "./bulk.js";
import { date, nameLanguages } from "./dates.js";
import { api, at, byId, clock, draw, enableControls, make, makeButton, showStatus, titleOf } from "./dom.js";
import { isFiltered, listenToFilters, offerTags, searchParameters } from "./filters.js";
import { listenToPages, pageNumber, showPages } from "./paging.js";
import { highlighted, listenToSearch, query } from "./search.js";
import { chip, listenToTags, loadTags, openTags, tagsOf } from "./tags.js";
import { t, tn } from "./text.js";
import { upload } from "./upload.js";

const SIZE = 20;
const REFRESH_MS = 3000;
const mayTag = byId("bulk-tags") !== null;
let uploads = 0;

function row(item) {
  const badge = make("span");
  showStatus(badge, item.status);
  // The file's name stays findable where a title was made
  const parts = [item.title && item.name, date(item.created_at), item.duration && clock(item.duration / 1000)];
  const meta = parts.filter(Boolean).join(" · ");
  const typed = query();
  const snippets = (item.search_snippets ?? []).map((text) =>
    make("span", { className: "summary", dir: "auto" }, ...highlighted(text, typed)),
  );
  const summary = item.short_summary ? make("span", { className: "summary", dir: "auto" }, item.short_summary) : null;
  const link = make(
    "a",
    { href: at(`/transcripts/${item.id}${typed ? `?q=${encodeURIComponent(typed)}` : ""}`) },
    make("strong", { dir: "auto" }, titleOf(item)),
    badge,
    make("span", { className: "meta", dir: "auto" }, meta),
    item.tags?.length ? make("span", { className: "tags" }, ...item.tags.flatMap((tag) => [chip(tag), " "])) : null,
    summary,
    ...snippets,
  );
  return make("li", {}, picker(item), link);
}

/** The page that the address names: of all, or of what a search found. */
async function read() {
  const page = pageNumber();
  const typed = query();
  if (!typed && !isFiltered()) return api(`/v1/transcripts?page=${page}&size=${SIZE}`);
  const wanted = searchParameters(new URLSearchParams(location.search), typed);
  wanted.set("limit", String(SIZE));
  wanted.set("offset", String((page - 1) * SIZE));
  const found = await api(`/v1/transcripts/search?${wanted}`);
  return { items: found.results, total: found.total, pages: Math.ceil(found.total / SIZE) };
}

function showFound(total) {
  const typed = query();
  byId("found").hidden = !typed && !isFiltered();
  byId("found").textContent = typed
    ? tn("{number} recording for “{typed}”", "{number} recordings for “{typed}”", total, { typed })
    : tn("{number} recording", "{number} recordings", total);
}

async function refresh() {
  const wanted = location.search;
  const answer = await read();
  if (mayTag) {
    const tags = await tagsOf(answer.items.map((item) => item.id)).catch(() => ({}));
    for (const item of answer.items) item.tags = tags[item.id];
  }
  if (wanted !== location.search) return; // another was asked for meanwhile
  const focused = document.activeElement?.getAttribute("href");
  showFound(answer.total);
  draw(byId("list"), [answer.items, query()], () => answer.items.map(row));
  keepPicked(answer.items);
  if (focused)
    byId("list")
      .querySelector(`a[href="${CSS.escape(focused)}"]`)
      ?.focus();
  byId("empty").hidden = answer.total > 0 || query() !== "" || isFiltered();
  showPages(answer.pages);
}

async function keepFresh() {
  // What was found stays while somebody reads it
  if (!document.hidden && !query()) await refresh().catch(() => {});
  setTimeout(keepFresh, REFRESH_MS);
}

async function start(file) {
  const bar = make("progress", { max: 1, value: 0 });
  bar.setAttribute("aria-label", t("Uploading {name}", { name: file.name }));
  const state = make("span", {}, "0 %");
  const line = make("div", { className: "upload-line" }, make("span", { dir: "auto" }, file.name), state);
  const box = make("div", { className: "upload" }, line, bar);
  byId("uploads").append(box);
  uploads += 1;
  const leaving = (event) => event.preventDefault();
  addEventListener("beforeunload", leaving);
  try {
    const target = byId("target-language")?.value ?? "";
    const id = await upload(file, byId("language").value, target, (fraction, problem) => {
      bar.value = fraction;
      state.textContent = problem ?? `${Math.floor(fraction * 100)} %`;
    });
    box.remove();
    return id;
  } catch (error) {
    box.classList.add("failed");
    state.textContent = error.message;
    bar.replaceWith(failedButtons(file, box));
    return null;
  } finally {
    uploads -= 1;
    removeEventListener("beforeunload", leaving);
    refresh().catch(() => {});
  }
}

/** What can be done about an upload that failed. */
function failedButtons(file, box) {
  const { name } = file;
  const again = () => {
    box.remove();
    take([file]);
  };
  const retry = makeButton(t("Try again"), t("Upload {name} again", { name }), again);
  const forget = t("Dismiss the failed upload of {name}", { name });
  const dismiss = makeButton(t("Dismiss"), forget, () => box.remove());
  return make("div", { className: "row" }, dismiss, retry);
}

async function take(files) {
  const ids = [];
  for (const file of files) ids.push(await start(file));
  // Not away from another upload
  if (files.length === 1 && ids[0] && !uploads) location.href = at(`/transcripts/${ids[0]}`);
}

const drop = byId("drop");
addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) drop.classList.remove("over");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  take([...(event.dataTransfer?.files ?? [])]);
});
byId("choose").addEventListener("click", () => byId("file").click());
function takeChosen() {
  const input = byId("file");
  take([...input.files]);
  input.value = "";
}
byId("file").addEventListener("change", takeChosen);
takeChosen(); // what was chosen before this script was there
listenToSearch(() => refresh().catch(() => {}));
listenToFilters(() => refresh().catch(() => {}));
listenToBulk(() => refresh().catch(() => {}));
listenToPages(() => refresh().catch(() => {}));
for (const select of document.querySelectorAll("[data-languages]")) nameLanguages(select);
if (mayTag) {
  const readTags = () =>
    loadTags()
      .then(offerTags)
      .then(refresh)
      .catch(() => {});
  listenToTags(readTags);
  byId("bulk-tags").addEventListener("click", () => openTags(pickedIds()));
  readTags();
}
enableControls();
refresh().catch(() => {});
setTimeout(keepFresh, REFRESH_MS);
