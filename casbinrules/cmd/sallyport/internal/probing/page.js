"use strict";
(() => {
  const byId = id => document.getElementById(id);
  const form = byId("filters"), code = byId("code"), route = byId("route"), who = byId("who");
  const table = byId("table"), heads = table ? [...table.tHead.rows[0].cells] : [], rows = table ? [...table.tBodies[0].rows] : [];
  const sections = [...document.querySelectorAll("section[data-findings]")], articles = [...document.querySelectorAll("article")];

  function filter() {
    const words = route.value.toLowerCase().split(/\s+/).filter(Boolean);
    const holds = text => words.every(word => text.toLowerCase().includes(word));
    let left = 0;
    for (const a of articles) {
      a.hidden = code.value && a.dataset.code !== code.value || who.value && a.dataset.as !== who.value || !holds(a.dataset.route);
      if (!a.hidden) left++;
    }
    for (const s of sections) s.hidden = ![...s.querySelectorAll("article")].some(a => !a.hidden);
    const shown = heads.map((head, i) => i === 0 || !who.value || head.textContent === who.value);
    heads.forEach((head, i) => { head.hidden = !shown[i]; });
    for (const row of rows) {
      row.hidden = !holds(row.cells[0].textContent);
      [...row.cells].forEach((cell, i) => { cell.hidden = !shown[i]; });
    }
    byId("count").textContent = left + " of " + articles.length + " findings";
  }

  // A link leads to its finding, whatever the filter leaves out.
  function reveal() {
    const target = location.hash && byId(decodeURIComponent(location.hash.slice(1)));
    if (!target || !target.closest("[hidden]")) return;
    form.reset();
    filter();
    target.scrollIntoView();
  }

  for (const input of [code, route, who]) input.addEventListener("input", filter);
  form.addEventListener("submit", event => event.preventDefault());
  addEventListener("hashchange", reveal);
  form.hidden = false;
  filter();
})();
