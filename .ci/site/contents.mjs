// Reads the index of the pages, which is also the navigation of the site.
import { readFileSync } from "node:fs";

// contents are the sections of the index: each with the pages its list links to
// first in a line.
export function contents(file) {
  const sections = [];
  const seen = new Set(); // a page that is named twice is at its first place
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const heading = /^## (.+)$/.exec(line);
    if (heading) {
      sections.push({ name: heading[1], pages: [] });
    }
    const page = /^\| .* \| \[([^\]]+)\]\(([^)#]+\.md)\)/.exec(line);
    if (page && !page[2].startsWith("../") && !seen.has(page[2])) {
      seen.add(page[2]);
      sections.at(-1)?.pages.push({ name: page[1], link: page[2] });
    }
  }
  return sections.filter((s) => s.pages.length > 0);
}

// title is the first heading of a page.
export function title(markdown) {
  return /^# (.+)$/m.exec(markdown)?.[1].replaceAll("`", "");
}
