// What people see of their uploads: a line for each, with what can be done about it.

import { at, byId, make, makeButton } from "../dom.js";
import { t } from "../text.js";
import * as queue from "./queue.js";

/** @typedef {import("./store.js").Upload} Upload */

/** @param {Upload} upload */
function stateOf(upload) {
  if (upload.state === "refused") return upload.problem ?? "";
  if (upload.state === "shared") return t("Another app shares this. Is it to be uploaded?");
  if (upload.state === "same") return t("You have this recording already.");
  if (upload.problem) return `${upload.problem} ${t("The upload goes on by itself.")}`;
  if (queue.isElsewhere(upload)) return t("Goes on in another tab");
  return `${Math.floor(queue.fractionOf(upload) * 100)} %`;
}

/** @param {Upload} upload */
function buttons(upload) {
  const { name } = upload.file;
  const dismiss = makeButton(t("Dismiss"), t("Dismiss the upload of {name}", { name }), () =>
    queue.dismiss(upload.key),
  );
  const again = () => queue.retry(upload.key);
  if (upload.state === "same" && upload.same) {
    const open = make(
      "a",
      { href: at(`/transcripts/${upload.same.id}`), className: "button", dir: "auto" },
      upload.same.title,
    );
    const retry = makeButton(t("Upload it again"), t("Upload {name} again", { name }), again);
    return make("div", { className: "row" }, open, dismiss, retry);
  }
  if (upload.state === "waiting") return make("div", { className: "row" }, dismiss);
  if (upload.state === "shared") {
    return make("div", { className: "row" }, dismiss, makeButton(t("Upload"), t("Upload {name}", { name }), again));
  }
  const retry = makeButton(t("Try again"), t("Upload {name} again", { name }), again);
  return make("div", { className: "row" }, dismiss, retry);
}

/** @type {Map<number, { box: any, shown: string }>} */
const lines = new Map();

/** @param {Upload} upload */
function draw(upload) {
  const isOver = upload.state !== "waiting";
  const shown = JSON.stringify([upload.state, upload.problem, isOver]);
  let line = lines.get(upload.key);
  if (!line) {
    line = { box: make("div", { className: "upload" }), shown: "" };
    lines.set(upload.key, line);
    byId("uploads").append(line.box);
  }
  if (line.shown !== shown) {
    line.shown = shown;
    line.box.className = `upload ${upload.state === "refused" ? "failed" : ""}`;
    const bar = make("progress", { max: 1, value: 0 });
    bar.setAttribute("aria-label", t("Uploading {name}", { name: upload.file.name }));
    const head = make("span", { dir: "auto" }, upload.file.name);
    const state = make("span", { className: "state" });
    const more = isOver ? [buttons(upload)] : [bar, buttons(upload)];
    line.box.replaceChildren(make("div", { className: "upload-line" }, head, state), ...more);
  }
  line.box.querySelector(".state").textContent = stateOf(upload);
  const bar = line.box.querySelector("progress");
  if (bar) bar.value = queue.fractionOf(upload);
}

/** Show the lines of these uploads. @param {Upload[]} uploads */
export function showLines(uploads) {
  for (const upload of uploads) draw(upload);
  const there = new Set(uploads.map(({ key }) => key));
  for (const [key, { box }] of lines) {
    if (there.has(key)) continue;
    box.remove();
    lines.delete(key);
  }
}

/** On other pages than the library: one line in the header, which leads there. @param {Upload[]} uploads */
export function showSign(uploads) {
  const sign = byId("uploading");
  sign.hidden = uploads.length === 0;
  const [first] = uploads;
  if (!first) return;
  sign.classList.toggle("failed", first.state === "refused");
  sign.textContent =
    first.state === "waiting"
      ? t("Uploading: {percent} %", { percent: Math.floor(queue.fractionOf(first) * 100) })
      : t("An upload needs you");
}
