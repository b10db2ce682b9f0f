// Dates and names of languages, in the language of the page.

const LANGUAGE = document.documentElement.lang;
const names = new Intl.DisplayNames([LANGUAGE], { type: "language", fallback: "code" });

/**
 * @param {string} moment in ISO 8601
 * @param {Intl.DateTimeFormatOptions["dateStyle"]} dateStyle
 */
export const date = (moment, dateStyle = "medium") =>
  new Date(moment).toLocaleString(LANGUAGE, { dateStyle, timeStyle: "short" });

/** "de" → "German"; Whisper writes "jw" for Javanese. */
export const languageName = (code) => names.of(code === "jw" ? "jv" : code);

/** Name and sort the languages of a <select>, those of this browser first. */
export function nameLanguages(select) {
  const own = new Set(navigator.languages.map((code) => code.split("-")[0]));
  const chosen = select.value;
  const [first, ...codes] = select.options;
  for (const option of codes) option.textContent = languageName(option.value);
  const rank = (option) => [own.has(option.value) ? 0 : 1, option.textContent];
  codes.sort((a, b) => rank(a)[0] - rank(b)[0] || a.textContent.localeCompare(b.textContent, LANGUAGE));
  select.replaceChildren(first, ...codes);
  select.value = chosen;
}
