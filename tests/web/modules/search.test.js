import assert from "node:assert/strict";
import test from "node:test";
import "./page.js";

const { positions, plain } = await import("../../../reflector/web/static/find.js");
const { query, wanted } = await import("../../../reflector/web/static/search.js");

const texts = (text) => text.split(" ").map(plain);

test("words are found in their order, the last one by its beginning", () => {
  assert.deepEqual(positions(texts("a budget of thirty thousand, thirty thousandths"), "thirty thous"), [
    [3, 4],
    [5, 6],
  ]);
  assert.deepEqual(positions(texts("thousand thirty"), "thirty thousand"), []);
});

test("accents, case and punctuation do not matter", () => {
  assert.deepEqual(positions(texts("« Élan », déjà-vu!"), "elan"), [[1, 1]]);
  assert.deepEqual(positions(texts("Élan, déjà-vu!"), "elan dejavu"), [[0, 1]]);
  assert.deepEqual(positions(texts("Größe der ΣΊΣΥΦΟΣ"), "größe"), [[0, 0]]);
});

test("nothing is searched for nothing", () => {
  assert.deepEqual(positions(texts("a b"), "  "), []);
  assert.deepEqual(positions([], "a"), []);
});

test("operators and unwanted words of a query are not marked", () => {
  assert.deepEqual(wanted('budget or "thirty thousand" -million OR'), ["budget", "thirty", "thousand"]);
  assert.equal(query(), "thirty -million");
});
