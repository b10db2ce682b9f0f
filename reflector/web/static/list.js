// The list of a page that shows one kind of thing: loaded again after each change, and what went wrong said above it.

import { byId } from "./dom.js";

/**
 * @template T
 * @param {() => Promise<T[]>} load
 * @param {(item: T) => Element} row
 * @returns {() => Promise<void>} show it as it is now
 */
export const listOf = (load, row) => async () => {
  try {
    const items = await load();
    byId("list").replaceChildren(...items.map(row));
    byId("empty").hidden = items.length > 0;
    byId("error").hidden = true;
  } catch (error) {
    byId("error").textContent = error.message;
    byId("error").hidden = false;
  }
};
