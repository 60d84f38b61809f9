// Runs the extension for VS Code outside of it: node vscode.cjs BUNDLE COMMAND
// FILE. In place of the editor there is as little as the client of the language
// server needs to open the file as a policy, with one setting. It prints the
// findings that the client is given, and what it sends for a changed setting.
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const { pathToFileURL, fileURLToPath } = require("node:url");

const [bundle, command, file] = process.argv.slice(2);
const settings = { command, asCasbin: true };
const listeners = {};

const uri = {
  scheme: "file",
  fsPath: file,
  toString: () => pathToFileURL(file).toString(),
};
const document = {
  uri,
  languageId: "casbin-policy",
  version: 1,
  isClosed: false,
  getText: () => fs.readFileSync(file, "utf8"),
};

// anything stands for what the client only asks for: an event, a class, a number.
function anything() {
  return new Proxy(class {}, {
    get: (target, name) => (name in target ? target[name] : name === "then" ? undefined : anything()),
    apply: () => ({ dispose() {} }),
  });
}

// part is a part of the editor: some of it as given, and else events, to which
// the client listens, and functions, of which it wants something to dispose of.
function part(given) {
  return new Proxy(given, {
    get: (target, name) => {
      if (name in target || typeof name === "symbol") {
        return target[name];
      }
      return (listener) => {
        if (/^on/.test(name)) {
          listeners[name] = [...(listeners[name] ?? []), listener];
        }
        return { dispose() {} };
      };
    },
  });
}

class Diagnostic {
  constructor(range, message, severity) {
    Object.assign(this, { range, message, severity });
  }
}
class Position {
  constructor(line, character) {
    Object.assign(this, { line, character });
  }
}
class Range {
  constructor(startLine, startCharacter, endLine, endCharacter) {
    this.start = new Position(startLine, startCharacter);
    this.end = new Position(endLine, endCharacter);
  }
}
class EventEmitter {
  event = () => ({ dispose() {} });
  fire() {}
  dispose() {}
}

class Disposable {
  static from = () => new Disposable();
  dispose() {}
}
class CancellationTokenSource {
  token = { isCancellationRequested: false, onCancellationRequested: () => ({ dispose() {} }) };
  cancel() {}
  dispose() {}
}

let shown = () => {};

// next are the findings that the editor is to show next, if there are any.
function next() {
  return new Promise((resolve) => {
    shown = (list) => {
      if (list?.length) {
        resolve(list.map((d) => `${d.range.start.line + 1}:${d.range.start.character + 1} ${d.code?.value ?? d.code} ${d.severity}`).join(", "));
      }
    };
  });
}

const vscode = part({
  Diagnostic,
  DiagnosticSeverity: { Error: "error", Warning: "warning", Information: "information" },
  Position,
  Range,
  EventEmitter,
  CancellationTokenSource,
  Disposable,
  Uri: {
    parse: (text) => ({ ...uri, fsPath: text.startsWith("file:") ? fileURLToPath(text) : text, toString: () => text }),
    file: (name) => ({ ...uri, fsPath: name, toString: () => pathToFileURL(name).toString() }),
  },
  version: "1.91.0",
  env: part({ language: "en", appName: "stand-in" }),
  workspace: part({
    workspaceFolders: [{ uri: { ...uri, fsPath: path.dirname(file), toString: () => pathToFileURL(path.dirname(file)).toString() }, name: "x", index: 0 }],
    textDocuments: [document],
    getConfiguration: () => ({ get: (key) => settings[key] ?? null }),
  }),
  window: part({
    visibleTextEditors: [{ document }],
    createOutputChannel: () => part({ append: (s) => process.stderr.write(s), appendLine: (s) => console.error(s) }),
    tabGroups: part({ all: [] }),
  }),
  languages: part({
    match: (selector, d) => (selector.some?.(({ language }) => language === d.languageId) || selector.language === d.languageId ? 10 : 0),
    createDiagnosticCollection: () => part({ set: (_, list) => shown(list) }),
  }),
  commands: part({ getCommands: async () => [] }),
});

const load = Module._load;
Module._load = (request, ...rest) => (request === "vscode" ? new Proxy(vscode, { get: (t, n) => (n in t ? t[n] : anything()) }) : load(request, ...rest));

async function main() {
  const extension = require(path.resolve(bundle));
  const first = next();
  await extension.activate({ subscriptions: [] });
  console.log(await first);
  settings.asCasbin = null;
  const second = next();
  listeners.onDidChangeConfiguration.forEach((listener) => listener({ affectsConfiguration: (name) => name === "sallyport" }));
  console.log(await second);
  await extension.deactivate();
}

main().then(
  () => process.exit(0),
  (problem) => {
    console.error(problem);
    process.exit(1);
  },
);
