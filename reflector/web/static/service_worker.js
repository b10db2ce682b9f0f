// Keeps the files of the pages, and what was opened, for when the server cannot be reached; takes files that other
// apps share. `web/offline.py` serves it below no hash, and puts SHELL before it.

/** @typedef {{ root: string, version: string, files: string[], page: string }} Shell paths; `page` is what is shown instead */

const worker = /** @type {any} */ (self);
/** @type {Shell} */
const shell = worker.SHELL;

// Several servers may share a host, each below a path of its own
const PREFIX = `reflector${shell.root}:`;
const FILES = `${PREFIX}files-${shell.version}`;
// Pages name their files by a hash: what was opened before an update cannot be shown after it
const OPENED = `${PREFIX}opened-${shell.version}`;
const SHARED = `${PREFIX}shared`;
const MOST_OPENED = 400;
const AWAY = [502, 503, 504];
const NO_MORE = [403, 404, 410];

const PAGES = /^\/(transcripts\/[^/]+)?$/;
const TEXTS = /^\/v1\/transcripts\/(?!same$|search$)[^/]+(\/(topics|words|run|translation|notes|audio\/waveform))?$/;
// Of the library its first page
const LISTS = ["/v1/tags", "/v1/transcripts?page=1&size=20"];
const LIST_SECONDS = 15;

/** What the server said, marked as kept, so that the page says that it is away. @param {Response} kept */
function marked(kept) {
  const headers = new Headers(kept.headers);
  headers.set("X-Reflector-Kept", "1");
  return new Response(kept.body, { status: kept.status, headers });
}

/** When each list was kept: the library reads it every few seconds. @type {Map<string, number>} */
const keptAt = new Map();

async function keep(key, response) {
  const isList = LISTS.includes(key.slice(shell.root.length));
  if (isList && Date.now() - (keptAt.get(key) ?? 0) < LIST_SECONDS * 1000) return;
  keptAt.set(key, Date.now());
  const cache = await caches.open(OPENED);
  await cache.put(key, response);
  // The oldest come first; what is kept again moves to the end
  const keys = await cache.keys();
  await Promise.all(keys.slice(0, Math.max(0, keys.length - MOST_OPENED)).map((each) => cache.delete(each)));
}

/** The session has ended: what was opened in it is not shown any more. */
async function forget() {
  keptAt.clear();
  await Promise.all([OPENED, SHARED].map((name) => caches.delete(name)));
}

/** It was destroyed, or is shared no more: all that is kept of it goes. @param {string} key */
async function drop(key) {
  const [id] = key.match(/(?<=\/transcripts\/)[^/?]+/) ?? [];
  const cache = await caches.open(OPENED);
  const keys = await cache.keys();
  await Promise.all(
    keys.filter(({ url }) => id && url.includes(`/transcripts/${id}`)).map((each) => cache.delete(each)),
  );
}

/** The server's answer; what is kept where the server cannot be reached. `key`: the address that it is kept under. */
async function fresh(event, key, orElse) {
  const kept = async () => {
    const found = await (await caches.open(OPENED)).match(key, { ignoreVary: true });
    return found ? marked(found) : null;
  };
  try {
    const response = await fetch(event.request);
    if (response.ok) event.waitUntil(keep(key, response.clone()).catch(() => {}));
    // A page leads elsewhere only to the login
    if (response.status === 401 || response.type === "opaqueredirect") event.waitUntil(forget());
    if (NO_MORE.includes(response.status)) event.waitUntil(drop(key));
    return AWAY.includes(response.status) ? ((await kept()) ?? response) : response;
  } catch (error) {
    const found = (await kept()) ?? (await orElse());
    if (!found) throw error;
    return found;
  }
}

/** Any other page; the login means that nobody is logged in. */
async function otherPage(event, path) {
  try {
    const response = await fetch(event.request);
    if (path === "/login" || response.type === "opaqueredirect") event.waitUntil(forget());
    return response;
  } catch (error) {
    const found = await insteadOfPage();
    if (!found) throw error;
    return found;
  }
}

const insteadOfPage = async () => (await caches.open(FILES)).match(shell.page, { ignoreVary: true });

/** Put what another app shares where the library looks for it. */
async function takeShared(request) {
  const form = await request.formData();
  const cache = await caches.open(SHARED);
  for (const file of form.getAll("recordings")) {
    if (typeof file === "string") continue;
    const name = encodeURIComponent(file.name || "recording");
    await cache.put(`${shell.root}/share/${Math.random()}/${name}`, new Response(file));
  }
  return Response.redirect(`${shell.root}/?shared`, 303);
}

worker.addEventListener("install", (event) => {
  const cached = caches.open(FILES).then((cache) => cache.addAll([...shell.files, shell.page]));
  event.waitUntil(cached.then(() => worker.skipWaiting()));
});

worker.addEventListener("activate", (event) => {
  const wanted = [FILES, OPENED, SHARED];
  const clean = async () => {
    const names = await caches.keys();
    const ours = names.filter((name) => name.startsWith(PREFIX));
    await Promise.all(ours.filter((name) => !wanted.includes(name)).map((name) => caches.delete(name)));
    await worker.clients.claim();
  };
  event.waitUntil(clean());
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin || !url.pathname.startsWith(`${shell.root}/`)) return;
  const path = url.pathname.slice(shell.root.length);
  if (request.method === "POST" && path === "/share") event.respondWith(takeShared(request));
  if (request.method !== "GET") return;
  if (shell.files.includes(url.pathname)) {
    const file = async () => (await (await caches.open(FILES)).match(url.pathname)) ?? fetch(request);
    event.respondWith(file());
  } else if (request.mode === "navigate") {
    // A page is the same for each search in it; a preview is somebody else's view of it
    const isOwn = PAGES.test(path) && !url.searchParams.has("preview");
    event.respondWith(isOwn ? fresh(event, url.pathname, insteadOfPage) : otherPage(event, path));
  } else if (request.cache !== "no-store" && (TEXTS.test(path) || LISTS.includes(path + url.search))) {
    event.respondWith(fresh(event, url.pathname + url.search, async () => null));
  }
});
