// Package decisionlog keeps a log of decisions for auditors: who asked for what,
// what was said, by which rule of which policy, one JSON object a line.
//
// A [Log] is a core.Observer. It writes all refusals and, of what was allowed, the
// share that [WithSampleRate] says. It never holds up a request: what does not fit
// into its queue is counted, and the count is written into the log itself.
//
//	log, err := decisionlog.Open("decisions.jsonl", decisionlog.WithMaxFileSize(100<<20))
//	…
//	guard, err := core.NewGuard(schemes, core.WithObserver(log), core.WithObserver(core.LogObserver(nil)))
//
// [Open] writes to a file and rotates it, [New] writes to any io.Writer and
// [NewSlog] to a logger. With [WithHashChain] each line carries a hash that depends
// on all lines before it, and with [WithChainKey] hashes are signed from time to
// time, so that [Verify] finds what was changed afterwards.
//
// What is personal is written as the guard's events have it: give the guard
// core.WithPseudonyms for pseudonyms. docs/decision-log.md describes the lines.
package decisionlog
