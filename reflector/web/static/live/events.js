// The events of one transcript, over as many connections as that takes.

import { isDialogOpen, openSocket, showOffline } from "../dom.js";

const RECONNECT_MS = 2000;
const NOT_ALLOWED = 1008;

/** The server says why, or asks for a login. */
function reload() {
  if (!isDialogOpen()) location.reload();
}

/**
 * Follow a transcript until the page is left.
 *
 * @param {string} base its path in the API
 * @param {Record<string, (data: any) => void>} handlers by the name of the event; others are ignored
 * @param {{ onOpen?: () => void, onDenied?: () => void, isLeaving?: () => boolean }} options
 *   `onDenied`: this may not be seen any more
 * @returns {() => void} ends it
 */
export function follow(base, handlers, { onOpen = () => {}, onDenied = reload, isLeaving = () => false } = {}) {
  let failures = 0;
  let isOver = false;
  /** @type {WebSocket} */
  let socket;

  /** Longer each time, up to half a minute, and never for all viewers at once. */
  const pause = () => Math.min(30_000, RECONNECT_MS * 2 ** failures) * (0.75 + Math.random() / 2);

  function connect() {
    if (isOver) return;
    socket = openSocket(`${base}/events`);
    socket.addEventListener("open", () => {
      failures = 0;
      showOffline(false);
      onOpen();
    });
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(data);
      handlers[message.event]?.(message.data);
    });
    socket.addEventListener("close", ({ code }) => {
      if (isOver || isLeaving()) return;
      if (code === NOT_ALLOWED) {
        onDenied();
        return;
      }
      if (failures) showOffline(true);
      setTimeout(connect, pause());
      failures += 1;
    });
  }

  connect();
  return () => {
    isOver = true;
    socket.close();
  };
}
