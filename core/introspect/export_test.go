package introspect

import "runtime"

// AwaitFlights waits until n calls are waiting or in progress.
func AwaitFlights(v *Verifier, n int) {
	for calls, _ := v.calls.Size(); calls != n; calls, _ = v.calls.Size() {
		runtime.Gosched()
	}
}

// AwaitJoined waits until n requests share the one call in progress.
func AwaitJoined(v *Verifier, n int) {
	for _, callers := v.calls.Size(); callers != n; _, callers = v.calls.Size() {
		runtime.Gosched()
	}
}
