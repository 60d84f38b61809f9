// Package adapter has what authors of adapters need beside package core: it
// writes what gates say into a response, and reads what a router has matched.
// docs/architecture.md says what an adapter does.
//
// For frameworks on net/http, [View] shows a request, [Passage] is what a gate
// leaves with one that has passed it, and [Seal] is the response that closes when a
// later gate or a check refuses.
//
// Header fields are shared between many answers and must not be modified.
package adapter
