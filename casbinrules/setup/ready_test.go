package setup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/digest"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
	"github.com/sallyport-go/sallyport/core/session"
)

// gone is a store of any kind that no call reaches.
type gone struct{ recorder }

var errGone = errors.New("connection refused")

func (gone) CommitCtx(context.Context, string, []byte, time.Time) error { return errGone }

func (gone) Reserve(context.Context, attempts.Attempt) (attempts.Answer, error) {
	return attempts.Answer{}, errGone
}

func (gone) Settle(context.Context, attempts.Attempt, attempts.Outcome) error { return errGone }

func (gone) Remember(context.Context, [32]byte, [32]byte, time.Duration) (bool, error) {
	return false, errGone
}

func (gone) Use(context.Context, [32]byte, uint32, time.Duration) (bool, error) {
	return false, errGone
}

// readOnly is a store of sessions whose user may not write.
type readOnly struct{ recorder }

func (readOnly) CommitCtx(context.Context, string, []byte, time.Time) error {
	return errors.New("permission denied")
}

// early is one whose clock is ahead.
type early struct{ recorder }

func (early) FindCtx(context.Context, string) ([]byte, bool, error) { return nil, false, nil }

// undying is one whose user may not delete.
type undying struct{ recorder }

func (undying) DeleteCtx(context.Context, string) error { return errors.New("permission denied") }

// simple is one without contexts.
type simple struct{ session.Store }

func (simple) Find(key string) ([]byte, bool, error) {
	return recorder{}.FindCtx(context.Background(), key)
}

func (simple) Commit(key string, data []byte, expires time.Time) error {
	return recorder{}.CommitCtx(context.Background(), key, data, expires)
}

func (simple) Delete(key string) error { return recorder{}.DeleteCtx(context.Background(), key) }

// TestReadyNeedsSessionsKept: a store that can be read and not written, or that takes sessions
// for expired, is reported before anybody signs in.
func TestReadyNeedsSessionsKept(t *testing.T) {
	t.Parallel()
	for store, want := range map[string]string{
		"recorder": "", "simple": "", "readOnly": "permission denied", "undying": "permission denied", "early": "it does not keep what it is given",
	} {
		s := open(t, "realm: reports\nsession: {sign_in_page: /login, store: {"+store+": {}}}\n")
		limit := 50 * time.Millisecond
		if want == "" {
			limit = authtest.TimeLimit(20 * time.Second)
		}
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		err := s.Ready(ctx)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), "2:33: session.store: not ready: "+want)) {
			t.Errorf("%s: %v, want %q", store, err, want)
		}
	}
}

func init() {
	for name, store := range map[string]session.Store{"readOnly": readOnly{}, "early": early{}, "undying": undying{}, "simple": simple{}} {
		RegisterSessionStore(name, func(*struct{}) (session.Store, func() error, error) { return store, nil, nil })
	}
	RegisterSessionStore("gone", func(*struct{}) (session.Store, func() error, error) { return gone{}, nil, nil })
	RegisterAttemptStore("gone", func(*struct{}) (attempts.Store, func() error, error) { return gone{}, nil, nil })
	RegisterReplayStore("gone", func(*struct{}) (dpop.ReplayStore, func() error, error) { return gone{}, nil, nil })
	RegisterCountStore("gone", func(*struct{}) (digest.CountStore, func() error, error) { return gone{}, nil, nil })
}

// TestReadyNamesWhatDoesNotAnswer: each service that the file names is asked, and
// reported at its key.
func TestReadyNamesWhatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()
	s := open(t, fmt.Sprintf(`realm: reports
bearer:
  issuers:
  - {issuer: %[1]q, audience: reports}
  - {issuer: 'https://idp.example', audience: reports, jwks: %[1]q}
  - {issuer: 'https://other.example', audience: reports, jwks: jwks.json}
  introspection: {endpoint: %[1]q, client: reports, secret: {file: names.key}, audience: reports}
dpop: {address: 'https://api.example', replay_fallback: true, replays: {gone: {}}}
digest: {htdigest: users.htdigest, nonce_key: {file: names.key}, count_fallback: true, counts: {gone: {}}}
session: {sign_in_page: /login, store: {gone: {}}}
attempts: {store_key: {file: names.key}, store: {gone: {}}}
revocations: {late_start: true, store: {broken: {}}}
`, down.URL))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var found Errors
	if err := s.Ready(ctx); !errors.As(err, &found) {
		t.Fatalf("%v is no Errors", err)
	}
	var got []string
	for _, e := range found {
		got = append(got, fmt.Sprint(e.Line, " ", e.Key))
	}
	if want := []string{
		"4 bearer.issuers[0].issuer", "5 bearer.issuers[1].jwks", "7 bearer.introspection.endpoint", "8 dpop.replays",
		"9 digest.counts", "10 session.store", "11 attempts.store", "12 revocations.store",
	}; !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q\n%v", got, want, found)
	}
}

// TestReadyWaits for an issuer that answers at the second fetch, and accepts an
// introspection that does not know the token asked about.
func TestReadyWaits(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	var log bytes.Buffer
	idp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = fmt.Fprintf(w, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k1","x":%q}]}`, encode(make([]byte, 32)))
	}))
	defer idp.Close()
	s := open(t, fmt.Sprintf(`realm: reports
bearer:
  issuer: https://idp.example
  audience: reports
  jwks: %q
  introspection: {endpoint: %q, client: reports, secret: {file: names.key}, audience: reports}
`, idp.URL, introspecting(t)), WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(time.Minute))
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		t.Error(err)
	}
	if asked.Load() < 2 {
		t.Error("Ready did not wait for the second fetch")
	}
	if err := s.Close(); err != nil { // nothing is logged afterwards
		t.Error(err)
	}
	if got := log.String(); !strings.Contains(got, "there are none from before") || strings.Contains(got, "stay in use") {
		t.Errorf("the log does not say that no keys were there before: %s", got)
	}
}
