// Package adapter provides what authors of adapters need besides package core: it
// writes verdicts of gates to a response, and reads what a router has matched.
// docs/architecture.md describes what an adapter does.
//
// For frameworks on net/http, [View] is the view of a request, [AuthContext] the state
// that a gate attaches to a request that has passed it, and [Seal] the response
// writer that closes when a later gate or a check refuses.
//
// Header fields are shared between many responses and must not be modified.
package adapter
