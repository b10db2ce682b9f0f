import assert from "node:assert/strict";
import test from "node:test";
import "./page.js";

const { clock, sentence, timeLeft, titleOf } = await import("../../../reflector/web/static/dom.js");

test("times are read as people write them", () => {
  assert.deepEqual([0, 75, 3599.9, 3675].map(clock), ["0:00", "1:15", "59:59", "1:01:15"]);
});

test("time left does not jump about, and is empty while it is unknown", () => {
  assert.deepEqual([undefined, null, 0, 59.4, 61, 5400].map(timeLeft), [
    "",
    "",
    "1 s left",
    "59 s left",
    "1 min left",
    "1.5 h left",
  ]);
});

test("an answer without a sentence says its status", () => {
  assert.equal(sentence({ detail: "No." }, 400), "No.");
  assert.equal(sentence({ detail: [{ msg: "a" }, { msg: "b" }] }, 422), "a; b");
  assert.equal(sentence(null, 502), "The server answered 502.");
});

test("a recording has a name in any case", () => {
  assert.deepEqual([{ title: "T", name: "n" }, { title: "", name: "n" }, {}].map(titleOf), ["T", "n", "Recording"]);
});
