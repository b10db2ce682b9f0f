// Rooms: made, changed, shared, deleted.

import { date } from "./dates.js";
import { listenToCloseButtons, onSubmit, open } from "./dialogs.js";
import { api, at, byId, enableControls, inWords, make, makeButton, send } from "./dom.js";
import { listOf } from "./list.js";
import { loadRooms } from "./room_choice.js";
import { t, tn } from "./text.js";

const dialog = byId("room");
const removal = byId("removal");
const PLATFORMS = { daily: "Daily", whereby: "Whereby", livekit: "LiveKit", "in-person": t("around a table") };
// What the API asks for beside the fields of this page
const FRESH = {
  platform: "in-person",
  room_mode: "normal",
  recording_type: "local",
  recording_trigger: "none",
  is_locked: false,
  is_shared: false,
  zulip_auto_post: false,
  zulip_stream: "",
  zulip_topic: "",
  webhook_url: "",
  webhook_secret: "",
};

/** The one that a dialog is about; null for a new one. @type {import("../types").Room | null} */
let asked = null;

const pathOf = (name) => at(`/${encodeURIComponent(name)}`);

function showAddress() {
  const name = byId("room-name").value.trim();
  byId("room-address").textContent = name
    ? t("Its address: {address}", { address: location.origin + pathOf(name) })
    : "";
}

function ask(room) {
  asked = room;
  byId("room-name").value = room?.name ?? "";
  if (byId("room-shared")) byId("room-shared").checked = room?.is_shared ?? false;
  byId("room-calendar").value = room?.ics_url ?? "";
  offerInterval(room?.ics_fetch_interval ?? 300);
  byId("room-calendar-read").hidden = !room?.ics_enabled;
  showCalendar();
  if (byId("room-mail")) byId("room-mail").value = room?.email_transcript_to ?? "";
  byId("room-webhook").value = room?.webhook_url ?? "";
  byId("room-remove").hidden = !room;
  showAddress();
  open(dialog);
}

/** Choose how often a calendar is read. @param {number} seconds programs may have set any */
function offerInterval(seconds) {
  const select = byId("room-interval");
  select.value = String(seconds);
  if (select.selectedIndex >= 0) return;
  select.append(make("option", { value: String(seconds) }, t("{number} seconds", { number: seconds })));
  select.value = String(seconds);
}

/** Say how reading the calendar went. */
async function showCalendar() {
  const said = byId("room-calendar-said");
  said.textContent = "";
  const room = asked;
  if (!room?.ics_enabled) return;
  try {
    const status = await api(`${apiOf(room)}/ics/status`);
    if (room !== asked) return;
    const when = status.last_sync && date(status.last_sync);
    const events = tn("{number} event", "{number} events", status.events_count);
    const read = when ? t("Read on {when}: {events}.", { when, events }) : t("Not read yet.");
    said.textContent = [inWords(status.problem_parts), read].filter(Boolean).join(" ");
  } catch (error) {
    said.textContent = error.message;
  }
}

/** @param {import("../types").Room} room */
const apiOf = ({ name }) => `/v1/rooms/${encodeURIComponent(name)}`;

/** @param {import("../types").Room} room */
function row(room) {
  const { name } = room;
  const isMine = ["", byId("list").dataset.user].includes(room.user_id);
  const about = [PLATFORMS[room.platform], room.is_shared && byId("room-shared") ? t("shared") : ""]
    .filter(Boolean)
    .join(" · ");
  return make(
    "li",
    {},
    make("a", { href: pathOf(name) }, make("strong", { dir: "auto" }, name)),
    " ",
    isMine ? makeButton(t("Edit"), t("Edit the room {name}", { name }), () => ask(room), "link") : null,
    make("div", { className: "meta" }, about),
  );
}

const show = listOf(loadRooms, row);

onSubmit(dialog, async () => {
  const name = byId("room-name").value;
  const calendar = byId("room-calendar").value.trim();
  /** @type {Record<string, unknown>} */
  const fields = {
    name,
    webhook_url: byId("room-webhook").value.trim(),
    // One that a program has turned off stays so
    ...(calendar === (asked?.ics_url ?? "") ? {} : { ics_url: calendar, ics_enabled: calendar !== "" }),
    ics_fetch_interval: Number(byId("room-interval").value),
  };
  if (byId("room-mail")) fields.email_transcript_to = byId("room-mail").value;
  if (byId("room-shared")) fields.is_shared = byId("room-shared").checked;
  if (asked) await send(`/v1/rooms/${asked.id}`, "PATCH", fields);
  else await send("/v1/rooms", "POST", { ...FRESH, ...fields });
  show();
  return true;
});
onSubmit(removal, async () => {
  await api(`/v1/rooms/${asked?.id}`, { method: "DELETE" });
  show();
  return true;
});
byId("room-remove").addEventListener("click", async () => {
  dialog.close();
  const { total } = await api(`/v1/transcripts?room_id=${asked?.id}&size=1`).catch(() => ({ total: null }));
  byId("removal-count").textContent =
    total === null ? "" : tn("You see {number} recording in it.", "You see {number} recordings in it.", total);
  open(removal);
});
byId("room-calendar-read").addEventListener("click", async ({ target }) => {
  if (!asked) return;
  target.disabled = true;
  byId("room-calendar-said").textContent = t("The calendar is being read…");
  try {
    await send(`${apiOf(asked)}/ics/sync`, "POST");
    await showCalendar(); // which says what is wrong with the calendar
  } catch (error) {
    byId("room-calendar-said").textContent = error.message;
  }
  target.disabled = false;
});
byId("room-name").addEventListener("input", showAddress);
byId("new").addEventListener("click", () => ask(null));
listenToCloseButtons();
enableControls();
show();
