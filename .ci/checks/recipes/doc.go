// Package recipes has no code of its own. Its tests follow the pages on
// identity providers, docs/provider-*.md, to the letter: the function of a page
// and its configuration file are run against tokens with the claims that the
// page shows, and against each of the first errors that it explains. The
// addresses of providers lead to a server of the test.
package recipes
