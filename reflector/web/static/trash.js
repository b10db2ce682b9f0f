// What was deleted: to be brought back, or destroyed for good.

import { api, byId, clock, make } from "./dom.js";

const SIZE = 100;

function row(item) {
  const date = new Date(item.created_at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  const meta = item.duration ? `${date} · ${clock(item.duration / 1000)}` : date;
  const name = item.title || "Recording";
  const restore = make("button", { type: "button" }, "Restore");
  restore.setAttribute("aria-label", `Restore ${name}`);
  restore.addEventListener("click", () => act(`/v1/transcripts/${item.id}/restore`, "POST"));
  const destroy = make("button", { type: "button", className: "danger" }, "Destroy");
  destroy.setAttribute("aria-label", `Destroy ${name}`);
  destroy.addEventListener("click", () => ask(item.id));
  return make("li", { className: "trashed" },
    make("div", {}, make("strong", {}, name), make("span", { className: "meta" }, meta)),
    make("div", { className: "row" }, restore, destroy));
}

async function refresh() {
  const answer = await api(`/v1/transcripts/search?q=&include_deleted=true&limit=${SIZE}`);
  byId("list").replaceChildren(...answer.results.map(row));
  byId("empty").hidden = answer.total > 0;
}

async function act(path, method) {
  byId("error").hidden = true;
  try {
    await api(path, { method });
    await refresh();
  } catch (error) {
    byId("error").textContent = error.message;
    byId("error").hidden = false;
  }
}

let asked = null;
function ask(id) {
  asked = id;
  byId("confirm").returnValue = "";
  byId("confirm").showModal();
}

byId("confirm").querySelector("[data-close]").addEventListener("click", () => byId("confirm").close(""));
byId("confirm").addEventListener("close", () => {
  if (byId("confirm").returnValue === "ok") act(`/v1/transcripts/${asked}/destroy`, "DELETE");
});

refresh().catch((error) => {
  byId("error").textContent = error.message;
  byId("error").hidden = false;
});
