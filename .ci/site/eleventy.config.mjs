// How a page of docs becomes a page of the site. The pages are written for
// GitHub: what differs there is undone here, so that one text serves both.
import hljs from "highlight.js/lib/common";
import { contents, title } from "./contents.mjs";

const repository = "https://github.com/sallyport-go/sallyport/blob/main/";

// address is where a link of a page leads on the site: pages become HTML beside
// it, and all other files are shown by GitHub.
export function address(link) {
  if (/^([a-z]+:|#)/.test(link)) {
    return link;
  }
  if (link === "../.ci/site/play/play.html") {
    return "play.html"; // which .ci/site/playground puts there
  }
  if (!/^[^/]+\.md(#|$)/.test(link)) {
    return new URL(link, `${repository}docs/`).href;
  }
  return link.replace(/^README\.md/, "index.md").replace(/\.md(#|$)/, ".html$1");
}

// anchor is the fragment GitHub gives a heading, and .ci/checks/doccheck checks.
export function anchor(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{Nd}\-_ ]/gu, "")
    .replaceAll(" ", "-");
}

const text = (token) =>
  token.children.map((t) => (t.type === "text" || t.type === "code_inline" ? t.content : "")).join("");

function highlight(code, language) {
  const name = { sh: "bash", csv: "plaintext", text: "plaintext" }[language] ?? language;
  return hljs.getLanguage(name) ? hljs.highlight(code, { language: name }).value : "";
}

function markdown(md) {
  md.set({ html: true, linkify: false, highlight });
  md.core.ruler.push("anchors", ({ tokens }) => {
    const seen = new Map();
    tokens.forEach((token, i) => {
      if (token.type !== "heading_open") {
        return;
      }
      const id = anchor(text(tokens[i + 1]));
      const before = seen.get(id) ?? 0;
      seen.set(id, before + 1);
      token.attrSet("id", before > 0 ? `${id}-${before}` : id);
    });
  });
  const rules = md.renderer.rules;
  rules.link_open = (tokens, i, options, env, self) => {
    tokens[i].attrSet("href", address(tokens[i].attrGet("href")));
    return self.renderToken(tokens, i, options);
  };
  // Comments are for doccheck.
  rules.html_block = (tokens, i) => (tokens[i].content.startsWith("<!--") ? "" : tokens[i].content);
  // A table that is wider than the page scrolls by itself.
  rules.table_open = () => '<div class="wide" tabindex="0"><table>\n';
  rules.table_close = () => "</table></div>\n";
}

export default function (eleventyConfig) {
  eleventyConfig.amendLibrary("md", markdown);
  eleventyConfig.addPassthroughCopy("docs/**/*.svg");
  eleventyConfig.ignores.add("docs/*/**"); // what stands beside a file is read there
  eleventyConfig.addGlobalData("layout", "page.njk");
  eleventyConfig.addGlobalData("eleventyComputed", {
    permalink: ({ page }) => (page.fileSlug && page.fileSlug !== "README" ? `${page.fileSlug}.html` : "index.html"),
    title: ({ page }) => title(page.rawInput),
  });
  const index = contents("docs/README.md");
  eleventyConfig.addGlobalData(
    "contents",
    index.map(({ name, pages }) => ({ name, pages: pages.map((p) => ({ ...p, link: address(p.link) })) })),
  );
  // sections are the headings of a page's second level.
  eleventyConfig.addFilter("sections", (html) =>
    [...html.matchAll(/<h2 id="([^"]+)">(.*?)<\/h2>/g)].map(([, id, heading]) => ({
      id,
      heading: heading.replace(/<\/?a\b[^>]*>/g, ""),
    })),
  );
  return {
    dir: { input: "docs", includes: "../layout" },
    templateFormats: ["md"],
    markdownTemplateEngine: false,
  };
}
