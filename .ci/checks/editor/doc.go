// Package editor drives the language server with Neovim, by the settings on the
// page on editors, and runs the extension for VS Code on Node.js.
package editor
