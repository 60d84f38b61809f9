// Package mcp tries the example of the Model Context Protocol with the official
// client in TypeScript, which finds out by itself where to get a token and gets
// another one when a tool needs more.
package mcp
