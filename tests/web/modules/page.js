// What modules ask of a browser while they are loaded. Imported before them; what is shown is tested in Chromium.

globalThis.document = {
  documentElement: { lang: "en", dataset: { root: "" } },
  querySelector: () => null,
  querySelectorAll: () => [],
};
globalThis.location = new URL("http://127.0.0.1/?q=thirty+-million");
