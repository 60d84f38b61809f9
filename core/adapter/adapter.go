// Package adapter has what authors of adapters need beside package core: it
// writes what gates say into a response, and reads what a router has matched.
// docs/architecture.md says what an adapter does.
//
// Header fields are shared between many answers and must not be modified.
package adapter
