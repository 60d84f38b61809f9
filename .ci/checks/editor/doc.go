// Package editor drives the language server with Neovim, by the settings on the
// page on editors.
package editor
