// Package bench measures Sallyport beside other libraries that do the same
// work: whole requests through middleware, single decisions, loads of a policy
// and reloads under load. It is no part of any release.
//
// make bench runs everything and keeps the raw output; make bench-report writes
// docs/performance.md from it. The benchmarks stand in the tests of this
// package, what they measure in packages policies, engines and stacks, and the
// report in command report.
package bench
