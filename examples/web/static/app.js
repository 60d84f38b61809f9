// The page behind /app: which view the address names, and what calls bring.

import { newAPI, APIError } from "./api.js";
import { signIn } from "./signin.js";

const view = document.querySelector("#view");
const notice = document.querySelector("#notice");
const api = newAPI({ signIn, onWait: (seconds) => say("wait", `The service is busy. Trying again in ${Math.ceil(seconds)} s …`) });
const get = (path) => api(path).then((response) => response.json());

// An element with properties and children; text stays text.
function element(name, properties = {}, ...children) {
  const e = Object.assign(document.createElement(name), properties);
  e.append(...children);
  return e;
}

function say(kind, text) {
  notice.className = kind;
  notice.textContent = text;
}

const badge = (state) => element("span", { className: `badge ${state}` }, state);

async function list() {
  const [summary, { reports }] = await Promise.all([get("/api/summary"), get("/api/reports")]);
  const figures = Object.entries(summary).map(([name, n]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, String(n))));
  const rows = reports.map((r) =>
    element("li", {},
      element("a", { href: `/app/reports/${r.id}` }, r.title),
      element("span", { className: "quiet" }, r.period),
      badge(r.state)));
  return [
    element("h1", {}, "Reports"),
    element("dl", { className: "figures" }, ...figures),
    element("ul", { className: "rows", id: "reports" }, ...rows),
    element("p", { className: "actions" }, element("button", { id: "refresh", onclick: show }, "Refresh")),
  ];
}

async function report(id) {
  const r = await get(`/api/reports/${encodeURIComponent(id)}`);
  const approve = element("button", { id: "approve", disabled: r.state === "approved" }, "Approve");
  approve.onclick = () => act(async () => {
    await api(`/api/reports/${encodeURIComponent(id)}/approval`, { method: "POST" });
    await show();
    say("done", "The report is approved.");
  });
  return [
    element("p", {}, element("a", { href: "/app" }, "← All reports")),
    element("h1", { id: "report" }, r.title),
    element("p", {}, badge(r.state), " ", element("span", { className: "quiet" }, `${r.period}, by ${r.author}`)),
    element("p", {}, r.summary),
    element("p", { className: "actions" }, approve),
  ];
}

async function members() {
  const { members } = await get("/api/members");
  const rows = members.map((m) => element("li", {}, element("span", {}, m.name), element("span", { className: "badge" }, m.role)));
  return [element("h1", {}, "Members"), element("ul", { className: "rows", id: "members" }, ...rows)];
}

function chosen() {
  const [, , section, id] = location.pathname.split("/");
  switch (section) {
    case "members":
      return members();
    case "reports":
      return report(decodeURIComponent(id));
    default:
      return list();
  }
}

// Shows the view that the address names.
function show() {
  return act(async () => {
    for (const a of document.querySelectorAll("nav a")) {
      a.toggleAttribute("aria-current", a.pathname === location.pathname);
    }
    view.replaceChildren(...(await chosen()));
  }, show);
}

// Runs something that calls the API, and says what came of it if that failed.
// What again does is offered then.
async function act(work, again) {
  say("", "");
  view.setAttribute("aria-busy", "true");
  try {
    await work();
    if (notice.className === "wait") {
      say("", "");
    }
  } catch (failure) {
    explain(failure);
    if (again && notice.className === "failure") {
      notice.append(" ", element("button", { id: "again", className: "plain", onclick: again }, "Try again"));
    }
  } finally {
    view.removeAttribute("aria-busy");
  }
}

function explain(failure) {
  if (!(failure instanceof APIError)) {
    say("failure", "The service cannot be reached. Check the connection.");
  } else if (failure.status === 401) {
    say("failure", "You are signed out. Try again to sign in.");
  } else if (failure.status === 403) {
    say("forbidden", "You have no permission to do this. Ask an admin if you need it.");
  } else if (failure.status === 429 || failure.status === 503) {
    say("failure", "The service is still busy.");
  } else {
    say("failure", failure.message || "This did not work.");
  }
}

// Links within the app change the view alone.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (plain && link?.origin === location.origin && /^\/app(\/|$)/.test(link.pathname)) {
    event.preventDefault();
    history.pushState(null, "", link.href);
    show();
  }
});
addEventListener("popstate", show);

// A page that the browser has kept for its Back button may be older than the
// sign-out.
addEventListener("pageshow", (event) => {
  if (event.persisted) {
    location.reload();
  }
});

get("/api/me").then(({ roles }) => (document.querySelector("#roles").textContent = roles.join(", ")), () => {});
show();
