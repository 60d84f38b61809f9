// The search box, and the list of pages, which is open where there is room.
const wide = matchMedia("(min-width: 60rem)");
const pages = document.getElementById("pages");
const fit = () => (pages.open = wide.matches);
wide.addEventListener("change", fit);
fit();
pages.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });

const query = document.getElementById("query");
const results = document.getElementById("results");
const most = 8;
let index; // loaded when somebody searches
let latest = 0;

async function search() {
  const turn = ++latest;
  const words = query.value.trim();
  if (words === "") {
    results.hidden = true;
    return;
  }
  index ??= import("./pagefind/pagefind.js");
  const { results: found } = await (await index).search(words);
  const shown = await Promise.all(found.slice(0, most).map((r) => r.data()));
  if (turn !== latest) {
    return; // something else has been typed since
  }
  results.replaceChildren(...(shown.length > 0 ? shown.map(entry) : [nothing(words)]));
  results.hidden = false;
}

function entry(page) {
  // The section with most of the words, or the page.
  const best = page.sub_results[0] ?? page;
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = best.url;
  const name = document.createElement("strong");
  name.textContent = best.title === page.meta.title ? page.meta.title : `${page.meta.title} › ${best.title}`;
  const excerpt = document.createElement("span");
  excerpt.innerHTML = best.excerpt; // escaped by Pagefind, with <mark> around words
  link.append(name, excerpt);
  item.append(link);
  return item;
}

function nothing(words) {
  const item = document.createElement("li");
  item.className = "nothing";
  item.textContent = `Nothing has “${words}”.`;
  return item;
}

query.addEventListener("input", search);
addEventListener("keydown", (e) => {
  if (e.key === "/" && !(e.target instanceof HTMLInputElement)) {
    e.preventDefault();
    query.focus();
  }
  if (e.key === "Escape") {
    results.hidden = true;
  }
  if (e.key === "ArrowDown" || e.key === "ArrowUp") {
    const links = [query, ...results.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (at >= 0 && !results.hidden) {
      e.preventDefault();
      links[(at + (e.key === "ArrowDown" ? 1 : links.length - 1)) % links.length].focus();
    }
  }
});
addEventListener("click", (e) => {
  if (!e.target.closest("search")) {
    results.hidden = true;
  }
});
