// The rooms that a person may record in, for the fields that offer them.

import { api, make } from "./dom.js";

const SIZE = 100;

/** All rooms of the list. @returns {Promise<import("../types").Room[]>} */
export async function loadRooms() {
  /** @type {import("../types").Room[]} */
  const rooms = [];
  for (let page = 1; ; page += 1) {
    const { items, pages } = await api(`/v1/rooms?page=${page}&size=${SIZE}`);
    rooms.push(...items);
    if (page >= pages) return rooms.sort((a, b) => a.name.localeCompare(b.name));
  }
}

/**
 * Offer `rooms`, and keep what was chosen.
 *
 * @param {any} select its first option is for none
 * @param {import("../types").Room[]} rooms
 * @param {string} chosen the id of a room; "" for none
 */
export function offerRooms(select, rooms, chosen) {
  const [none] = select.options;
  select.replaceChildren(none, ...rooms.map(({ id, name }) => make("option", { value: id }, name)));
  select.value = chosen;
  if (select.selectedIndex < 0) select.value = ""; // it was deleted, or is not shared any more
}
