// Webhooks: made, changed, tested, paused; their secrets and what was sent.

import { copyFrom } from "./copy_field.js";
import { date } from "./dates.js";
import { listenToCloseButtons, onSubmit, open, showProblem } from "./dialogs.js";
import { api, at, byId, enableControls, inWords, make, makeButton, send } from "./dom.js";
import { listOf } from "./list.js";
import { t, tn } from "./text.js";

const dialog = byId("webhook");
const secret = byId("secret");
const deliveries = byId("deliveries");
const EVENTS = {
  "transcript.completed": t("ready"),
  "transcript.failed": t("failed"),
  "transcript.shared": t("shared"),
  "transcript.deleted": t("moved to the trash"),
};

/** @typedef {import("../types").Webhook} Webhook */
/** The one that a dialog is about; null for a new one. @type {Webhook | null} */
let asked = null;

const boxes = () => [...byId("webhook-events").querySelectorAll("input")];

/** @param {Webhook | null} webhook */
function ask(webhook) {
  asked = webhook;
  byId("webhook-url").value = webhook?.url ?? "";
  byId("webhook-events").hidden = Boolean(webhook?.room);
  for (const box of boxes()) box.checked = !webhook || webhook.events.includes(box.value);
  byId("webhook-remove").hidden = !webhook;
  open(dialog);
}

/** @param {Webhook} webhook */
function showSecret(webhook) {
  asked = webhook;
  byId("secret-value").value = webhook.secret ?? "";
  const until = webhook.previous_secret_until;
  byId("secret-said").textContent =
    until && new Date(until) > new Date() ? t("The one before signs, too, until {when}.", { when: date(until) }) : "";
  if (!secret.open) open(secret);
}

/** What is not as it should be, in words. @param {Webhook} webhook */
function stateOf({ paused_at, problem_parts, waiting }) {
  const wait = waiting ? tn("{number} delivery waits.", "{number} deliveries wait.", waiting) : "";
  if (!paused_at) return wait;
  const problem = inWords(problem_parts);
  const paused = problem ? t("Paused since {when}: {problem}", { when: date(paused_at), problem }) : t("Paused.");
  return `${paused} ${wait}`.trim();
}

/** @param {Webhook} webhook */
function row(webhook) {
  const { id, url, room, paused_at } = webhook;
  const said = make("div", { className: "meta", role: "status" });
  const act =
    (/** @type {() => Promise<any>} */ work) =>
    async (/** @type {any} */ { currentTarget: button }) => {
      button.disabled = true;
      await work().catch(({ message }) => {
        said.textContent = message;
      });
      button.disabled = false;
    };
  const test = act(async () => {
    said.textContent = t("The test is sent…");
    const { success, message, error_parts, response_preview } = await send(`/v1/webhooks/${id}/test`, "POST");
    said.textContent = [success ? t(message) : inWords(error_parts), response_preview].filter(Boolean).join(" ");
  });
  const toggle = act(async () => {
    await send(`/v1/webhooks/${id}`, "PATCH", { is_paused: !paused_at });
    await show();
  });
  const state = stateOf(webhook);
  return make(
    "li",
    {},
    make("strong", { className: "key", dir: "auto" }, url),
    make("div", { className: "meta", dir: "auto" }, room ? t("Room {name}", { name: room.name }) : eventsOf(webhook)),
    state ? make("p", { className: paused_at ? "notice" : "meta" }, state) : null,
    make(
      "div",
      { className: "row start" },
      makeButton(t("Edit"), t("Edit the webhook {url}", { url }), () => ask(webhook)),
      makeButton(t("Test"), t("Test the webhook {url}", { url }), test),
      makeButton(t("What was sent"), t("What was sent to {url}", { url }), () => showDeliveries(webhook)),
      makeButton(t("Secret"), t("Secret of the webhook {url}", { url }), () => showSecret(webhook)),
      makeButton(
        paused_at ? t("Send again") : t("Pause"),
        paused_at ? t("Send again to {url}", { url }) : t("Pause the webhook {url}", { url }),
        toggle,
        paused_at ? "primary" : "",
      ),
    ),
    said,
  );
}

/** @param {Webhook} webhook */
const eventsOf = ({ events }) => events.map((name) => EVENTS[name]).join(" · ");

const show = listOf(() => api("/v1/webhooks"), row);

/** The page of what was sent that is shown last. */
let page = 0;

/** @param {Webhook} webhook */
async function showDeliveries(webhook) {
  asked = webhook;
  page = 0;
  byId("deliveries-list").replaceChildren();
  open(deliveries);
  await showOlder();
}

async function showOlder() {
  try {
    const found = await api(`/v1/webhooks/${asked?.id}/deliveries?page=${page + 1}&size=20`);
    page += 1;
    byId("deliveries-list").append(...found.items.map(delivery));
    byId("deliveries-empty").hidden = found.total > 0;
    byId("deliveries-more").hidden = page >= found.pages;
  } catch (error) {
    showProblem(deliveries, error.message);
  }
}

/** @param {import("../types").WebhookDelivery} sent */
function delivery(sent) {
  const states = { waiting: t("waits"), delivered: t("arrived"), failed: t("was not sent") };
  const times = tn("{number} attempt", "{number} attempts", sent.attempts);
  const next = sent.state === "waiting" && sent.due_at ? t("next at {when}", { when: date(sent.due_at) }) : "";
  const about = [states[sent.state], date(sent.created_at), times, next].filter(Boolean).join(" · ");
  const line = make("li");
  const again = async (/** @type {any} */ { currentTarget: button }) => {
    button.disabled = true; // an answer may take half a minute
    try {
      line.replaceWith(delivery(await send(`/v1/webhooks/${asked?.id}/deliveries/${sent.id}/send`, "POST")));
      show();
    } catch (error) {
      showProblem(deliveries, error.message);
      button.disabled = false;
    }
  };
  line.append(
    make("a", { href: at(`/transcripts/${sent.transcript_id}`) }, EVENTS[sent.event] ?? sent.event),
    " ",
    makeButton(
      t("Send again"),
      t("Send again: {event}, {when}", { event: EVENTS[sent.event], when: date(sent.created_at) }),
      again,
      "link",
    ),
    make("div", { className: "meta" }, about),
    sent.error ? make("div", { className: "meta", dir: "auto" }, inWords(sent.error_parts)) : "",
  );
  return line;
}

onSubmit(dialog, async () => {
  const url = byId("webhook-url").value;
  const events = boxes()
    .filter(({ checked }) => checked)
    .map(({ value }) => value);
  const body = asked?.room ? { url } : { url, events };
  if (!asked?.room && !events.length) throw new Error(t("Choose at least one event."));
  if (asked) await send(`/v1/webhooks/${asked.id}`, "PATCH", body);
  else await send("/v1/webhooks", "POST", body);
  show();
  return true;
});
onSubmit(secret, async () => {
  await copyFrom(byId("secret-value"), (text) => {
    byId("secret-said").textContent = text;
  });
  return false;
});
byId("webhook-remove").addEventListener("click", async () => {
  try {
    await api(`/v1/webhooks/${asked?.id}`, { method: "DELETE" });
    dialog.close();
    show();
  } catch (error) {
    showProblem(dialog, error.message);
  }
});
byId("secret-rotate").addEventListener("click", async () => {
  try {
    showSecret(await send(`/v1/webhooks/${asked?.id}/rotate`, "POST"));
    show();
  } catch (error) {
    showProblem(secret, error.message);
  }
});
byId("deliveries-more").addEventListener("click", showOlder);
byId("new").addEventListener("click", () => ask(null));
listenToCloseButtons();
enableControls();
show();
