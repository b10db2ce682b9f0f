// Tags: marks of one's own on recordings, which nobody else sees.

import { open, showProblem } from "./dialogs.js";
import { api, byId, make, makeButton, send } from "./dom.js";
import { defaultsOf, loadTemplates } from "./options.js";
import { t, tn } from "./text.js";

/** @typedef {import("../types").Tag} Tag */

// In the order of style.css
const COLOURS = [
  t("Blue"),
  t("Orange"),
  t("Green"),
  t("Pink"),
  t("Ochre"),
  t("Violet"),
  t("Teal"),
  t("Red"),
  t("Leaf green"),
  t("Magenta"),
  t("Petrol"),
  t("Crimson"),
];

/** Codes of the languages that are recognised. @type {string[]} */
const languages = JSON.parse(byId("tags")?.dataset.codes ?? "[]");

/** @type {Tag[]} */
let tags = [];

/** Which tags each recording of the dialog has. @type {Map<string, Set<string>>} */
let given = new Map();
let changed = () => {};

/** Read one's tags anew. */
export async function loadTags() {
  tags = await api("/v1/tags");
  return tags;
}

export const chip = (tag) => make("span", { className: `tag speaker-${tag.colour}`, dir: "auto" }, tag.name);

/**
 * The tags of recordings, by their ids, as the last `loadTags` knows them.
 *
 * @param {string[]} ids
 * @returns {Promise<Record<string, Tag[]>>}
 */
export async function tagsOf(ids) {
  if (!tags.length || !ids.length) return {};
  const wanted = new URLSearchParams(ids.map((id) => ["transcript", id]));
  const found = await api(`/v1/tags/of?${wanted}`);
  const byTag = new Map(tags.map((tag) => [tag.id, tag]));
  const named = ([id, own]) => [id, own.map((tag) => byTag.get(tag)).filter(Boolean)];
  return Object.fromEntries(Object.entries(found).map(named));
}

/** Do `action`, read all anew, and say in the dialog why it did not work. */
async function act(action) {
  showProblem(byId("tags"), null);
  try {
    await action();
  } catch (error) {
    showProblem(byId("tags"), error.message);
  }
  await show().catch((error) => showProblem(byId("tags"), error.message));
  changed();
}

async function give(tag, isGiven) {
  for (const id of given.keys()) await send(`/v1/transcripts/${id}/tags/${tag}`, isGiven ? "PUT" : "DELETE");
}

function showTag(tag) {
  const count = [...given.values()].filter((own) => own.has(tag.id)).length;
  const box = make("input", { type: "checkbox", checked: count > 0 && count === given.size });
  box.indeterminate = count > 0 && count < given.size;
  box.addEventListener("change", () => act(() => give(tag.id, box.checked)));
  const begin = () => line.replaceChildren(editor(tag));
  const edit = makeButton(t("Edit"), t("Edit the tag {name}", { name: tag.name }), begin, "link");
  const line = make("li", {}, make("label", { className: "check" }, box, chip(tag)), edit);
  return line;
}

/** A form to rename, colour or remove a tag. */
function editor(tag) {
  const name = make("input", { value: tag.name, maxLength: 60, required: true, dir: "auto" });
  name.setAttribute("aria-label", t("Name"));
  const options = COLOURS.map((colour, value) => make("option", { value, selected: value === tag.colour }, colour));
  const colour = make("select", {}, ...options);
  colour.setAttribute("aria-label", t("Colour"));
  const remove = make("button", { type: "button", className: "danger" }, t("Remove"));
  remove.setAttribute(
    "aria-label",
    tn(
      "Remove the tag {name} from {number} recording",
      "Remove the tag {name} from {number} recordings",
      tag.transcripts,
      { name: tag.name },
    ),
  );
  const save = make("button", { className: "primary" }, t("Save"));
  const defaults = defaultsOf(tag, languages);
  const form = make("form", { className: "fields" }, name, colour, remove, save, defaults.element);
  remove.addEventListener("click", () => act(() => send(`/v1/tags/${tag.id}`, "DELETE")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const body = { name: name.value, colour: Number(colour.value), ...defaults.read() };
    act(() => send(`/v1/tags/${tag.id}`, "PATCH", body));
  });
  return form;
}

async function show() {
  await Promise.all([loadTags(), loadTemplates()]);
  const own = await tagsOf([...given.keys()]);
  for (const id of given.keys()) given.set(id, new Set((own[id] ?? []).map((tag) => tag.id)));
  byId("tags-list").replaceChildren(...tags.map(showTag));
  byId("tags-empty").hidden = tags.length > 0;
}

/** Open the dialog for the recordings `ids`. */
export function openTags(ids) {
  given = new Map(ids.map((id) => [id, new Set()]));
  byId("tags-list").replaceChildren();
  open(byId("tags"));
  show().catch((error) => showProblem(byId("tags"), error.message));
}

/** @param {() => void} onChange tags were made, given or taken away */
export function listenToTags(onChange) {
  changed = onChange;
  byId("tags-new").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = byId("tags-name").value.trim();
    if (!name) return;
    act(async () => {
      const tag = await send("/v1/tags", "POST", { name, colour: tags.length % COLOURS.length });
      byId("tags-name").value = "";
      await give(tag.id, true);
    });
  });
}
