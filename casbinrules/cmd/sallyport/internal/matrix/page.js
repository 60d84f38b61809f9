"use strict";
(() => {
  const byId = id => document.getElementById(id);
  const table = byId("matrix"), routes = byId("routes"), subjects = byId("subjects"), decision = byId("decision");
  const heads = [...table.tHead.rows[0].cells], rows = [...table.tBodies[0].rows];
  const words = input => input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const holds = (text, list) => list.every(word => text.includes(word));

  function filter() {
    const wanted = words(routes), names = words(subjects);
    const shown = heads.map((head, i) => i < 1 || holds(head.textContent.toLowerCase(), names));
    heads.forEach((head, i) => { head.hidden = !shown[i]; });
    let left = 0;
    for (const row of rows) {
      const cells = [...row.cells];
      cells.forEach((cell, i) => { cell.hidden = !shown[i]; });
      const text = cells[0].textContent.toLowerCase();
      const some = !decision.value || cells.some((cell, i) => i > 0 && shown[i] && cell.classList.contains(decision.value));
      row.hidden = !(some && holds(text, wanted));
      if (!row.hidden) left++;
    }
    byId("count").textContent = left + " of " + rows.length + " routes";
  }

  for (const input of [routes, subjects, decision]) input.addEventListener("input", filter);
  byId("filters").addEventListener("submit", event => event.preventDefault());
  byId("filters").hidden = false;
  filter();
})();
