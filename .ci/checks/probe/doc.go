// Package probe holds sallyport probe against servers that are wrong on purpose,
// on four Go frameworks and on Node, and against the example servers.
package probe
