// Starts "sallyport lsp" for the files of a policy.
const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");
const { contributes } = require("./package.json");

let client;

// settings are those of the server that the user has set.
function settings() {
  const set = workspace.getConfiguration("sallyport");
  const made = {};
  for (const name of Object.keys(contributes.configuration.properties)) {
    const key = name.slice("sallyport.".length);
    const value = set.get(key);
    if (key !== "command" && value !== null && value !== undefined) {
      made[key] = value;
    }
  }
  return made;
}

exports.activate = async (context) => {
  const command = workspace.getConfiguration("sallyport").get("command");
  client = new LanguageClient(
    "sallyport",
    "Sallyport",
    { command, args: ["lsp"] },
    {
      documentSelector: contributes.languages.map(({ id }) => ({ scheme: "file", language: id })),
      initializationOptions: settings,
    },
  );
  context.subscriptions.push(
    workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("sallyport")) {
        client.sendNotification("workspace/didChangeConfiguration", { settings: { sallyport: settings() } });
      }
    }),
  );
  await client.start();
};

exports.deactivate = () => client?.stop();
