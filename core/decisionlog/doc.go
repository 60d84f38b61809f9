// Package decisionlog keeps a log of decisions for auditors: who asked for what,
// what the decision was, and by which rule of which policy, one JSON object per
// line.
//
// A [Log] is a core.Observer. It writes all refusals, and the share of allowed
// requests that [WithSampleRate] sets. It never delays a request: decisions that do
// not fit into its queue are counted, and the count is written to the log.
//
//	log, err := decisionlog.Open("decisions.jsonl", decisionlog.WithMaxFileSize(100<<20))
//	…
//	guard, err := core.NewGuard(schemes, core.WithObserver(log), core.WithObserver(core.LogObserver(nil)))
//
// [Open] writes to a file and rotates it, [New] writes to any io.Writer and
// [NewSlog] to a logger. With [WithHashChain] each line has a hash that depends on
// all lines before it, and with [WithChainKey] hashes are signed from time to time,
// so that [Verify] detects later changes.
//
// Personal data is written as in the guard's events: use core.WithPseudonyms to
// replace it. docs/decision-log.md describes the lines.
package decisionlog
