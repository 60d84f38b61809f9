package sessiontest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
)

var outageCases = []testCase{
	{"invariant 4 a store that is down is 503 and logs nobody out", storeDown},
}

// everyUse is everything that asks the store.
var everyUse = []string{
	"GET /me", "POST /me", "GET /public", "GET /admin", "POST /login?user=alice", "POST /logout", "POST /promote", "POST /everywhere",
}

// fails wants every use of the session to be refused so, without a word to the
// browser's cookie.
func (b *browser) fails(status int, code string) {
	b.t.Helper()
	for _, target := range everyUse {
		method, path, _ := strings.Cut(target, " ")
		a := b.send(method, path)
		refused(b.t, target, a, status, code)
		if lines := a.Header.Values("Set-Cookie"); len(lines) > 0 {
			b.t.Fatalf("%s: an outage sets %q", target, lines)
		}
		if strings.Contains(a.Body, "refused") || strings.Contains(a.Body, "panic") {
			b.t.Errorf("%s: the body tells the cause: %s", target, a.Body)
		}
		if e := b.s.events.Last(b.t); e.Status != status || e.Cause == nil {
			b.t.Errorf("%s: event %d %v", target, e.Status, e.Cause)
		}
	}
}

func storeDown(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	b := s.signedIn(t, "alice")
	s.store.Fail(ErrDown)
	b.fails(http.StatusServiceUnavailable, core.CodeUnavailable)
	s.browser(t).does("GET", "/public", "nobody") // there is nothing to ask the store for
	s.store.Fail(nil)
	b.is("alice")
}
