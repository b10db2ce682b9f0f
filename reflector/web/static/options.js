// How a recording is processed: the template of its summary, how many speak, which words to expect.

import { languageName } from "./dates.js";
import { api, byId, make, send } from "./dom.js";
import { t } from "./text.js";

/** @typedef {import("../types").ProcessingOptions} Options */

/** @type {import("../types").SummaryTemplate[]} */
let templates = [];

/** Read the templates that this person may use. */
export async function loadTemplates() {
  templates = await api("/v1/summary-templates");
  return templates;
}

/**
 * Offer the templates that `loadTemplates` read.
 *
 * @param {any} select its first option is for none
 * @param {string | null | undefined} chosen
 */
export function offerTemplates(select, chosen) {
  const [none] = select.options;
  const options = templates.map(({ id, name }) => make("option", { value: id }, name));
  select.replaceChildren(none, ...options);
  select.value = chosen ?? "";
  if (select.selectedIndex < 0) select.value = ""; // it was removed
}

/** What the tags add to the options of a recording, in words; "" for nothing. */
function fromTags({ own, effective }) {
  const name = templates.find(({ id }) => id === effective.summary_template_id)?.name;
  const parts = [
    !own.summary_template_id && name ? t("Summary template: {name}", { name }) : "",
    effective.vocabulary && effective.vocabulary !== own.vocabulary
      ? t("Words to expect: {words}", { words: effective.vocabulary })
      : "",
  ];
  return parts.filter(Boolean).join(". ");
}

/**
 * Show the options in the fields that begin with `prefix`.
 *
 * @param {string} prefix
 * @param {import("../types").ProcessingOptionsView} view
 * @param {any} note where to say what tags add
 */
export function showOptions(prefix, view, note) {
  const { own } = view;
  offerTemplates(byId(`${prefix}-template`), own.summary_template_id);
  byId(`${prefix}-least`).value = own.min_speakers ?? "";
  byId(`${prefix}-most`).value = own.max_speakers ?? "";
  byId(`${prefix}-vocabulary`).value = own.vocabulary ?? "";
  const text = fromTags(view);
  note.hidden = !text;
  note.textContent = text ? t("From the tags: {text}", { text }) : "";
}

/** What the fields say. @returns {Options} */
export function readOptions(prefix) {
  const value = (name) => byId(`${prefix}-${name}`).value.trim() || null;
  const number = (name) => (value(name) ? Number(value(name)) : null);
  return {
    summary_template_id: value("template"),
    min_speakers: number("least"),
    max_speakers: number("most"),
    vocabulary: value("vocabulary"),
  };
}

const limitsOf = (prefix) => [byId(`${prefix}-least`), byId(`${prefix}-most`)];

/** Tell the browser, which keeps a form with a wrong field from being sent, whether the numbers fit together. */
function compareLimits(prefix) {
  const [least, most] = limitsOf(prefix);
  const isCrossed = least.value && most.value && Number(least.value) > Number(most.value);
  most.setCustomValidity(isCrossed ? t("This is less than “at least”.") : "");
}

/** Compare the numbers whenever one is changed. */
export const listenToLimits = (prefix) =>
  byId(`${prefix}-options`).addEventListener("input", () => compareLimits(prefix));

/** Whether the numbers are some, and fit together; says what is wrong where it is. */
export function areOptionsValid(prefix) {
  compareLimits(prefix);
  const [least, most] = limitsOf(prefix);
  const wrong = [least, most].find((input) => !input.checkValidity());
  if (!wrong) return true;
  const details = wrong.closest("details");
  if (details) details.open = true;
  wrong.reportValidity();
  return false;
}

/** @param {Options} options */
export const isChosen = (options) => Object.values(options).some((value) => value !== null);

/** Save the options of the recording whose path is `base`, where they are others. */
export async function saveOptions(base, prefix, before) {
  const wanted = readOptions(prefix);
  const isSame = Object.entries(wanted).every(([name, value]) => (before[name] ?? null) === value);
  if (!isSame) await send(`${base}/options`, "PUT", wanted);
}

/**
 * The fields for the defaults of a tag.
 *
 * @param {import("../types").Tag} tag
 * @param {string[]} codes of languages
 */
export function defaultsOf(tag, codes) {
  const language = make("select", {}, make("option", { value: "" }, t("As chosen, or detected")));
  const named = codes.map((code) => make("option", { value: code }, languageName(code)));
  language.append(...named.sort((a, b) => a.textContent.localeCompare(b.textContent)));
  language.value = tag.language ?? "";
  const template = make("select", {}, make("option", { value: "" }, t("None")));
  offerTemplates(template, tag.summary_template_id);
  const days = make("input", { type: "number", min: 1, max: 36500, value: tag.retention_days ?? "" });
  const vocabulary = make("textarea", { rows: 2, maxLength: 2000, dir: "auto", value: tag.vocabulary ?? "" });
  const element = make(
    "details",
    { className: "whole" },
    make("summary", {}, t("For recordings with this tag")),
    make(
      "div",
      { className: "fields" },
      make("label", {}, t("Language"), language),
      make("label", {}, t("Summary template"), template),
      make("label", {}, t("To the trash after days"), days),
      make("label", { className: "whole" }, t("Names and words to expect, separated by commas"), vocabulary),
    ),
  );
  const read = () => ({
    language: language.value || null,
    summary_template_id: template.value || null,
    retention_days: days.value ? Number(days.value) : null,
    vocabulary: vocabulary.value.trim() || null,
  });
  return { element, read };
}
