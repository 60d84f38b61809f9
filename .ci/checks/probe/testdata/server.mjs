// A service on Node that is wrong on purpose, by the list in faults.json. It
// prints the port it listens on. With "behind" it is the service itself, without
// the proxy that is wrong, too.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";

const faults = JSON.parse(readFileSync(new URL("faults.json", import.meta.url)));
const behind = process.argv.includes("behind");
const seen = new Map();

function who(req) {
  const [scheme, ...rest] = (req.headers.authorization ?? "").split(" ");
  const token = rest.join(" ");
  if (req.headers.cookie === "session=erin-secret") return "erin";
  if (scheme === "") return "anonymous";
  if (scheme === "Basic") return token.startsWith("ZXJpbj") ? "basic-erin" : "basic";
  if (token === "erin-secret") return "erin";
  if (token === "victor-secret") return "victor";
  if (token.startsWith("ey")) return token.endsWith(".") ? "unsigned" : "jwt";
  return "malformed";
}

function matches(fault, rule, req, body) {
  const is = who(req);
  const alike = rule.who === "jwt" && is === "unsigned" || rule.who === "basic" && is === "basic-erin";
  if (rule.who && rule.who !== is && !alike) return false;
  if (rule.method && rule.method !== req.method) return false;
  if (rule.agent && !(req.headers["user-agent"] ?? "").includes(rule.agent)) return false;
  if (rule.header && !req.headers[rule.header.toLowerCase()]) return false;
  if (rule.form && !body.includes(rule.form)) return false;
  if (rule.edge && behind) return false;
  const n = (seen.get(fault.name) ?? 0) + 1;
  seen.set(fault.name, n);
  return n > (rule.after ?? 0);
}

function answer(req, sent) {
  for (const fault of faults) {
    for (const rule of fault.rules) {
      if (rule.uri && rule.uri === req.url && matches(fault, rule, req, sent)) return rule;
    }
  }
  const fault = faults.find((f) => "/" + f.name === req.url.split("?")[0]);
  if (!fault) return { status: 404, body: "no such page" };
  for (const rule of fault.rules) {
    if (!rule.uri && matches(fault, rule, req, sent)) return rule;
  }
  const is = who(req);
  if (is === "erin") return { status: 200, body: "here" };
  if (is === "victor") return { status: 403, body: '{"error":"forbidden"}' };
  return { status: 401, body: '{"error":"sign_in"}' };
}

const server = createServer(async (req, res) => {
  let sent = "";
  for await (const piece of req) sent += piece;
  const { status, body, fields = {} } = answer(req, sent);
  if (status === 401 || status === 403) res.setHeader("Cache-Control", "no-store");
  if (status === 401) res.setHeader("WWW-Authenticate", 'Bearer realm="api"');
  for (const [name, value] of Object.entries(fields)) {
    if (value === "") res.removeHeader(name);
    else res.setHeader(name, value);
  }
  if (!res.hasHeader("Content-Type")) res.setHeader("Content-Type", "text/plain");
  res.writeHead(status);
  res.end(body);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
