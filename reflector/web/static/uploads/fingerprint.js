// Recognise the same recording again, without reading gigabytes: its length, and pieces of its content.

const PIECE_BYTES = 256 * 1024;
const PIECES = 3;
// FNV-1a of 32 bits (RFC 9923); another start gives a second, independent half
const PRIME = 0x01000193;
const STARTS = [0x811c9dc5, 0x9747b28c];

/** @param {Uint8Array} bytes */
function hash(bytes, start) {
  let value = start;
  for (const byte of bytes) value = Math.imul(value ^ byte, PRIME);
  return value >>> 0;
}

/** @param {Blob} file */
export async function fingerprintOf(file) {
  const last = Math.max(0, file.size - PIECE_BYTES);
  const starts = [...new Set(Array.from({ length: PIECES }, (_, n) => Math.floor((last * n) / (PIECES - 1))))];
  let values = STARTS;
  for (const start of starts) {
    const bytes = new Uint8Array(await file.slice(start, start + PIECE_BYTES).arrayBuffer());
    values = values.map((value) => hash(bytes, value));
  }
  return `${file.size}-${values.map((value) => value.toString(16).padStart(8, "0")).join("")}`;
}
