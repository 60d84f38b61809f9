package decisionlog_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/decisionlog"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// TestQueueKeepsNoRequests: decisions that wait for a slow writer keep no megabytes of
// query and header in memory.
func TestQueueKeepsNoRequests(t *testing.T) {
	out := &gated{begun: make(chan struct{}, 1), gate: make(chan struct{}, 1)}
	out.gate <- struct{}{} // for the opening
	l, err := decisionlog.New(out)
	must(t, err)
	<-out.begun
	users, err := basic.New("x", basic.VerifierFunc(func(context.Context, string, string) (*core.Principal, error) { return nil, basic.ErrUnknownUser }))
	must(t, err)
	g, err := core.NewGuard([]core.Authenticator{users}, core.WithObserver(l))
	must(t, err)
	s := httptest.NewServer(httpauth.Authenticate(g)(http.NotFoundHandler()))
	defer s.Close()
	const requests, size = 100, 450 << 10
	for range requests {
		r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+"/reports/7?"+strings.Repeat("q", size), nil)
		must(t, err)
		r.Header.Set("X-Request-Id", strings.Repeat("i", size/2))
		r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"+strings.Repeat("0", size/2))
		resp, err := s.Client().Do(r)
		must(t, err)
		if _ = resp.Body.Close(); resp.StatusCode != http.StatusUnauthorized {
			t.Fatal(resp.Status)
		}
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	if queued := l.Stats().Queued; queued < requests-1 || m.HeapAlloc > requests*size/4 {
		t.Errorf("%d bytes in use for %d decisions", m.HeapAlloc, queued)
	}
	close(out.gate)
	must(t, l.Close())
}
