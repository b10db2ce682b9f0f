// The Markdown that summaries use, as elements: headings, bold, lists, paragraphs.

import { make } from "./dom.js";

function inline(text) {
  return text.split(/(\*\*[^*]+\*\*)/).map((part) =>
    part.startsWith("**") && part.endsWith("**") && part.length > 4
      ? make("strong", {}, part.slice(2, -2)) : part);
}

export function markdown(source) {
  const blocks = [];
  let list = null;
  for (const line of source.split("\n")) {
    const heading = /^#{1,6}\s+(.*)$/.exec(line);
    const item = /^\s*[-*]\s+(.*)$/.exec(line);
    if (item) {
      if (!list) blocks.push((list = make("ul")));
      list.append(make("li", {}, ...inline(item[1])));
      continue;
    }
    list = null;
    if (heading) blocks.push(make("h3", {}, ...inline(heading[1])));
    else if (line.trim()) blocks.push(make("p", {}, ...inline(line)));
  }
  return blocks;
}
