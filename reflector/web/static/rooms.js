// Rooms: made, changed, shared, deleted.

import { listenToCloseButtons, onSubmit, open } from "./dialogs.js";
import { api, at, byId, enableControls, make, makeButton, send } from "./dom.js";
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
  if (byId("room-mail")) byId("room-mail").value = room?.email_transcript_to ?? "";
  byId("room-webhook").value = room?.webhook_url ?? "";
  byId("room-remove").hidden = !room;
  showAddress();
  open(dialog);
}

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

async function refresh() {
  const rooms = await loadRooms();
  byId("list").replaceChildren(...rooms.map(row));
  byId("empty").hidden = rooms.length > 0;
  byId("error").hidden = true;
}

const show = () =>
  refresh().catch(({ message }) => {
    byId("error").textContent = message;
    byId("error").hidden = false;
  });

onSubmit(dialog, async () => {
  const name = byId("room-name").value;
  const fields = { name, webhook_url: byId("room-webhook").value.trim() };
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
byId("room-name").addEventListener("input", showAddress);
byId("new").addEventListener("click", () => ask(null));
listenToCloseButtons();
enableControls();
show();
