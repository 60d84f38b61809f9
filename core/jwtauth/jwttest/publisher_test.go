package jwttest

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// publisher is an issuer's server on loopback whose behaviour tests can change while it
// runs.
type publisher struct {
	*httptest.Server
	answer  atomic.Pointer[http.HandlerFunc]
	asked   atomic.Int64 // all requests
	refresh chan jwtauth.Refresh
}

// publish starts a publisher of a document.
func publish(t testing.TB, document []byte) *publisher {
	t.Helper()
	p := &publisher{refresh: make(chan jwtauth.Refresh, 1024)}
	p.serves(document)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.asked.Add(1)
		(*p.answer.Load())(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *publisher) will(answer http.HandlerFunc) { p.answer.Store(&answer) }

func (p *publisher) serves(document []byte) {
	p.will(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(document) })
}

func (p *publisher) fails() {
	p.will(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
}

// remoteEvery is a key source that fetches continually.
func (p *publisher) remoteEvery(t testing.TB, d time.Duration, opts ...jwtauth.RemoteOption) *jwtauth.RemoteKeys {
	t.Helper()
	r, err := jwtauth.Fetch(p.URL, append([]jwtauth.RemoteOption{
		jwtauth.WithRefreshInterval(d, d), jwtauth.WithRetryInterval(min(d, time.Second), d),
		jwtauth.WithRefreshObserver(func(f jwtauth.Refresh) { p.refresh <- f }),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	p.await(t, func(jwtauth.Refresh) bool { return true })
	return r
}

// await waits for a matching fetch.
func (p *publisher) await(t testing.TB, like func(jwtauth.Refresh) bool) {
	t.Helper()
	deadline := time.After(authtest.TimeLimit(2 * time.Minute))
	for {
		select {
		case f := <-p.refresh:
			if like(f) {
				return
			}
		case <-deadline:
			t.Fatal("no such fetch in time")
		}
	}
}

// Conditions to await.
func good(f jwtauth.Refresh) bool   { return f.Err == nil }
func failed(f jwtauth.Refresh) bool { return f.Err != nil }

// unavailable fails the test unless the answer to a token is 503.
func (s *service) unavailable(path, token string) {
	s.t.Helper()
	runs := s.runs.Load()
	a := authtest.Send(s.t, s.addr, authtest.Request("GET", path, authorization(token)))
	wait, err := strconv.Atoi(a.Header.Get("Retry-After"))
	switch {
	case a.Status != http.StatusServiceUnavailable:
		s.t.Errorf("%s: %d %q, want 503", path, a.Status, a.Body)
	case err != nil || wait < 1:
		s.t.Errorf("%s: Retry-After %q", path, a.Header.Get("Retry-After"))
	case len(a.Header.Values("WWW-Authenticate")) > 0:
		s.t.Errorf("%s: 503 with a challenge", path)
	case s.runs.Load() != runs:
		s.t.Errorf("%s: the handler ran", path)
	}
}
