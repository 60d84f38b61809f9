package introspect

import "runtime"

// AwaitFlights waits until n calls are waiting or under way.
func AwaitFlights(v *Verifier, n int) {
	for {
		v.flights.mu.Lock()
		have := len(v.flights.all)
		v.flights.mu.Unlock()
		if have == n {
			return
		}
		runtime.Gosched()
	}
}

// AwaitJoined waits until n requests share the one call that is under way.
func AwaitJoined(v *Verifier, n int) {
	for {
		v.flights.mu.Lock()
		have := 0
		for _, f := range v.flights.all {
			have += f.joined
		}
		v.flights.mu.Unlock()
		if have == n {
			return
		}
		runtime.Gosched()
	}
}
