package telemetry_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/telemetry"
)

// Verdicts of requests that run at the same time are all counted, also while new
// series come, the bound is reached and metrics are collected.
func TestNoVerdictIsLostInParallel(t *testing.T) {
	m := measure(t, telemetry.WithMaxSeries(100))
	const workers, each = 8, 2000
	var done sync.WaitGroup
	for w := range workers {
		done.Go(func() {
			for i := range each {
				m.Observe(t.Context(), core.Event{
					Outcome: core.OutcomeForbidden, Reason: core.Reason(fmt.Sprintf("own_%d", i%200)), Gate: "require",
					Scheme: fmt.Sprintf("Scheme%d", (i+w)%50), PrincipalID: "ann", Route: fmt.Sprintf("/%d", i%300),
				})
			}
		})
	}
	for range 5 {
		m.series(t)
	}
	done.Wait()
	for _, name := range []string{"sallyport.requests", "sallyport.authentications", "sallyport.authorizations", "sallyport.refusals"} {
		if got := sum(m.counted(t, name)); got != workers*each {
			t.Errorf("%s counts %v, want %d", name, got, workers*each)
		}
	}
}
