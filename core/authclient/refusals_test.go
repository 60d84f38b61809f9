package authclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authclient"
)

func TestK01RefreshesAndRepeatsOnce(t *testing.T) {
	tokens := &issuer{}
	s := serveGuarded(t, bearerGuard(t, tokens))
	c := clientOf(t, bearerSource(t, tokens.fetch), []string{s.URL})
	if status, _ := do(t, c, "GET", s.URL+"/a", ""); status != 200 {
		t.Fatalf("status %d", status)
	}
	tokens.revoke()
	if status, body := do(t, c, "POST", s.URL+"/a", "text"); status != 200 || body != "text" {
		t.Errorf("after the token was revoked: %d %q", status, body)
	}
	if n, f := s.requests.Load(), tokens.fetched(); n != 3 || f != 2 {
		t.Errorf("%d requests and %d tokens, want 3 and 2", n, f)
	}
}

func TestK01SecondRefusalGoesToTheCaller(t *testing.T) {
	tokens := &issuer{}
	s := serveGuarded(t, bearerGuard(t, tokens))
	c := clientOf(t, bearerSource(t, func(ctx context.Context) (string, time.Time, error) {
		defer tokens.revoke()
		return tokens.fetch(ctx)
	}), []string{s.URL})
	for i := range 3 {
		status, body := do(t, c, "GET", s.URL, "")
		if status != 401 || !strings.Contains(body, core.CodeInvalidToken) {
			t.Errorf("%d %s", status, body)
		}
		// The token of the repeated request is tried again, so one request more each
		// time.
		if n, f := s.requests.Load(), tokens.fetched(); n != int64(2*i+2) || f != i+2 {
			t.Errorf("after request %d: %d requests and %d tokens", i+1, n, f)
		}
	}
}

func TestK02ForbiddenIsNeverRepeated(t *testing.T) {
	for _, path := range []string{"/admin", "/scoped"} {
		t.Run(path, func(t *testing.T) {
			tokens := &issuer{}
			s := serveGuarded(t, bearerGuard(t, tokens))
			c := clientOf(t, bearerSource(t, tokens.fetch), []string{s.URL})
			resp, err := c.Get(s.URL + path)
			if err != nil {
				t.Fatal(err)
			}
			err = authclient.Check(resp)
			var forbidden *authclient.ForbiddenError
			if !errors.As(err, &forbidden) || forbidden.Status != 403 || forbidden.Problem.Title != "Forbidden" {
				t.Fatalf("%v", err)
			}
			want, code := []string(nil), core.CodeForbidden
			if path == "/scoped" {
				want, code = []string{"write"}, core.CodeInsufficientScope
			}
			if !slices.Equal(forbidden.Scopes, want) || forbidden.Problem.Code != code {
				t.Errorf("scopes %q, code %q", forbidden.Scopes, forbidden.Problem.Code)
			}
			if n, f := s.requests.Load(), tokens.fetched(); n != 1 || f != 1 {
				t.Errorf("%d requests and %d tokens, want 1 and 1", n, f)
			}
		})
	}
}

func TestK02NewScopesNeedANewToken(t *testing.T) {
	seen := &script{answers: []string{"403\nWWW-Authenticate: Bearer error=\"insufficient_scope\", scope=\"a b\"", "200"}}
	s := serve(t, seen)
	tokens := &issuer{}
	source := bearerSource(t, tokens.fetch)
	c := clientOf(t, source, []string{s.URL})
	do(t, c, "GET", s.URL, "")
	source.Invalidate() // the user has agreed to more
	do(t, c, "GET", s.URL, "")
	equal(t, "sent", seen.sent("Authorization"), []string{"Bearer token-1", "Bearer token-2"})
}

func TestK03NothingElseRefreshes(t *testing.T) {
	for _, answer := range []string{
		"400\nWWW-Authenticate: Bearer error=\"invalid_request\"",
		"400\nWWW-Authenticate: Bearer error=\"invalid_token\"",
		"404", "407\nProxy-Authenticate: Bearer realm=\"x\"", "409", "410", "500", "502", "504",
		"503", "429",
		"401\nWWW-Authenticate: Bearer error=\"invalid_request\"",
		"401\nWWW-Authenticate: Bearer error=\"insufficient_scope\"",
		"401\nWWW-Authenticate: Bearer error=\"insufficient_user_authentication\"",
		"401\nWWW-Authenticate: Bearer error=\"insufficient_user_authentication\", Bearer error=\"invalid_token\"",
		"401\nWWW-Authenticate: Bearer error=\"use_dpop_nonce\"\nDPoP-Nonce: abc",
		"401\nWWW-Authenticate: Basic realm=\"x\"",
		"401\nWWW-Authenticate: Bearer realm=\"x",
		"401",
		"200\nWWW-Authenticate: Bearer error=\"invalid_token\"",
	} {
		t.Run(answer, func(t *testing.T) {
			seen := &script{answers: []string{answer}}
			s := serve(t, seen)
			tokens := &issuer{}
			c := clientOf(t, bearerSource(t, tokens.fetch), []string{s.URL})
			for range 2 {
				if status, body := do(t, c, "GET", s.URL, ""); status != s.lastStatus(t) || body != "said "+answer[:3] {
					t.Errorf("%d %q", status, body)
				}
			}
			if n, f := s.requests.Load(), tokens.fetched(); n != 2 || f != 1 {
				t.Errorf("%d requests and %d tokens for 2 calls", n, f)
			}
		})
	}
}

// lastStatus returns the one status that the service has answered with.
func (s *service) lastStatus(t *testing.T) (status int) {
	t.Helper()
	s.statuses.Range(func(key, _ any) bool {
		status = key.(int)
		return false
	})
	return status
}

func TestK03Waits(t *testing.T) {
	const second = time.Second
	for _, c := range []struct {
		name, method string
		answers      []string
		opts         []authclient.Option
		status       int
		slept        []time.Duration
	}{
		{"503 with seconds", "GET", []string{"503\nRetry-After: 5", "200"}, nil, 200, []time.Duration{5 * second}},
		{"429 with seconds", "PUT", []string{"429\nRetry-After: 1", "200"}, nil, 200, []time.Duration{second}},
		{"a date against the service's own clock", "GET",
			[]string{"503\nDate: Sun, 06 Nov 1994 08:49:37 GMT\nRetry-After: Sun, 06 Nov 1994 08:49:40 GMT", "200"}, nil, 200, []time.Duration{3 * second}},
		{"zero", "GET", []string{"503\nRetry-After: 0", "200"}, nil, 200, nil},
		{"twice by default", "GET", []string{"503\nRetry-After: 1"}, nil, 503, []time.Duration{second, second}},
		{"as often as it is told to", "GET", []string{"503\nRetry-After: 1"}, []authclient.Option{authclient.WithWaiting(3, time.Minute)}, 503,
			[]time.Duration{second, second, second}},
		{"not longer than 30 seconds by default", "GET", []string{"503\nRetry-After: 31", "200"}, nil, 503, nil},
		{"not longer than the caller has time", "GET", []string{fmt.Sprintf("503\nRetry-After: %.0f", callerTime.Seconds()+1), "200"},
			[]authclient.Option{authclient.WithWaiting(1, time.Hour)}, 503, nil},
		{"not when told not to", "GET", []string{"503\nRetry-After: 1"}, []authclient.Option{authclient.WithoutWaiting()}, 503, nil},
		{"not without a time", "GET", []string{"503", "200"}, nil, 503, nil},
		{"not for a time that cannot be read", "GET", []string{"503\nRetry-After: soon", "200"}, nil, 503, nil},
		{"not for two times", "GET", []string{"503\nRetry-After: 1\nRetry-After: 2", "200"}, nil, 503, nil},
		{"not for a POST", "POST", []string{"503\nRetry-After: 1", "200"}, nil, 503, nil},
		{"not for other statuses", "GET", []string{"500\nRetry-After: 1", "200"}, nil, 500, nil},
		{"between refusals", "GET", []string{"503\nRetry-After: 1", "401\nWWW-Authenticate: Bearer", "503\nRetry-After: 2", "200"}, nil, 200,
			[]time.Duration{second, 2 * second}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, &script{answers: c.answers})
			tokens, clock := &issuer{}, new(naps)
			client := clientOf(t, bearerSource(t, tokens.fetch), []string{s.URL}, append(c.opts, authclient.WithClock(time.Now, clock.sleep))...)
			if status, _ := do(t, client, c.method, s.URL, ""); status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
			equal(t, "slept", clock.slept, c.slept)
		})
	}
}

func TestK03WaitsForAPostThatIsNamed(t *testing.T) {
	s := serve(t, &script{answers: []string{"503\nRetry-After: 1", "200"}})
	clock := new(naps)
	c := clientOf(t, bearerSource(t, new(issuer).fetch), []string{s.URL}, clock.option())
	c.Timeout = 0
	req, _ := http.NewRequestWithContext(t.Context(), "POST", s.URL, strings.NewReader("x"))
	req.Header.Set("Idempotency-Key", "job-1")
	if status, _ := doRequest(t, c, req); status != 200 {
		t.Errorf("status %d", status)
	}
}

func TestWaitEndsWithTheRequest(t *testing.T) {
	s := serve(t, &script{answers: []string{"503\nRetry-After: 20"}})
	ctx, cancel := context.WithCancel(t.Context())
	c := clientOf(t, bearerSource(t, new(issuer).fetch), []string{s.URL}, authclient.WithClock(time.Now, func(ctx context.Context, _ time.Duration) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	}))
	req, _ := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
	if _, err := c.Do(req); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestAnOutageOfTheServiceRefreshesNothing(t *testing.T) {
	tokens := &issuer{down: errors.New("key server down")}
	s := serveGuarded(t, bearerGuard(t, tokens))
	clock := new(naps)
	c := clientOf(t, bearerSource(t, tokens.fetch), []string{s.URL}, authclient.WithClock(time.Now, func(ctx context.Context, d time.Duration) error {
		tokens.mu.Lock()
		tokens.down = nil
		tokens.mu.Unlock()
		return clock.sleep(ctx, d)
	}))
	if status, _ := do(t, c, "GET", s.URL, ""); status != 200 || tokens.fetched() != 1 || len(clock.slept) != 1 {
		t.Errorf("status %d, %d tokens, slept %v", status, tokens.fetched(), clock.slept)
	}
}

func TestMissingCredentials(t *testing.T) {
	s := serve(t, &script{answers: []string{"401\nWWW-Authenticate: Bearer"}})
	down := errors.New("token endpoint down")
	calls := 0
	source := bearerSource(t, func(context.Context) (string, time.Time, error) {
		if calls++; calls == 1 {
			return "first", time.Time{}, nil
		}
		return "", time.Time{}, down
	})
	c := clientOf(t, source, []string{s.URL})
	body := &closeCounter{Reader: strings.NewReader("x")}
	for want := range 2 { // after a 401, and before the first request
		req, _ := http.NewRequestWithContext(t.Context(), "GET", s.URL, nil)
		if want == 1 {
			req.Body = body
		}
		_, err := c.Do(req)
		var none *authclient.SourceError
		if !errors.As(err, &none) || !errors.Is(err, down) {
			t.Errorf("%v", err)
		}
	}
	if n := s.requests.Load(); n != 1 || body.closed == 0 {
		t.Errorf("%d requests; body closed %d times", n, body.closed)
	}
}

type closeCounter struct {
	io.Reader
	closed int
}

func (c *closeCounter) Close() error { c.closed++; return nil }
