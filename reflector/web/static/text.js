// The texts of the modules in the language of the page. In the code they are English and are their own keys.

/** @type {{ texts?: Record<string, string | string[]>, plurals?: Record<string, number>, pseudo?: boolean }} */
const messages = JSON.parse(document.querySelector("#messages")?.textContent || "{}");
const rules = new Intl.PluralRules(messages.pseudo ? "en" : document.documentElement.lang);

/** `{name}` in the text becomes `values.name`. */
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));

const marked = (text) => (messages.pseudo ? `⟦${text}⟧` : text);

/**
 * @param {string} text
 * @param {Record<string, any>} values
 */
export function t(text, values = {}) {
  const found = messages.texts?.[text] ?? text;
  return marked(fill(Array.isArray(found) ? found[0] : found, values));
}

/**
 * A text that depends on a number, which it has as `{number}`.
 *
 * @param {string} one
 * @param {string} many
 * @param {number} number
 * @param {Record<string, any>} values
 */
export function tn(one, many, number, values = {}) {
  const forms = messages.texts?.[one];
  const category = rules.select(number);
  const found = Array.isArray(forms) ? forms[messages.plurals?.[category] ?? 0] : category === "one" ? one : many;
  return marked(fill(found, { number, ...values }));
}
