// The list of recordings, and the way for new ones in.

import { keepPicked, listenToBulk, pickedIds, picker } from "./bulk.js";
import { date, nameLanguages } from "./dates.js";
import { api, at, byId, clock, draw, enableControls, make, showStatus, timeLeft, titleOf } from "./dom.js";
import { isFiltered, listenToFilters, offerRoomFilter, offerTags, roomOf, searchParameters } from "./filters.js";
import { areOptionsValid, listenToLimits, loadTemplates, offerTemplates, readOptions } from "./options.js";
import { listenToPages, pageNumber, showPages } from "./paging.js";
import { listenToRecorder } from "./recording/view.js";
import { loadRooms, offerRooms } from "./room_choice.js";
import { highlighted, listenToSearch, query } from "./search.js";
import { chip, listenToTags, loadTags, openTags, tagsOf } from "./tags.js";
import { t, tn } from "./text.js";
import * as queue from "./uploads/queue.js";
import { showLines } from "./uploads/view.js";

const SIZE = 20;
const REFRESH_MS = 3000;
const mayTag = byId("bulk-tags") !== null;
/** What is being processed, by its id. @type {Map<string, import("../types").Work>} */
let work = new Map();

function row(item) {
  const badge = make("span");
  showStatus(badge, item.status);
  // The file's name stays findable where a title was made
  const parts = [
    item.room_name,
    item.title && item.name,
    date(item.created_at),
    item.duration && clock(item.duration / 1000),
  ];
  const meta = parts.filter(Boolean).join(" · ");
  const typed = query();
  const snippets = (item.search_snippets ?? []).map((text) =>
    make("span", { className: "summary", dir: "auto" }, ...highlighted(text, typed)),
  );
  const waiting = work.get(item.id);
  const summary = item.short_summary ? make("span", { className: "summary", dir: "auto" }, item.short_summary) : null;
  const link = make(
    "a",
    { href: at(`/transcripts/${item.id}${typed ? `?q=${encodeURIComponent(typed)}` : ""}`) },
    make("strong", { dir: "auto" }, titleOf(item)),
    badge,
    make("span", { className: "meta", dir: "auto" }, meta),
    waiting ? make("span", { className: "meta wait" }, waitOf(waiting)) : null,
    item.tags?.length ? make("span", { className: "tags" }, ...item.tags.flatMap((tag) => [chip(tag), " "])) : null,
    summary,
    ...snippets,
  );
  return make("li", {}, picker(item), link);
}

/** When it will be ready, in words. @param {import("../types").Work} waiting */
function waitOf({ place, seconds_left: seconds }) {
  const left = seconds ? t("about {time}", { time: timeLeft(seconds) }) : "";
  return [place ? t("number {place} in the queue", { place }) : "", left].filter(Boolean).join(", ");
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
  const isBusy = answer.items.some(({ status }) => status === "uploaded" || status === "processing");
  const all = isBusy ? await api("/v1/work").catch(() => []) : [];
  work = new Map(all.map((each) => [each.transcript_id, each]));
  if (wanted !== location.search) return; // another was asked for meanwhile
  const focused = document.activeElement?.getAttribute("href");
  showFound(answer.total);
  draw(byId("list"), [answer.items, query(), all], () => answer.items.map(row));
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

/** What was chosen beside the files. */
const choices = () => ({
  language: byId("language").value,
  target: byId("target-language")?.value ?? "",
  // Before the rooms are there, the address says it; the server refuses what is not allowed
  room: areRoomsThere ? byId("upload-room").value : roomOf(),
  tags: [...byId("upload-tags").querySelectorAll(":checked")].map(({ value }) => value),
  options: readOptions("upload"),
});

let given = 0;
const take = (files) => {
  if (!areOptionsValid("upload")) return;
  given = files.length;
  queue.enqueue(files, choices()).catch(() => {});
};

/** What another app has shared: the service worker keeps it until now. */
async function takeShared() {
  const name = `reflector${at("")}:shared`;
  if (!("caches" in window) || !(await caches.has(name))) return;
  const cache = await caches.open(name);
  for (const request of await cache.keys()) {
    const content = await (await cache.match(request))?.blob();
    const title = decodeURIComponent(new URL(request.url).pathname.split("/").at(-1) ?? "");
    if (content) await queue.enqueue([new File([content], title, { type: content.type })], choices(), "shared");
    await cache.delete(request);
  }
}

/** A single file leads to its page; several do not, and neither does one that was given somewhere else. */
function goThere(id, left) {
  refresh().catch(() => {});
  if (given === 1 && left === 0) location.href = at(`/transcripts/${id}`);
}

/** Let tags be chosen for what is uploaded. @param {import("../types").Tag[]} tags */
function offerUploadTags(tags) {
  const box = byId("upload-tags");
  const chosen = new Set([...box.querySelectorAll(":checked")].map(({ value }) => value));
  const label = (tag) => {
    const input = make("input", { type: "checkbox", value: tag.id, checked: chosen.has(tag.id) });
    return make("label", { className: "check" }, input, chip(tag));
  };
  box.hidden = tags.length === 0;
  box.replaceChildren(box.firstElementChild, ...tags.map(label));
}

let areRoomsThere = false;

/** The rooms of the list; the one whose recordings are shown is what new ones go into. */
async function readRooms() {
  const rooms = await loadRooms();
  const select = byId("upload-room");
  const sayRoom = () => {
    const room = rooms.find(({ id }) => id === select.value);
    byId("upload-room-said").hidden = !room;
    showEvents(room);
    byId("upload-room-said").textContent = room ? placeOf(room) : "";
  };
  offerRoomFilter(rooms);
  offerRooms(select, rooms, roomOf());
  byId("upload-place").hidden = rooms.length === 0;
  areRoomsThere = true;
  select.addEventListener("change", sayRoom);
  const follow = (/** @type {string} */ room) => {
    select.value = room;
    sayRoom();
  };
  // The address has it a moment later
  byId("filter-form").elements.room_id.addEventListener("change", ({ target }) => follow(target.value));
  byId("filter-form").addEventListener("reset", () => follow(""));
  addEventListener("popstate", () => follow(roomOf()));
  sayRoom();
}

/** What its calendar has for today and tomorrow. @param {import("../types").Room | undefined} room */
async function showEvents(room) {
  const box = byId("room-events");
  const shown = room?.id;
  const ahead = 2 * 24 * 60;
  const path = room && `/v1/rooms/${encodeURIComponent(room.name)}/meetings/upcoming?minutes_ahead=${ahead}`;
  const events = path ? await api(path).catch(() => []) : [];
  if (shown && shown !== byId("upload-room").value) return;
  const lines = events.slice(0, 3).map(({ title, start_time: start, end_time: end }) => {
    const when = new Date(start) <= new Date() ? t("now, until {when}", { when: date(end) }) : date(start);
    return make("li", {}, make("strong", { dir: "auto" }, title || t("Taken")), ` ${when}`);
  });
  box.hidden = lines.length === 0;
  box.replaceChildren(...lines);
}

/** Who reads what goes into it, in words. @param {import("../types").Room} room */
function placeOf({ name, is_shared }) {
  const where = t("New recordings go into the room {name}.", { name });
  return is_shared && byId("list").dataset.user
    ? `${where} ${t("Everybody with an account here may read them.")}`
    : where;
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
  const files = [...(event.dataTransfer?.files ?? [])];
  if (files.length) take(files);
});
byId("choose").addEventListener("click", () => byId("file").click());
function takeChosen() {
  const input = byId("file");
  if (input.files.length) take([...input.files]);
  input.value = "";
}
byId("file").addEventListener("change", takeChosen);
listenToLimits("upload");
listenToRecorder(byId("list").dataset.user, (file) => queue.enqueue([file], choices()), choices);
queue.start(byId("list").dataset.user, showLines, goThere);
takeShared().catch(() => {});
takeChosen(); // what was chosen before this script was there
listenToSearch(() => refresh().catch(() => {}));
listenToFilters(() => refresh().catch(() => {}));
listenToBulk(() => refresh().catch(() => {}));
listenToPages(() => refresh().catch(() => {}));
for (const select of document.querySelectorAll("[data-languages]")) nameLanguages(select);
if (mayTag) {
  const readTags = () =>
    loadTags()
      .then((tags) => {
        offerTags(tags);
        offerUploadTags(tags);
      })
      .then(refresh)
      .catch(() => {});
  listenToTags(readTags);
  byId("bulk-tags").addEventListener("click", () => openTags(pickedIds()));
  readTags();
  loadTemplates()
    .then(() => offerTemplates(byId("upload-template"), null))
    .catch(() => {});
  readRooms().catch(() => {});
}
enableControls();
refresh().catch(() => {});
setTimeout(keepFresh, REFRESH_MS);
