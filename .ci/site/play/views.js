// What the engine has answered, as parts of the page.
import { make } from "./dom.js";

// most is how many findings are listed.
const most = 100;

// place is a button that leads to a line.
export function place(file, line, character, go, text = `${file}:${line}`) {
  return make("button", { type: "button", className: "place", onclick: () => go(file, line, character) }, text);
}

// listed are the findings that are listed, and what stands behind them.
export function listed(findings, more) {
  const list = findings.slice(0, most);
  const left = findings.length + more - list.length;
  if (left > 0) {
    list.push({ text: `and ${left} more` });
  }
  return list.length > 0 ? list : [{ text: "Nothing is wrong with these files.", className: "none" }];
}

export function findingView(f, go, fix) {
  if (f.text) {
    return make("li", { className: f.className ?? "" }, f.text);
  }
  return make(
    "li", { className: f.severity },
    make("span", { className: "severity" }, f.severity), " ",
    place(f.file, f.line, f.character, go), " ",
    make("span", { className: "message" }, f.message), " ",
    f.hint ? make("span", { className: "hint" }, f.hint) : "", " ",
    f.fix ? make("button", { type: "button", className: f.fix.grants ? "fix grants" : "fix", title: f.fix.grants ? "It may grant more than before." : "", onclick: () => fix(f) }, f.fix.title) : "", " ",
    f.file.endsWith(".csv") || f.file.endsWith(".conf")
      ? make("a", { href: `policy-diagnostics.html#${f.code}`, target: "_blank" }, make("code", {}, f.code))
      : make("code", {}, f.code),
  );
}

// count is such as "2 errors, 1 warning".
export function count(findings) {
  return ["error", "warning", "note"]
    .map((severity) => [severity, findings.filter((f) => f.severity === severity).length])
    .filter(([, n]) => n > 0)
    .map(([severity, n]) => `${n} ${severity}${n > 1 ? "s" : ""}`)
    .join(", ");
}

export function verdictView(looked, go) {
  const notes = looked.notes.map((n) => make("li", {}, n));
  const noted = notes.length > 0 ? [make("ul", { className: "notes" }, ...notes)] : [];
  if (!looked.loads) {
    return [make("p", { className: "verdict refused" }, make("strong", {}, "refused"), " The policy has errors, so it would not be loaded.")];
  }
  const e = looked.explanation;
  if (!e) {
    return [make("p", { className: "verdict refused" }, make("strong", {}, "no answer"), ` ${looked.error}`), ...noted];
  }
  const status = e.subject === "anonymous" ? "401" : "403";
  const parts = [
    make(
      "p", { className: `verdict ${e.allowed ? "allow" : "deny"}` },
      make("strong", {}, e.allowed ? "allow" : "deny"),
      ` ${e.subject} ${e.allowed ? "may" : "may not"} ${e.action} ${e.object}: ${e.why}.${e.allowed ? "" : ` A gate answers ${status}.`}`,
    ),
  ];
  const rows = [];
  const rule = (r) => [place(r.file, r.line, 0, go), " ", make("code", {}, r.text)];
  const chain = (links) => [
    links[0].from,
    ...links.flatMap((l) => [` → ${l.to} (`, l.rule ? place(l.rule.file, l.rule.line, 0, go) : "from the token", ")"]),
  ];
  const row = (name, content) => rows.push(make("dt", {}, name), make("dd", {}, ...content));
  if (e.rule) {
    row("line", rule(e.rule));
  }
  for (const [name, links] of [["roles", e.chain], ["object", e.object_chain], ["action", e.action_chain]]) {
    if (links?.length > 0) {
      row(name, chain(links));
    }
  }
  if (e.overrides) {
    row("goes before", rule(e.overrides));
  }
  for (const m of e.near_misses ?? []) {
    row("nearly", [m.text, " ", place(m.rule.file, m.rule.line, 0, go, "show")]);
  }
  for (const n of e.notes ?? []) {
    row("note", [n]);
  }
  if (e.unindexed) {
    row("decided by", [`Casbin, rule by rule: ${e.unindexed}`]);
  }
  if (rows.length > 0) {
    parts.push(make("dl", {}, ...rows));
  }
  return [...parts, ...noted];
}

const signs = { allow: "✓", deny: "–", error: "!" };

export function matrixView(drawn, choose) {
  if (drawn.error) {
    return [make("p", { className: "quiet" }, drawn.error)];
  }
  if (drawn.rows.length === 0) {
    return [make("p", { className: "quiet" }, "No line of the policy is about a route.")];
  }
  const head = make(
    "tr", {}, make("th", { scope: "col" }, "Route"),
    ...drawn.columns.map((c) => make("th", { scope: "col", title: c.kind }, c.label)),
  );
  const rows = drawn.rows.map((r, i) =>
    make(
      "tr", {},
      make("th", { scope: "row" }, make("b", {}, r.method), ` ${r.route}`),
      ...drawn.cells[i].map((cell, j) => {
        const column = drawn.columns[j];
        const by = cell.line ? `, ${cell.file ? `${cell.file}:` : "line "}${cell.line}` : "";
        const says = `${column.label}: ${cell.word} ${r.method} ${r.route}${by}${cell.why ? `, ${cell.why}` : ""}`;
        return make(
          "td", { className: cell.word },
          make("button", { type: "button", title: says, ariaLabel: says, onclick: () => choose({ ...column.request, object: r.sample, action: r.method }) }, signs[cell.word]),
        );
      }),
    ),
  );
  return [
    make("div", { className: "scroll", tabIndex: 0 }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows))),
    ...drawn.notes.map((n) => make("p", { className: "quiet" }, n)),
  ];
}

export function testsView(tested, go) {
  if (tested.error) {
    return [make("p", { className: "quiet" }, tested.error)];
  }
  const line = (l, character) => place("policy.tests", l, character, go);
  const items = [
    ...tested.errors.map((e) => make("li", { className: "error" }, line(e.line, e.character), ` ${e.message}`)),
    ...tested.tests
      .filter((t) => t.text)
      .map((t) =>
        make(
          "li", { className: t.passed ? "warning" : "error" }, line(t.line, 0), " ",
          make("code", {}, t.test), make("pre", {}, t.text),
        ),
      ),
  ];
  return items.length > 0 ? [make("ol", {}, ...items)] : [];
}
