package authclient_test

import (
	"net/http"
	"testing"

	"github.com/sallyport-go/sallyport/core/authclient"
)

func transports(t testing.TB) map[string]http.RoundTripper {
	t.Helper()
	key, err := authclient.APIKey("X-API-Key", "k1.secret")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]http.RoundTripper{"none": answers200{}}
	for name, source := range map[string]authclient.Source{"bearer": bearerSource(t, new(issuer).fetch), "apikey": key} {
		transport, err := authclient.New(answers200{}, source, []string{"https://api.example"})
		if err != nil {
			t.Fatal(err)
		}
		all[name] = transport
	}
	return all
}

// BenchmarkRoundTrip measures what a request costs beyond the underlying transport.
func BenchmarkRoundTrip(b *testing.B) {
	for name, transport := range transports(b) {
		b.Run(name, func(b *testing.B) {
			req, _ := http.NewRequestWithContext(b.Context(), "GET", "https://api.example/reports", nil)
			req.Header.Set("Accept", "application/json")
			b.ReportAllocs()
			for b.Loop() {
				if _, err := transport.RoundTrip(req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRoundTripParallel shows what the lock around the token costs.
func BenchmarkRoundTripParallel(b *testing.B) {
	transport := transports(b)["bearer"]
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		req, _ := http.NewRequestWithContext(b.Context(), "GET", "https://api.example/reports", nil)
		for pb.Next() {
			if _, err := transport.RoundTrip(req); err != nil {
				b.Error(err)
			}
		}
	})
}

// A request is cloned with its header, which is most of the cost.
func TestAllocationsOfARequest(t *testing.T) {
	all := transports(t)
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "https://api.example/reports", nil)
	measure := func(transport http.RoundTripper) float64 {
		return testing.AllocsPerRun(200, func() { _, _ = transport.RoundTrip(req) })
	}
	base := measure(all["none"])
	for name, most := range map[string]float64{"bearer": 8, "apikey": 7} {
		if n := measure(all[name]) - base; n > most {
			t.Errorf("%s: %v allocations, at most %v", name, n, most)
		}
	}
}
