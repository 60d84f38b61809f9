package authtest

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
)

var concealSemantics = []testCase{
	{"A22 guessing at a hidden route tells nothing of it", concealedGuessing},
	{"A22 A18 preflights are hidden too, whatever origin they name", concealedPreflight},
	{"A22 what is no refusal is not hidden", concealedFailures},
}

// concealedGuessing: an unknown path is never 429, so a concealed one is not either.
func concealedGuessing(t *testing.T, f Framework) {
	a, err := basic.New("r", passwords)
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{refusals: map[string]error{"bob": &core.LimitError{RetryAfter: time.Minute, Err: errors.New("many")}}}
	g, rec := guardOf(t, []core.Authenticator{a}, core.WithAttemptLimiter(l))
	addr := f.Start(t, App{Routes: []Route{{
		Pattern: "/one", Handler: ok,
		Gates: []Gate{{Kind: "Authenticate", Guard: variant(t, g, core.WithConcealment(nil))}},
	}}})
	guess := "Authorization: Basic Ym9iOmd1ZXNz" // bob:guess
	got, want := Send(t, addr, Request("GET", "/one", guess)), Send(t, addr, Request("GET", "/nah", guess))
	if d := fieldDifference(got.Header, want.Header); got.Status != http.StatusNotFound || got.Status != want.Status || d != "" {
		t.Errorf("%d, an unknown path %d: %s", got.Status, want.Status, d)
	}
	if e := rec.Last(t); e.Outcome != core.OutcomeLimited || e.Reason != core.ReasonTooManyAttempts {
		t.Errorf("the event hides it too: %+v", e)
	}
}

// concealedPreflight: anyone can send the Origin of a page that may read refusals.
func concealedPreflight(t *testing.T, f Framework) {
	g, _ := guard(t, core.WithCORS(front))
	addr := f.Start(t, App{Routes: []Route{{
		Pattern: "/one", Methods: []string{"GET", "OPTIONS"}, Handler: ok,
		Gates: []Gate{{Kind: "Authenticate", Guard: variant(t, g, core.WithConcealment(nil))}},
	}}})
	header := []string{"Origin: " + front, "Access-Control-Request-Method: GET"}
	for _, method := range []string{"OPTIONS", "GET"} {
		got, want := Send(t, addr, Request(method, "/one", header...)), Send(t, addr, Request(method, "/nah", header...))
		if d := fieldDifference(got.Header, want.Header); got.Status != http.StatusNotFound || got.Status != want.Status || d != "" {
			t.Errorf("%s: %d, an unknown path %d: %s", method, got.Status, want.Status, d)
		}
	}
}

// concealedFailures: an outage hidden behind 404 would make caches and crawlers drop the
// page.
func concealedFailures(t *testing.T, f Framework) {
	g, rec := guard(t)
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: variant(t, g, core.WithConcealment(nil))})
	d.refuses(http.StatusServiceUnavailable, core.CodeUnavailable, as("down"))
	d.refuses(http.StatusInternalServerError, core.CodeInternal, as("panic"))
	if a := d.get(as("bad")); a.Status != http.StatusNotFound {
		t.Errorf("%d", a.Status)
	}
	if e := rec.Last(t); e.Status != http.StatusNotFound || e.Outcome != core.OutcomeUnauthenticated || e.Reason != core.ReasonMalformed {
		t.Errorf("the event hides it too: %+v", e)
	}
}
