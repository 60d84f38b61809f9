package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/session"
)

// retryAfter is what the sites of tests ask for in an outage.
const retryAfter = 2 * time.Second

// testSite is the site on one framework, with what a test turns.
type testSite struct {
	url    string
	site   *site
	events events
	store  *store
	// later is how far the clock of the sessions is ahead, in nanoseconds.
	later atomic.Int64
}

// startSite serves the site on a framework until the test ends.
func startSite(t *testing.T, framework string) *testSite {
	t.Helper()
	s := &testSite{store: &store{entries: map[string][]byte{}}}
	site, err := newSite(slog.New(slog.DiscardHandler),
		[]core.Option{core.WithObserver(&s.events), core.WithRetryAfter(retryAfter)},
		[]session.Option{session.WithStore(s.store), session.WithClock(s.now)})
	if err != nil {
		t.Fatal(err)
	}
	s.site = site
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + l.Addr().String()
	server, done := frameworks[framework](site), make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // ends with Shutdown
	}()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), authtest.TimeLimit(2*time.Second))
		defer cancel()
		_ = server.Shutdown(ctx) // the browser may hold a connection
		_ = l.Close()
		<-done
	})
	return s
}

func (s *testSite) now() time.Time { return time.Now().Add(time.Duration(s.later.Load())) }

// session begins a session of a user, without the time that a password takes.
func (s *testSite) session(t *testing.T, user string) *http.Cookie {
	t.Helper()
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: user})
	if err != nil {
		t.Fatal(err)
	}
	fields, err := s.site.sessions.Login(t.Context(), httpauth.Request(httptest.NewRequest(http.MethodPost, s.url+"/login", nil)), p)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fields {
		if f.Name == "Set-Cookie" {
			cookie, err := http.ParseSetCookie(f.Value)
			if err != nil {
				t.Fatal(err)
			}
			return cookie
		}
	}
	t.Fatal("a login without a cookie")
	return nil
}

// endSessions lets so much time pass that all sessions have ended.
func (s *testSite) endSessions() { s.later.Add(int64(24 * time.Hour)) }

// eachFramework runs a test on every framework, on all at the same time.
func eachFramework(t *testing.T, test func(t *testing.T, s *testSite)) {
	for _, name := range slices.Sorted(maps.Keys(frameworks)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, startSite(t, name))
		})
	}
}

// events are the verdicts of a server, in order. They are safe for concurrent
// use.
type events struct {
	mu   sync.Mutex
	all  []core.Event
	more chan struct{} // closed with the next event; nil if nobody waits
}

// Observe implements [core.Observer].
func (e *events) Observe(_ context.Context, one core.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, one)
	if e.more != nil {
		close(e.more)
		e.more = nil
	}
}

// take returns what there is and begins anew.
func (e *events) take() []core.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := e.all
	e.all = nil
	return all
}

// look returns the answers that requests for a path got, in order, and what is
// closed with the next event.
func (e *events) look(method, path string) (all []int, more <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, one := range e.all {
		if one.Method == method && one.Resource == path {
			all = append(all, one.Status)
		}
	}
	if e.more == nil {
		e.more = make(chan struct{})
	}
	return all, e.more
}

// want checks the answers that requests for a path got. It waits until there
// are as many.
func (e *events) want(t *testing.T, method, path string, statuses ...int) {
	t.Helper()
	limit := time.After(stepLimit)
	for {
		got, more := e.look(method, path)
		if len(got) < len(statuses) {
			select {
			case <-more:
				continue
			case <-limit:
			}
		}
		if !slices.Equal(got, statuses) {
			t.Errorf("%s %s was answered with %v, want %v", method, path, got, statuses)
		}
		return
	}
}

// store keeps sessions in memory and fails on demand. It implements the
// interface Store of scs.
type store struct {
	mu      sync.Mutex
	entries map[string][]byte
	down    atomic.Bool
}

var errDown = errors.New("the store is down")

func (s *store) Find(key string) ([]byte, bool, error) {
	if s.down.Load() {
		return nil, false, errDown
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	data, found := s.entries[key]
	return data, found, nil
}

func (s *store) Commit(key string, data []byte, _ time.Time) error {
	if s.down.Load() {
		return errDown
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries[key] = data
	return nil
}

func (s *store) Delete(key string) error {
	if s.down.Load() {
		return errDown
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.entries, key)
	return nil
}

// stranger is another origin on this machine, with pages that attack a site.
type stranger struct {
	// sameSite and crossSite are two names of it: to browsers, the port is no
	// part of a site, and "localhost" is another site than "127.0.0.1".
	sameSite, crossSite string
	hits                atomic.Int32 // requests but those for an icon
}

func startStranger(t *testing.T) *stranger {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s := &stranger{sameSite: "http://127.0.0.1:" + port, crossSite: "http://localhost:" + port}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // ends with Close
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return s
}

// The pages of the stranger: each sends the fields of its own query to the
// address in "target", from a form or by a script.
const (
	formPage = `<!doctype html><title>form</title><form method="post"></form><script>
const query = new URLSearchParams(location.search), form = document.forms[0];
form.action = query.get("target");
for (const [name, value] of query) {
	const field = form.appendChild(document.createElement("input"));
	field.type = "hidden"; field.name = name; field.value = value;
}
addEventListener("load", () => setTimeout(() => form.submit()));
</script>`
	fetchPage = `<!doctype html><title>fetch</title><link rel="icon" href="data:,"><script>
const query = new URLSearchParams(location.search);
fetch(query.get("target"), { method: "POST", mode: "no-cors", credentials: "include", body: query })
	.then(() => { document.title = "answered"; }, () => { document.title = "failed"; });
</script>`
)

// ServeHTTP implements [http.Handler].
func (s *stranger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	body := "<!doctype html><title>stranger</title>"
	switch r.URL.Path {
	case "/favicon.ico":
		w.WriteHeader(http.StatusNoContent)
		return
	case "/form":
		body = formPage
	case "/fetch":
		body = fetchPage
	}
	s.hits.Add(1)
	_, _ = w.Write([]byte(body)) // the browser has gone
}
