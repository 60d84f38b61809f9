// Package observability has tests of the rules and the dashboard in
// docs/observability, with Prometheus's own programs.
package observability
