// Filters of the list: where a recording comes from, from when it is, who speaks, its tag. They are in the address, like the search.

import { byId, make } from "./dom.js";
import { offerRooms } from "./room_choice.js";

const NAMES = ["source", "from", "to", "status", "speaker", "owner", "tag", "room_id"];
const params = () => new URLSearchParams(location.search);

export const isFiltered = () => NAMES.some((name) => params().get(name));

/** A day of the reader's calendar as the moment when it begins, or when the next one does. */
function moment(day, offset) {
  const [year, month, date] = day.split("-").map(Number);
  const found = new Date(year, month - 1, date + offset);
  return Number.isNaN(found.getTime()) ? null : found.toISOString();
}

/** What the address asks for, in the words of the API. `typed`: the query of the address. */
export function searchParameters(address, typed) {
  const wanted = new URLSearchParams({ q: typed });
  const [source, from, to, ...others] = NAMES.map((name) => address.get(name));
  for (const [place, value] of others.entries()) if (value) wanted.set(NAMES[3 + place], value);
  if (source) wanted.set("source_kind", source);
  const [start, end] = [from && moment(from, 0), to && moment(to, 1)];
  if (start) wanted.set("from", start);
  if (end) wanted.set("to", end);
  return wanted;
}

/** Offer these tags. @param {import("../types").Tag[]} tags */
export function offerTags(tags) {
  const select = byId("filter-form").elements.tag;
  const [any] = select.options;
  const options = tags.map(({ id, name }) => make("option", { value: id }, name));
  select.replaceChildren(any, ...options);
  show();
}

/** Offer these rooms. @param {import("../types").Room[]} rooms */
export function offerRoomFilter(rooms) {
  offerRooms(byId("filter-form").elements.room_id, rooms, roomOf());
  show();
}

/** The id of the room whose recordings are shown; "" for all. */
export const roomOf = () => params().get("room_id") ?? "";

function show() {
  for (const name of NAMES) byId("filter-form").elements[name].value = params().get(name) ?? "";
  byId("filter-clear").disabled = !isFiltered();
  if (isFiltered()) byId("filters").open = true;
}

/** `refresh` shows what the address names. */
export function listenToFilters(refresh) {
  const apply = () => {
    const address = new URL(location.href);
    address.searchParams.delete("page");
    for (const name of NAMES) {
      const { value } = byId("filter-form").elements[name];
      if (value) address.searchParams.set(name, value);
      else address.searchParams.delete(name);
    }
    history.replaceState(null, "", address);
    show();
    refresh();
  };
  byId("filter-form").addEventListener("change", apply);
  byId("filter-form").addEventListener("submit", (event) => event.preventDefault());
  byId("filter-clear").addEventListener("click", () => {
    byId("filter-form").reset();
    apply();
  });
  addEventListener("popstate", show);
  show();
}
