// Package routers has no code of its own. Its tests run the conformance suite
// behind a router for net/http that is not ServeMux, and show what policies see
// where one router is mounted inside another.
package routers
