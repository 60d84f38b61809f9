package authclient_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/authclient"
)

func TestK05RepeatsWhatCanBeSentAgain(t *testing.T) {
	for _, c := range []struct {
		name, method string
		body         func() io.Reader
		opts         []authclient.Option
		status       int
		requests     int64
	}{
		{"no body", "GET", func() io.Reader { return nil }, nil, 200, 3},
		{"http.NoBody", "POST", func() io.Reader { return http.NoBody }, nil, 200, 3},
		{"body that rewinds", "POST", func() io.Reader { return strings.NewReader("text") }, nil, 200, 3},
		{"opaque body", "POST", func() io.Reader { return io.MultiReader(strings.NewReader("text")) }, nil, 401, 2},
		{"opaque body, idempotent", "PUT", func() io.Reader { return io.MultiReader(strings.NewReader("text")) }, nil, 401, 2},
		{"POST where the service acts first", "POST", func() io.Reader { return strings.NewReader("text") },
			[]authclient.Option{authclient.WithIdempotentOnly()}, 401, 2},
		{"PUT where the service acts first", "PUT", func() io.Reader { return strings.NewReader("text") },
			[]authclient.Option{authclient.WithIdempotentOnly()}, 200, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			tokens := &issuer{}
			s := serveGuarded(t, bearerGuard(t, tokens))
			client := clientOf(t, bearerSource(t, tokens.fetch), []string{s.URL}, c.opts...)
			do(t, client, "GET", s.URL, "")
			tokens.revoke()
			req, err := http.NewRequestWithContext(t.Context(), c.method, s.URL, c.body())
			if err != nil {
				t.Fatal(err)
			}
			status, body := doRequest(t, client, req)
			if status != c.status || s.requests.Load() != c.requests {
				t.Errorf("status %d after %d requests, want %d after %d", status, s.requests.Load(), c.status, c.requests)
			}
			if status == 200 && req.Body != nil && req.Body != http.NoBody && body != "text" {
				t.Errorf("the repeat had the body %q", body)
			}
			// In both cases the next request is sent with the new token at once.
			before := s.requests.Load()
			if status, _ := do(t, client, "GET", s.URL, ""); status != 200 || s.requests.Load() != before+1 || tokens.fetched() != 2 {
				t.Errorf("next: status %d, %d requests, %d tokens", status, s.requests.Load()-before, tokens.fetched())
			}
		})
	}
}

func TestK05BodyThatFailsToRewind(t *testing.T) {
	s := serve(t, &script{answers: []string{"401\nWWW-Authenticate: Bearer"}})
	broken := errors.New("file is gone")
	c := clientOf(t, bearerSource(t, new(issuer).fetch), []string{s.URL})
	req, _ := http.NewRequestWithContext(t.Context(), "PUT", s.URL, strings.NewReader("x"))
	req.GetBody = func() (io.ReadCloser, error) { return nil, broken }
	if _, err := c.Do(req); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

// A refusal whose body no one reads must not cost the connection, or take forever.
func TestDiscardedAnswersFreeTheirConnection(t *testing.T) {
	for _, c := range []struct {
		name string
		size int64
		same bool
	}{{"short", 1000, true}, {"longer than anyone reads", 8 << 20, false}} {
		t.Run(c.name, func(t *testing.T) {
			var peers []string
			s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if peers = append(peers, r.RemoteAddr); len(peers) == 1 {
					w.Header().Set("WWW-Authenticate", "Bearer")
					w.WriteHeader(401)
					_, _ = io.CopyN(w, zeros{}, c.size) // fails once the client has enough
				}
			}))
			client := clientOf(t, bearerSource(t, new(issuer).fetch), []string{s.URL})
			if status, _ := do(t, client, "GET", s.URL, ""); status != 200 || len(peers) != 2 {
				t.Fatalf("status %d after %d requests", status, len(peers))
			}
			if same := peers[0] == peers[1]; same != c.same {
				t.Errorf("same connection: %v", same)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }
