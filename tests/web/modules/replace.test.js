import assert from "node:assert/strict";
import test from "node:test";
import "./page.js";

const { placesOf } = await import("../../../reflector/web/static/replace.js");
const { replaced } = await import("../../../reflector/web/static/actions.js");

const said = (...texts) => texts.map((text, n) => ({ text: ` ${text}`, start: n, end: n + 0.5, speaker: 0 }));
const both = { matchCase: false, wholeWords: true };
const changes = (words, find, text, options = both) =>
  placesOf(words, find, text, options).map(({ correction }) => Object.values(correction));

test("each place is replaced, and punctuation beside it stays", () => {
  const words = said("Mr.", "Meyer,", "meyer", "and", "Meyers");
  assert.deepEqual(changes(words, "meyer", "Maier"), [
    [1, 1, "Meyer,", "Maier,"],
    [2, 2, "meyer", "Maier"],
  ]);
  assert.equal(changes(words, "meyer", "Maier", { matchCase: true, wholeWords: true }).length, 1);
  assert.deepEqual(changes(words, "Meyer", "Maier", { matchCase: true, wholeWords: false }).at(-1), [
    4,
    4,
    "Meyers",
    "Maiers",
  ]);
});

test("several words become one, and one becomes several", () => {
  assert.deepEqual(changes(said("the", "post", "gress", "server"), "post  gress", "PostgreSQL"), [
    [1, 2, "post gress", "PostgreSQL"],
  ]);
  assert.deepEqual(changes(said("cannot"), "cannot", "can not"), [[0, 0, "cannot", "can not"]]);
});

test("the text beside a place is shown with it", () => {
  const [place] = placesOf(said("one", "two", "three"), "two", "2", both);
  assert.deepEqual([place.left, place.right], [" one", " three"]);
});

test("signs of patterns mean themselves, on both sides", () => {
  assert.deepEqual(changes(said("c++", "costs", "$5"), "c++", "$& $1"), [[0, 0, "c++", "$& $1"]]);
  assert.deepEqual(changes(said("a.b", "axb"), "a.b", "x").length, 1);
  assert.deepEqual(changes(said("anything"), "  ", "x"), []);
});

test("a match never reaches into what somebody else says", () => {
  const words = said("good", "morning");
  words[1].speaker = 1;
  assert.deepEqual(changes(words, "good morning", "x"), []);
});

test("matches in one word, and words with one start, are one correction", () => {
  const japanese = [..."東京東京"].map((text, n) => ({ text, start: Math.floor(n / 2), end: n, speaker: 0 }));
  assert.deepEqual(changes(japanese, "東京", "大阪", { matchCase: false, wholeWords: false }), [
    [0, 0, "東京", "大阪"],
    [1, 1, "東京", "大阪"],
  ]);
  const inserted = said("a", "b", "c");
  inserted[1].start = 0;
  assert.deepEqual(changes(inserted, "b", "x"), [[0, 0, "a b", "a x"]]);
});

test("accents and other scripts have whole words, too", () => {
  assert.deepEqual(changes(said("Élan", "élans"), "élan", "x"), [[0, 0, "Élan", "x"]]);
  assert.deepEqual(changes(said("кот", "котик"), "кот", "x"), [[0, 0, "кот", "x"]]);
});

test("an item that somebody else changed is not overwritten", () => {
  const items = { decisions: [], next_steps: [{ task: "a", deadline: null }, { task: "b" }] };
  assert.deepEqual(replaced(items, "next_steps", { task: "a" }, { task: "c" }).next_steps, [
    { task: "c" },
    { task: "b" },
  ]);
  assert.throws(() => replaced(items, "next_steps", { task: "a", done: true }, null), /Somebody else/);
  assert.deepEqual(replaced(null, "decisions", null, { decision: "d" }), {
    decisions: [{ decision: "d" }],
    next_steps: [],
  });
});
