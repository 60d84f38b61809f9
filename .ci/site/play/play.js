// The page to try policies on.
import { byID, make, renew } from "./dom.js";
import { Editor } from "./editor.js";
import { Engine } from "./engine.js";
import { limit, pack, unpack } from "./share.js";
import { count, findingView, listed, matrixView, testsView, verdictView } from "./views.js";

const first = "policy.csv"; // the policy, if it is one file
const maxPolicies = 20;
const longest = 60; // name, in characters
let names = ["model.conf", "policy.tests", "routes.json"]; // of files, in the order of their tabs
const policies = () => names.filter((n) => n.endsWith(".csv"));
const flags = ["allow_anonymous", "without_token_roles", "object_route", "as_casbin"];
const lists = ["attributes", "role_patterns", "tenant_patterns"];
const form = byID("request");
const main = document.querySelector("main");
const editors = {};
const tabs = {};
let presets; // until the engine is there
let open = first;
let asked; // the state that the newest question is about
let looked; // the newest answer, with the texts of the files that it is about
let marks = {}; // by file and what they are of
let attributes = {}; // values of the request, also of those that the model lacks

// The files.

// arrange has the page show these policy files, in this order, and no others.
function arrange(list) {
  names = ["model.conf", ...list, "policy.tests", "routes.json"];
  for (const name of Object.keys(editors).filter((n) => !names.includes(n))) {
    tabs[name].remove();
    editors[name].element.remove();
    delete tabs[name];
    delete editors[name];
    delete marks[name];
  }
  for (const name of names.filter((n) => !editors[n])) {
    const editor = (editors[name] = new Editor(name, { onInput: () => ask(), onMove: here }));
    tabs[name] = make("button", { type: "button", role: "tab", id: `tab-${editor.id}`, "aria-controls": editor.element.id, onclick: () => show(name) }, name, make("span", { className: "badge" }));
    byID("editors").append(editor.element);
    engine.forget(); // what is marked in it
  }
  byID("tabs").replaceChildren(...names.map((n) => tabs[n]));
  byID("add").disabled = list.length >= maxPolicies;
  show(names.includes(open) ? open : list[0]);
}

const allowed = (name) => /^[\p{L}\p{N}_][\p{L}\p{N}_. -]*\.csv$/u.test(name) && name.length <= longest;

// free is a name that is allowed and not taken: name itself, or one like it.
function free(name, taken) {
  const stem = name.normalize().slice(0, -".csv".length) || "_";
  for (let n = 1; ; n++) {
    const end = `${n > 1 ? n : ""}.csv`;
    const tried = stem.slice(0, longest - end.length).replace(/^[. -]|[^\p{L}\p{N}_. -]/gu, "_") + end;
    if (!taken.includes(tried)) {
      return tried;
    }
  }
}

// misnamed says why a policy file cannot have a name, "" if it can.
function misnamed(name) {
  if (!allowed(name)) {
    return "A policy file has a name such as roles.csv: letters, digits, and -, _ or . between them.";
  }
  return names.includes(name) ? `There is a file ${name}.` : "";
}

byID("add").onclick = () => {
  const name = free("roles.csv", names);
  arrange([...policies(), name]);
  show(name);
  editors[open].text.focus();
  ask();
};

byID("remove").onclick = () => {
  const list = policies(), name = open, text = editors[name].value;
  arrange(list.filter((n) => n !== name));
  if (text !== "") {
    problem("files", `${name} was removed.`, () => putBack(name, text, list.indexOf(name)));
  }
  tabs[open].focus();
  ask();
};

// putBack makes a file again that was removed, at its place in the order, which decides
// under priority. What has its name by now keeps it.
function putBack(name, text, at) {
  const list = policies();
  if (list.length >= maxPolicies) {
    problem("files", `${name} can be put back when there are fewer than ${maxPolicies} policy files: empty one and remove it.`, () => putBack(name, text, at));
    return;
  }
  const made = free(name, list);
  arrange(list.toSpliced(at, 0, made));
  editors[made].value = text;
  show(made);
  tabs[made].focus();
  ask();
}

byID("rename").onclick = () => {
  byID("naming").hidden = false;
  byID("name").value = open;
  byID("name").setCustomValidity("");
  byID("name").focus();
  byID("name").setSelectionRange(0, open.length - ".csv".length);
};

byID("name").oninput = () => byID("name").setCustomValidity("");

// unname leaves the open file its name.
function unname() {
  show(open);
  byID("rename").focus();
}

byID("unname").onclick = unname;
byID("naming").onkeydown = (e) => e.key === "Escape" && unname();
byID("naming").onsubmit = (e) => {
  e.preventDefault();
  const name = byID("name").value.trim(), old = open;
  const why = name === old ? "" : misnamed(name);
  byID("name").setCustomValidity(why);
  if (!byID("name").reportValidity()) {
    return;
  }
  if (name !== old) {
    const text = editors[old].value;
    open = name;
    arrange(policies().map((n) => (n === old ? name : n)));
    editors[name].value = text;
    ask();
  }
  show(name);
  tabs[name].focus();
};

function show(name) {
  open = name;
  byID("naming").hidden = true;
  byID("rename").hidden = !name.endsWith(".csv");
  byID("remove").hidden = !name.endsWith(".csv") || policies().length === 1;
  for (const n of names) {
    const shown = n === name;
    editors[n].element.hidden = !shown;
    tabs[n].ariaSelected = shown;
    tabs[n].tabIndex = shown ? 0 : -1;
  }
  byID("download").textContent = `Download ${name}`;
  here(editors[name].line());
}

byID("tabs").addEventListener("keydown", (e) => {
  const step = { ArrowRight: 1, ArrowLeft: names.length - 1 }[e.key];
  if (step) {
    e.preventDefault();
    show(names[(names.indexOf(open) + step) % names.length]);
    tabs[open].focus();
  }
});

function go(file, line, character) {
  if (editors[file]) {
    show(file);
    editors[file].go(line, character);
    here(line);
  }
}

// fix makes a finding go away. Its edits are for the text that the finding is about, and
// would hit other lines of one that has changed since.
function fix({ file, line, fix }) {
  if (editors[file]?.value !== looked.files[file]) {
    return;
  }
  show(file);
  editors[file].change(fix.edits);
  editors[file].go(line, 0);
}

// here says what there is to say about the line with the caret.
function here(line) {
  const found = (looked?.findings ?? []).filter((f) => f.file === open && f.line === line);
  byID("here").textContent = found.map((f) => `${f.severity}: ${f.message}`).join(" · ");
}

// F8 goes from finding to finding, as in editors of code.
addEventListener("keydown", (e) => {
  if (e.key !== "F8" || !looked?.findings.length) {
    return;
  }
  e.preventDefault();
  const all = looked.findings;
  const at = editors[open].line();
  const order = (f) => names.indexOf(f.file) * 1e7 + f.line;
  const now = names.indexOf(open) * 1e7 + at;
  const next = e.shiftKey ? all.findLast((f) => order(f) < now) ?? all.at(-1) : all.find((f) => order(f) > now) ?? all[0];
  go(next.file, next.line, next.character);
});

byID("download").onclick = () => {
  const link = make("a", { href: URL.createObjectURL(new Blob([editors[open].value], { type: "text/plain" })), download: open });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};

byID("open").onclick = () => byID("opened").click();
byID("opened").onchange = async ({ target }) => {
  const skipped = [];
  const ending = (name) => name.slice(name.lastIndexOf("."));
  const opened = [...target.files];
  const texts = await Promise.all(opened.map((f) => f.text()));
  target.value = "";
  // A policy of a preset gives way; one of somebody's own gets further files.
  const own = policies().filter((n) => !presets.some((p) => p.files[n] === editors[n].value));
  const policy = opened.map((f) => f.name).filter((n) => ending(n) === ".csv");
  const called = new Map(); // names on the page by those of the policy files
  for (const name of policy) {
    called.set(name, allowed(name) ? name : free(name, [...own, ...policy, ...called.values()]));
  }
  if (policy.length > 0) {
    arrange([...new Set([...own, ...called.values()])].slice(0, maxPolicies));
  }
  opened.forEach((file, i) => {
    const name = called.get(file.name) ?? names.find((n) => ending(n) === ending(file.name));
    if (names.includes(name)) {
      editors[name].value = texts[i];
      show(name);
    } else {
      skipped.push(file.name);
    }
  });
  problem("files", skipped.length > 0 ? `Not opened: ${skipped.join(", ")}. The page has a model (.conf), up to ${maxPolicies} policy files (.csv), tests (.tests) and routes (.json).` : "");
  ask();
};

// What is asked.

const split = (text) => [...text.matchAll(/"((?:[^"]|"")*)"|[^,]+/g)].map(([all, quoted]) => quoted?.replaceAll('""', '"') ?? all.trim()).filter((r) => r !== "");
const join = (list) => list.map((r) => (/[",]/.test(r) ? `"${r.replaceAll('"', '""')}"` : r)).join(", ");
const words = (text) => text.split(/[\s,]+/).filter((w) => w !== "");

function state() {
  const field = (name) => form.elements[name].value.trim();
  return {
    files: Object.fromEntries(names.map((n) => [n, editors[n].value])),
    policies: policies(),
    options: {
      ...Object.fromEntries(flags.map((f) => [f, form.elements[f].checked])),
      ...Object.fromEntries(lists.map((l) => [l, words(form.elements[l].value)])),
      role_prefix: field("role_prefix"),
      users: byID("users").checked,
    },
    request: {
      subject: field("subject"), roles: split(field("roles")), tenant: field("tenant"),
      object: field("object"), action: field("action"), attributes,
    },
  };
}

// restore shows a state, of which anything may be missing or of another type.
function restore(from) {
  const text = (v) => (typeof v === "string" ? v : "");
  const list = (v) => (Array.isArray(v) ? v.map(text) : []);
  problem("files", "");
  arrange([first]);
  const wanted = [...new Set(list(from?.policies))].filter((n) => n === first || misnamed(n) === "").slice(0, maxPolicies);
  arrange(wanted.length > 0 ? wanted : [first]);
  for (const n of names) {
    editors[n].value = text(from?.files?.[n]);
  }
  for (const f of flags) {
    form.elements[f].checked = from?.options?.[f] === true;
  }
  for (const l of lists) {
    form.elements[l].value = list(from?.options?.[l]).join(" ");
  }
  form.elements.role_prefix.value = text(from?.options?.role_prefix);
  byID("users").checked = from?.options?.users === true;
  byID("options").open = Object.values(state().options).some((v) => v === true || v.length > 0);
  choose(from?.request);
}

// choose fills in a request, and asks it.
function choose(request) {
  const text = (v) => (typeof v === "string" ? v : "");
  for (const name of ["subject", "tenant", "object", "action"]) {
    form.elements[name].value = text(request?.[name]);
  }
  form.elements.roles.value = join(Array.isArray(request?.roles) ? request.roles.map(text) : []);
  attributes = Object.fromEntries(Object.entries(request?.attributes ?? {}).filter(([, v]) => typeof v === "string"));
  for (const input of byID("attributes").querySelectorAll("input")) {
    input.value = attributes[input.dataset.name] ?? "";
  }
  ask();
}

function ask() {
  if (!presets) {
    return;
  }
  main.ariaBusy = "true";
  const calls = ["look"];
  if (byID("drawn").open) {
    calls.push("draw");
  }
  if (byID("tested").open || open === "policy.tests") {
    calls.push("test");
  }
  asked = state();
  engine.ask(calls, asked);
}

form.addEventListener("input", (e) => {
  if (e.target.dataset.name) {
    attributes[e.target.dataset.name] = e.target.value;
  }
  ask();
});
form.addEventListener("submit", (e) => e.preventDefault());
byID("users").onchange = ask;
for (const id of ["drawn", "tested"]) {
  byID(id).ontoggle = ask;
}

// What is answered.

const engine = new Engine({
  onPresets(all) {
    if (!presets) {
      presets = all;
      begin();
    }
  },
  onAnswer(call, answer, took, same) {
    if (call === "look") {
      look(answer, took);
    } else if (!same) {
      ({ draw, test })[call](answer);
    }
  },
  onDone() {
    main.ariaBusy = "false";
    keep();
  },
  onFailure(why) {
    problem("engine", presets ? `The engine has stopped: ${why}. It is started again with the next change.` : `The engine could not be started: ${why}. Load the page again.`);
    byID("status").textContent = "";
    main.ariaBusy = "false";
  },
});

function look(answer, took) {
  problem("engine", answer.findings ? "" : answer.error);
  if (!answer.findings) {
    return;
  }
  looked = { ...answer, files: asked.files };
  const all = answer.findings;
  renew(byID("findings"), listed(all, answer.more), (f) => findingView(f, go, fix));
  byID("found").textContent = all.length > 0 ? `Findings: ${count(all)}` : "Findings";
  for (const name of names) {
    const own = all.filter((f) => f.file === name);
    setMarks(name, "findings", own.map((f) => ({ line: f.line, character: f.character, kind: f.severity })));
    const badge = tabs[name].querySelector(".badge");
    badge.textContent = own.length || "";
    badge.className = `badge ${["error", "warning", "note"].find((s) => own.some((f) => f.severity === s)) ?? ""}`;
  }
  const rule = answer.explanation?.rule;
  for (const name of policies()) {
    setMarks(name, "rule", rule?.file === name ? [{ line: rule.line, kind: "rule" }] : []);
  }
  byID("verdict").replaceChildren(...verdictView(answer, go));
  fields(answer);
  byID("status").textContent = `Checked in ${took < 1 ? "less than 1" : Math.round(took)} ms, in this browser alone.`;
  if (document.activeElement === editors[open].text) {
    here(editors[open].line());
  }
}

// fields fits the form to the model.
function fields({ tenants, attributes: wanted, names: known, loads }) {
  byID("tenant").hidden = !tenants;
  const shown = [...byID("attributes").querySelectorAll("input")].map((i) => i.dataset.name);
  wanted ??= [];
  if (loads && shown.join() !== wanted.join()) {
    byID("attributes").replaceChildren(
      ...wanted.map((name) => {
        const input = make("input", { value: attributes[name] ?? "", spellcheck: false, autocapitalize: "off" });
        input.dataset.name = name;
        return make("label", {}, name, " ", input);
      }),
    );
  }
  for (const [id, list] of Object.entries(known)) {
    const methods = id === "actions" ? ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] : [];
    const all = [...new Set([...(list ?? []), ...methods])].filter((n) => n !== "*");
    if (loads && all.join("\n") !== byID(id).dataset.all) {
      byID(id).dataset.all = all.join("\n");
      byID(id).replaceChildren(...all.map((value) => make("option", { value })));
    }
  }
}

function draw(answer) {
  byID("matrix").replaceChildren(...matrixView(answer, (request) => {
    choose({ ...request, attributes: { ...attributes, ...request.attributes } });
    form.scrollIntoView({ block: "nearest" });
  }));
}

function test(answer) {
  const all = answer.lines > 0 && answer.covered === answer.lines;
  byID("covered").textContent = answer.lines > 0 ? `The tests depend on ${all ? "all" : `${answer.covered} of`} ${answer.lines} lines of the policy.${all ? "" : " The others are dashed beside their numbers."}` : "";
  for (const name of policies()) {
    setMarks(name, "tests", (answer.uncovered?.[name] ?? []).map((line) => ({ line, kind: "uncovered" })));
  }
  byID("score").textContent = answer.error ? "" : answer.errors.length > 0 ? "cannot be read" : `${answer.passed} passed, ${answer.failed} failed`;
  byID("score").className = answer.failed > 0 || answer.errors?.length > 0 ? "error" : "pass";
  byID("tests").replaceChildren(...testsView(answer, go));
  setMarks("policy.tests", "tests", [
    ...(answer.errors ?? []).map((e) => ({ line: e.line, character: e.character, kind: "error" })),
    ...(answer.tests ?? []).map((t) => ({ line: t.line, kind: t.passed ? "pass" : "fail" })),
  ]);
}

function setMarks(file, of, list) {
  marks[file] = { ...marks[file], [of]: list };
  editors[file].mark(Object.values(marks[file]).flat());
}

const problems = {}; // by what they are about

// problem shows a text until there is another one about the same, with a button where
// it can be undone. One that is there already is left alone, with what has the focus.
function problem(about, text, undo) {
  if (!undo && text === (problems[about]?.[0] ?? "")) {
    return;
  }
  problems[about] = text && [text, undo ? make("button", { type: "button", onclick: () => (problem(about, ""), undo()) }, "Undo") : ""];
  const shown = Object.values(problems).filter((p) => p);
  byID("problem").replaceChildren(...shown.flatMap(([text, button]) => [text, " ", button]).filter((p) => p !== ""));
  byID("problem").hidden = shown.length === 0;
}

// keep holds what is on the page for this tab, should it be loaded again.
function keep() {
  try {
    sessionStorage.setItem("playground", JSON.stringify({ at: location.hash, state: state() }));
  } catch {
    // It is too large, or not allowed: then a reload begins anew.
  }
}

// kept is what was on the page, unless another link is opened.
function kept() {
  try {
    const { at, state } = JSON.parse(sessionStorage.getItem("playground"));
    return at === location.hash ? state : undefined;
  } catch {
    return undefined;
  }
}

// Where it begins.

async function begin() {
  byID("preset").replaceChildren(...presets.map((p) => make("option", { value: p.name }, p.title)));
  main.inert = false;
  byID("open").disabled = false;
  const state = kept();
  if (state) {
    byID("preset").selectedIndex = -1;
    restore(state);
  } else if (!(await fromLink())) {
    restore(presets[0]);
  }
}

// fromLink shows what a link holds, and reports whether it has.
async function fromLink() {
  const fragment = location.hash.slice(1);
  if (fragment === "" || byID(fragment)) {
    return false;
  }
  try {
    restore(await unpack(fragment));
    byID("preset").selectedIndex = -1;
    problem("link", "");
    return true;
  } catch (e) {
    problem("link", `This link cannot be read: ${e.message}.`);
    return false;
  }
}

addEventListener("hashchange", fromLink);

byID("preset").onchange = ({ target }) => {
  problem("link", "");
  restore(presets.find((p) => p.name === target.value));
};

byID("share").onclick = async () => {
  const fragment = await pack(state());
  if (fragment.length > limit) {
    problem("link", `The files are too large for a link: it would have ${fragment.length.toLocaleString("en")} characters, of ${limit.toLocaleString("en")}. Download them instead.`);
    return;
  }
  problem("link", "");
  history.replaceState(null, "", `#${fragment}`);
  byID("link").value = location.href;
  byID("shared").hidden = false;
  let copied = "";
  try {
    await navigator.clipboard.writeText(location.href);
    copied = "Copied. ";
  } catch {
    byID("link").select();
  }
  const long = location.href.length > 8000 ? " Some programs cut links as long as that." : "";
  byID("size").textContent = `${copied}${location.href.length.toLocaleString("en")} characters. The files are in the link itself, behind the #, which browsers send to no server.${long}`;
};

byID("unshare").onclick = () => {
  byID("shared").hidden = true;
};

arrange([first]);
