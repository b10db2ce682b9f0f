// The Markdown that summaries use, as elements: headings, bold, links, lists, paragraphs.

import { make } from "./dom.js";

const INLINE = /(\*\*[^*]+\*\*|\[[^\]]+\]\(https?:\/\/[^\s)]+\))/;
const LINK = /^\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)$/;

function inline(text) {
  return text.split(INLINE).map((part) => {
    if (part.startsWith("**") && part.endsWith("**") && part.length > 4) return make("strong", {}, part.slice(2, -2));
    const link = LINK.exec(part);
    return link ? make("a", { href: link[2], rel: "noreferrer" }, link[1]) : part;
  });
}

export function markdown(source) {
  const blocks = [];
  let list = null;
  for (const line of source.split("\n")) {
    const heading = /^#{1,6}\s+(.*)$/.exec(line);
    const item = /^\s*(?:[-*]|(\d+)[.)])\s+(.*)$/.exec(line);
    if (item) {
      const tag = item[1] ? "OL" : "UL";
      if (list?.tagName !== tag) {
        list = make(tag.toLowerCase());
        if (item[1] && Number(item[1]) !== 1) list.start = Number(item[1]);
        blocks.push(list);
      }
      list.append(make("li", {}, ...inline(item[2])));
      continue;
    }
    if (line.trim()) list = null;
    if (heading) blocks.push(make("h3", {}, ...inline(heading[1])));
    else if (line.trim()) blocks.push(make("p", {}, ...inline(line)));
  }
  return blocks;
}
