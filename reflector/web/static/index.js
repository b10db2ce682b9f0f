// The list of recordings, and the way for new ones in.

import { api, at, byId, clock, make, showStatus } from "./dom.js";
import { upload } from "./upload.js";

const SIZE = 20;
const REFRESH_MS = 3000;
let page = 1;

function row(item) {
  const badge = make("span");
  showStatus(badge, item.status);
  const date = new Date(item.created_at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  const meta = item.duration ? `${date} · ${clock(item.duration / 1000)}` : date;
  const summary = item.short_summary ? make("span", { className: "summary" }, item.short_summary) : null;
  const link = make("a", { href: at(`/transcripts/${item.id}`) },
    make("strong", {}, item.title || item.name || "Recording"), badge,
    make("span", { className: "meta" }, meta), summary);
  return make("li", {}, link);
}

async function refresh() {
  const answer = await api(`/v1/transcripts?page=${page}&size=${SIZE}`);
  const focused = document.activeElement?.getAttribute("href");
  byId("list").replaceChildren(...answer.items.map(row));
  if (focused) byId("list").querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  byId("empty").hidden = answer.total > 0;
  byId("pages").hidden = answer.pages <= 1;
  byId("page-number").textContent = `Page ${answer.page} of ${answer.pages}`;
  byId("newer").disabled = page <= 1;
  byId("older").disabled = page >= answer.pages;
}

async function keepFresh() {
  if (!document.hidden) await refresh().catch(() => {});
  setTimeout(keepFresh, REFRESH_MS);
}

async function start(file) {
  const bar = make("progress", { max: 1, value: 0 });
  bar.setAttribute("aria-label", `Uploading ${file.name}`);
  const state = make("span", {}, "0 %");
  const line = make("div", { className: "upload-line" }, make("span", {}, file.name), state);
  const box = make("div", { className: "upload" }, line, bar);
  byId("uploads").append(box);
  const leaving = (event) => event.preventDefault();
  addEventListener("beforeunload", leaving);
  try {
    const target = document.getElementById("target-language")?.value ?? "";
    const id = await upload(file, byId("language").value, target, (fraction, problem) => {
      bar.value = fraction;
      state.textContent = problem ?? `${Math.floor(fraction * 100)} %`;
    });
    box.remove();
    return id;
  } catch (error) {
    box.classList.add("failed");
    bar.remove();
    state.textContent = error.message;
    return null;
  } finally {
    removeEventListener("beforeunload", leaving);
    refresh().catch(() => {});
  }
}

async function take(files) {
  const ids = [];
  for (const file of files) ids.push(await start(file));
  if (files.length === 1 && ids[0]) location.href = at(`/transcripts/${ids[0]}`);
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
  take([...event.dataTransfer.files]);
});
byId("choose").addEventListener("click", () => byId("file").click());
function takeChosen() {
  const input = byId("file");
  take([...input.files]);
  input.value = "";
}
byId("file").addEventListener("change", takeChosen);
takeChosen(); // what was chosen before this script was there
byId("newer").addEventListener("click", () => { page -= 1; refresh(); });
byId("older").addEventListener("click", () => { page += 1; refresh(); });
keepFresh();
