// What was deleted: to be brought back, or destroyed for good.

import { date } from "./dates.js";
import { api, byId, clock, make, makeButton, titleOf } from "./dom.js";
import { listenToPages, pageNumber, showPages } from "./paging.js";
import { t } from "./text.js";

const SIZE = 50;

function row(item) {
  const meta = [date(item.created_at), item.duration && clock(item.duration / 1000)].filter(Boolean).join(" · ");
  const name = titleOf(item);
  const bringBack = () => act(`/v1/transcripts/${item.id}/restore`, "POST");
  const restore = makeButton(t("Restore"), t("Restore {name}", { name }), bringBack);
  const destroy = makeButton(t("Destroy"), t("Destroy {name}", { name }), () => ask(item.id), "danger");
  return make(
    "li",
    { className: "trashed" },
    make("div", {}, make("strong", { dir: "auto" }, name), make("span", { className: "meta" }, meta)),
    make("div", { className: "row" }, restore, destroy),
  );
}

async function refresh() {
  const offset = (pageNumber() - 1) * SIZE;
  const answer = await api(`/v1/transcripts/search?q=&include_deleted=true&limit=${SIZE}&offset=${offset}`);
  byId("list").replaceChildren(...answer.results.map(row));
  byId("empty").hidden = answer.total > 0;
  showPages(Math.ceil(answer.total / SIZE));
}

function showError({ message }) {
  byId("error").textContent = message;
  byId("error").hidden = false;
}

async function act(path, method) {
  byId("error").hidden = true;
  try {
    await api(path, { method });
    await refresh();
  } catch (error) {
    showError(error);
  }
}

let asked = null;
function ask(id) {
  asked = id;
  byId("confirm").returnValue = "";
  byId("confirm").showModal();
}

byId("confirm")
  .querySelector("[data-close]")
  .addEventListener("click", () => byId("confirm").close(""));
byId("confirm").addEventListener("close", () => {
  if (byId("confirm").returnValue === "ok") act(`/v1/transcripts/${asked}/destroy`, "DELETE");
});

function show() {
  refresh().catch(showError);
}

listenToPages(show);
show();
