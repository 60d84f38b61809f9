package jwttest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// TestStorm lets an issuer's key server rotate keys, stall, fail, answer garbage and
// 100 MB, and fall silent, while clients with good tokens and clients with made-up keys
// use an app. It proves E08, E10 and E11 under load:
//
//   - no good token is refused while the previous keys may serve;
//   - a made-up key is 401, or 503 while it could be a new one;
//   - the key server gets no more requests than configured;
//   - neither goroutines nor memory grow.
//
// It measures the whole process, so no other test runs beside it.
func TestStorm(t *testing.T) {
	k := newKeys(t)
	s := &storm{t: t, keys: k, server: publish(t, setOf(t, k.jwk(t, "ES256")))}
	s.good.Store(tokenOf(k.good(t, "ES256")))
	s.start(authtest.NetHTTP())
	goroutines, heap := measure()
	for _, p := range s.phases() {
		s.run(p)
	}
	s.rotated()
	s.checkFetches()
	s.client.CloseIdleConnections()
	s.source.Close()
	s.server.CloseClientConnections()
	settle(t, goroutines, heap)
}

// Timing of fetches. None comes earlier than fetchEvery less a fifth after the one
// before, except five an hour for unknown keys.
const (
	fetchEvery = 20 * time.Millisecond
	fetchLimit = 150 * time.Millisecond
	maxSet     = 64 << 10
)

// storm is an app under load whose keys come from a failing server.
type storm struct {
	t       *testing.T
	keys    *keys
	server  *publisher
	source  *jwtauth.RemoteKeys
	client  *http.Client
	address string
	began   time.Time

	good    atomic.Pointer[string]
	fetches atomic.Int64 // that have ended
	passed  atomic.Int64 // good tokens
	madeUp  atomic.Int64
}

func tokenOf(token string) *string { return &token }

func (s *storm) start(f authtest.Framework) {
	s.t.Helper()
	s.began = time.Now()
	var err error
	s.source, err = jwtauth.Fetch(s.server.URL,
		jwtauth.WithRefreshInterval(fetchEvery, fetchEvery), jwtauth.WithRetryInterval(fetchEvery, fetchEvery), jwtauth.WithRefetchInterval(time.Hour),
		jwtauth.WithTimeout(authtest.TimeLimit(fetchLimit)), jwtauth.WithMaxSetSize(maxSet),
		jwtauth.WithRefreshObserver(func(jwtauth.Refresh) { s.fetches.Add(1) }))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(s.source.Close)
	scheme, err := bearer.New(realm, verifier(s.t, s.source))
	if err != nil {
		s.t.Fatal(err)
	}
	g, err := core.NewGuard([]core.Authenticator{scheme},
		core.WithObserver(core.ObserverFunc(func(context.Context, core.Event) {})))
	if err != nil {
		s.t.Fatal(err)
	}
	s.address = f.Start(s.t, authtest.App{Routes: []authtest.Route{{
		Methods: []string{"GET"}, Pattern: onPublic, Gates: []authtest.Gate{{Kind: "Authenticate", Guard: g}},
		Handler: func(x authtest.Exchange) error { return x.Text(http.StatusOK, x.Principal().ID()) },
	}}})
	s.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: authtest.TimeLimit(2 * time.Minute)}
	ctx, cancel := context.WithTimeout(s.t.Context(), authtest.TimeLimit(2*time.Minute))
	defer cancel()
	if err := s.source.Ready(ctx); err != nil {
		s.t.Fatal(err)
	}
}

// phase is one behaviour of the key server.
type phase struct {
	name   string
	answer http.HandlerFunc
}

func (s *storm) phases() []phase {
	document := setOf(s.t, s.keys.jwk(s.t, "ES256"))
	grown := setOf(s.t, s.keys.jwk(s.t, "ES256"), s.keys.jwk(s.t, "EdDSA"))
	garbage := bytes.Repeat([]byte{0xff, '{', '"', 0}, 1000)
	serve := func(data []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) }
	}
	return []phase{
		{"in order", serve(document)},
		{"a key added", serve(grown)},
		{"stalled", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		{"garbage", serve(garbage)},
		{"cut off", serve(document[:len(document)/2])},
		{"500", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }},
		{"100 MB", s.torrent},
		{"connections dropped", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		{"in order again", serve(grown)},
	}
}

// torrent counts how much of its 100 MiB is read: only what sockets buffer.
func (s *storm) torrent(w http.ResponseWriter, r *http.Request) {
	counted := &counter{ResponseWriter: w}
	torrent(counted, r)
	if counted.n > 32<<20 {
		s.t.Errorf("%d bytes of a key set were read, at most %d are accepted", counted.n, maxSet)
	}
}

type counter struct {
	http.ResponseWriter
	n int
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.n += n
	return n, err
}

// run keeps up the load until a few fetches, the first of which may have begun earlier,
// and some good tokens have met the phase.
func (s *storm) run(p phase) {
	s.server.will(p.answer)
	fetches, passed := s.fetches.Load(), s.passed.Load()
	limit := authtest.TimeLimit(time.Minute)
	deadline := time.Now().Add(limit)
	goOn := func() bool {
		enough := s.fetches.Load()-fetches >= 3 && s.passed.Load()-passed >= 100
		return !enough && time.Now().Before(deadline)
	}
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for goOn() {
				s.withGoodToken(p)
			}
		})
		all.Go(func() {
			for i := 0; goOn(); i++ {
				s.withMadeUpKey(p, fmt.Sprintf("%s-%d-%d", p.name, worker, i))
			}
		})
	}
	all.Wait()
	if time.Now().After(deadline) {
		s.t.Errorf("%s: %d fetches and %d good answers in %v", p.name, s.fetches.Load()-fetches, s.passed.Load()-passed, limit)
	}
}

func (s *storm) withGoodToken(p phase) {
	if status, text := s.get(*s.good.Load()); status != http.StatusOK || text != subject {
		s.t.Errorf("%s: a good token got %d %q", p.name, status, text)
	}
	s.passed.Add(1)
}

func (s *storm) withMadeUpKey(p phase, name string) {
	token := unsigned(fmt.Sprintf(`{"alg":"ES256","kid":%q}`, name), claims()) + "." + base64url(make([]byte, 64))
	s.madeUp.Add(1)
	status, text := s.get(token)
	if status != http.StatusUnauthorized && status != http.StatusServiceUnavailable {
		s.t.Errorf("%s: a made-up key got %d %q", p.name, status, text)
	}
}

func (s *storm) get(token string) (status int, text string) {
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.address+onPublic, nil)
	if err != nil {
		return 0, err.Error()
	}
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := s.client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close() // it was only read
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(data)
}

// rotated: afterwards a removed key is gone with the next fetches and the new one works.
func (s *storm) rotated() {
	s.t.Helper()
	s.server.serves(setOf(s.t, s.keys.jwk(s.t, "EdDSA")))
	old := s.good.Swap(tokenOf(s.keys.good(s.t, "EdDSA")))
	s.run(phase{name: "rotated", answer: *s.server.answer.Load()})
	if status, text := s.get(*old); status != http.StatusUnauthorized {
		s.t.Errorf("a token by a removed key got %d %q, want 401", status, text)
	}
}

// checkFetches allows for five fetches because of made-up keys and the regular ones.
func (s *storm) checkFetches() {
	s.t.Helper()
	passed := time.Since(s.began)
	most := int64(passed/(fetchEvery*8/10)) + 2 + 5
	if n := s.server.asked.Load(); n > most {
		s.t.Errorf("%d fetches in %v, at most %d are configured", n, passed, most)
	}
	s.t.Logf("%d good tokens, %d made-up keys, %d fetches in %v", s.passed.Load(), s.madeUp.Load(), s.server.asked.Load(), passed.Round(time.Millisecond))
}

// measure returns the number of goroutines and the memory in use.
func measure() (goroutines int, heap uint64) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), m.HeapAlloc
}

// settle waits for goroutines to end, and fails the test if some remain.
func settle(t *testing.T, goroutines int, heap uint64) {
	t.Helper()
	// Servers may keep a goroutine for each past connection.
	const slack, growth = 8 + 5, 32 << 20
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(authtest.TimeLimit(2 * time.Minute))
	for {
		n, inUse := measure()
		if n <= goroutines+slack && inUse <= heap+growth {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Errorf("%d goroutines and %d MiB in use, %d and %d MiB before", n, inUse>>20, goroutines, heap>>20)
			return
		}
	}
}

// torrent writes 100 MiB, or as much as is read.
func torrent(w http.ResponseWriter, _ *http.Request) {
	chunk := bytes.Repeat([]byte(" "), 64<<10)
	for range (100 << 20) / len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}
