// Package probed asks the stacks of others, each in its default configuration, what
// "sallyport probe" asks, and holds the page of the documentation with what was
// found.
package probed
