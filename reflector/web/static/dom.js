// Small helpers that both pages use.

import { t } from "./text.js";

/** The address of a path of this server, which may be below a path of another. */
export const at = (path) => document.documentElement.dataset.root + path;

/** A WebSocket to a path of this server. @param {string} path */
export function openSocket(path) {
  const address = new URL(at(path), location.href);
  address.protocol = address.protocol.replace("http", "ws");
  return new WebSocket(address);
}

/**
 * The element with this id; null where the page lacks it, as for a person without the right.
 *
 * @param {string} id
 * @returns {any}
 */
export const byId = (id) => document.getElementById(id);

/** An element with properties and children; strings become text, never markup. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  const { dataset, ...rest } = properties;
  Object.assign(element, rest);
  Object.assign(element.dataset, dataset ?? {});
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/**
 * A button that says `text`, and `label` to those who do not see what it belongs to.
 *
 * @param {string} text
 * @param {string} label
 * @param {(event: any) => void} action
 * @param {string} className
 */
export function makeButton(text, label, action, className = "") {
  const button = make("button", { type: "button", className }, text);
  button.setAttribute("aria-label", label);
  button.addEventListener("click", action);
  return button;
}

/** @param {string} selector
 *  @returns {NodeListOf<any>} */
export const all = (selector) => document.querySelectorAll(selector);

/** Enable the controls that do nothing without their script, now that it listens. */
export function enableControls() {
  for (const control of all("[data-needs-script]")) control.disabled = false;
}

/** A menu closes on Escape, on a choice in it, and on a click elsewhere. */
export function listenToMenus() {
  const close = (/** @type {any} */ menu) => {
    menu.open = false;
  };
  addEventListener("click", ({ target }) => {
    for (const menu of all("details.menu[open]")) {
      if (!menu.contains(target) || /** @type {any} */ (target).closest("a, li button")) close(menu);
    }
  });
  addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    for (const menu of all("details.menu[open]")) {
      if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
      close(menu);
    }
  });
}

const drawn = new WeakMap();

/** Children of `box` by `build`, only where `what` they show is new: what stays keeps its focus, and a click half done. */
export function draw(box, what, build) {
  const now = JSON.stringify(what);
  if (drawn.get(box) === now) return;
  drawn.set(box, now);
  box.replaceChildren(...build());
}

export function showOffline(isOffline) {
  byId("offline").hidden = !isOffline;
}

/** Somebody is typing something that another page would throw away. */
export const isDialogOpen = () => document.querySelector("dialog[open]") !== null;

/** To the login, which leads back to this page. */
function logInAgain() {
  if (isDialogOpen()) return;
  location.href = at(`/login?back=${encodeURIComponent(location.pathname + location.search)}`);
}

const SESSION_ENDED = t("Your session has ended. Log in again in another tab, then repeat this here.");

/** What this browser remembers; nothing where it is set to keep nothing. */
export function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    /* it is asked for again next time */
  }
}

/** The answer; an Error with the server's sentence for one that is not a success. */
async function request(path, options) {
  /** @type {Record<string, string>} */
  const headers = options.body ? { "Content-Type": "application/json" } : {};
  let response;
  try {
    response = await fetch(at(path), { headers, ...options });
  } catch {
    showOffline(true);
    throw new Error(t("The server cannot be reached."));
  }
  // The service worker answers with what it keeps
  showOffline(response.headers.has("X-Reflector-Kept"));
  if (response.status === 401) {
    // What somebody wanted to change is not thrown away
    if (!options.method) logInAgain();
    throw new Error(SESSION_ENDED);
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => null);
  throw Object.assign(new Error(sentence(body, response.status)), { status: response.status });
}

/** The JSON answer. Throws what `request` throws. */
export async function api(path, options = /** @type {RequestInit} */ ({})) {
  const response = await request(path, options);
  return response.json().catch(() => null);
}

/** Send `body` as JSON, if there is one; the JSON answer. Throws what `request` throws. */
export const send = (path, method, body = /** @type {any} */ (undefined)) =>
  api(path, { method, body: body && JSON.stringify(body) });

/** The answer as text. Throws what `request` throws. */
export const fetchText = async (path) => (await request(path, {})).text();

/** What the server says as texts with their values. @param {[string, Record<string, any>][] | null | undefined} parts */
export const inWords = (parts) => (parts ?? []).map(([text, values]) => t(text, values)).join(" ");

export function sentence(body, status) {
  if (body?.parts) return inWords(body.parts);
  if (typeof body?.detail === "string") return t(body.detail);
  if (Array.isArray(body?.detail)) return body.detail.map((item) => item.msg).join("; ");
  return t("The server answered {status}.", { status });
}

/** 75 → "1:15", 3675 → "1:01:15". */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 60) % 60, whole % 60];
  const hours = Math.floor(whole / 3600);
  if (hours) parts.unshift(hours);
  return parts.map((part, index) => (index ? String(part).padStart(2, "0") : part)).join(":");
}

/** Time left in words that do not jump about. */
export function timeLeft(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 60) return t("{number} s left", { number: Math.max(1, Math.round(seconds)) });
  if (seconds < 3600) return t("{number} min left", { number: Math.round(seconds / 60) });
  return t("{number} h left", { number: (seconds / 3600).toFixed(1) });
}

/** What a recording is called. */
export const titleOf = (item) => item.title || item.name || t("Recording");

const STATUS = {
  idle: t("Empty"),
  uploaded: t("Uploaded"),
  recording: t("Recording"),
  processing: t("Working"),
  error: t("Problem"),
  ended: t("Ready"),
};

export function showStatus(badge, status) {
  badge.className = `badge ${status}`;
  badge.textContent = STATUS[status] ?? status;
}
