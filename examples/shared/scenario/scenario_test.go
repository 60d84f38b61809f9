package scenario

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// TestScenarios checks that every scenario can be told apart and played.
func TestScenarios(t *testing.T) {
	w, err := NewWorld(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	seen := map[string]bool{}
	used := map[string]bool{}
	for _, g := range All() {
		for _, s := range g.Scenarios {
			name := g.Title + "/" + s.Method + " " + s.Target + ", " + s.Name
			if seen[name] {
				t.Errorf("two scenarios are called %q", name)
			}
			seen[name] = true
			used[s.As] = true
			for _, f := range s.Fields {
				if field, value, ok := strings.Cut(f, ": "); !ok || field == "" || value == "" {
					t.Errorf("%s: field %q", name, f)
				}
			}
			if _, ok := w.credentials[s.As]; !ok && s.As != "" {
				t.Errorf("%s: no credentials are called %q", name, s.As)
			}
			if empty := s.Method == http.MethodHead || slices.Equal(s.Fields, corsPreflight); empty != (s.Body == "") {
				t.Errorf("%s: wants body %q", name, s.Body)
			}
		}
	}
	for name := range w.credentials {
		if !used[name] {
			t.Errorf("no scenario uses the credentials %q", name)
		}
	}
}

func TestAnswer(t *testing.T) {
	for _, c := range []struct {
		name, body    string
		status        int
		header        http.Header
		verdict, says string // "" for an error
	}{
		{"success", `{"route":"/me","subject":"erin","roles":["editor","viewer"]}`, 200, nil, "200", "/me erin [editor viewer]"},
		{"anonymous", `{"route":"/whoami","subject":"","roles":[]}`, 200, nil, "200", "/whoami anonymous []"},
		{"refusal", `{"error":"forbidden"}`, 403, nil, "403", "forbidden"},
		{"empty", "", 204, nil, "204", ""},
		{"challenges", `{"error":"invalid_token"}`, 401,
			http.Header{"Www-Authenticate": {`Bearer realm="a", error="invalid_token"`, `Basic realm="a"`}}, "401 Bearer:token Basic", "invalid_token"},
		{"other code", `{"error":"x"}`, 401, http.Header{"Www-Authenticate": {`Bearer realm="a", error="other"`}}, "401 Bearer:other", "x"},
		{"stale", `{"error":"x"}`, 401, http.Header{"Www-Authenticate": {`Digest realm="a", nonce="b", stale=true`, `Digest realm="a", nonce="b", stale=false`}}, "401 Digest:stale Digest", "x"},
		{"outage", `{"error":"temporarily_unavailable"}`, 503, http.Header{"Retry-After": {"5"}}, "503 Retry-After", "temporarily_unavailable"},
		{"bad challenge", `{"error":"x"}`, 401, http.Header{"Www-Authenticate": {`Bearer realm="a`}}, "", ""},
		{"page", "<html>", 404, nil, "", ""},
		{"other JSON", `{"message":"Not Found"}`, 404, nil, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := newAnswer(&http.Response{StatusCode: c.status, Header: c.header}, []byte(c.body))
			if (err != nil) != (c.verdict == "") {
				t.Fatalf("got %v, %v", a, err)
			}
			if want := (Answer{c.verdict, c.says}); err == nil && a != want {
				t.Errorf("got %v, want %v", a, want)
			}
		})
	}
}

// TestPlayFindsWrongServers plays against a server that lets everybody in, one
// that hangs up and one that is not there.
func TestPlayFindsWrongServers(t *testing.T) {
	w, err := NewWorld(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	open := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"route":%q,"subject":"victor","roles":["viewer"]}`, r.URL.Path)
	}))
	defer open.Close()
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer silent.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	servers := []Server{{"open", open.URL}, {"silent", silent.URL}, {"gone", gone.URL}}
	results, err := w.Play(t.Context(), servers)
	if err != nil {
		t.Fatal(err)
	}
	var played int
	for _, g := range All() {
		played += len(g.Scenarios)
	}
	if len(results) != played {
		t.Errorf("%d results for %d scenarios", len(results), played)
	}
	text := strings.Join(Differences(servers, results), "\n")
	for name, want := range map[string]bool{
		`open: no credentials: GET /reports: got 200 "/reports victor [viewer]", want 401 Bearer Digest Basic ApiKey`: true,
		"open: good token: GET /reports: got 200": true, // not while there are no keys
		"open: good token: GET /me":               false,
		`open: erin by digest: GET /me: got no answer "erin by digest: the server does not offer Digest`: true,
		"silent: no credentials: ": true,
		"gone: no credentials: ":   true,
	} {
		if strings.Contains(text, name) != want {
			t.Errorf("differences name %q: %t, want %t", name, !want, want)
		}
	}
	if n := strings.Count(text, "\nsilent: ") + strings.Count(text, "\ngone: "); n != 2*played {
		t.Errorf("%d differences of servers that do not answer, want %d", n, 2*played)
	}
}

// TestPlayStops checks that a run ends with its context.
func TestPlayStops(t *testing.T) {
	w, err := NewWorld(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Play(ctx, []Server{{"none", "http://127.0.0.1:1"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestUnknownCredentials(t *testing.T) {
	a := new(World).ask(t.Context(), newClient(), Server{}, Scenario{As: "nobody we know"})
	if a.Verdict != "no answer" || !strings.Contains(a.Body, "nobody we know") {
		t.Errorf("got %v", a)
	}
}

func ExamplePrint() {
	s := Scenario{Name: "no credentials", Want: "401 Basic", Body: "authentication_required"}
	results := []Result{
		{"Gate one", s, []Answer{{"401 Basic", "authentication_required"}, {"403", "forbidden"}}},
		{"Gate one", s, []Answer{{"401 Basic", "authentication_required"}, {"401 Basic", "forbidden"}}},
	}
	var b strings.Builder
	if err := Print(&b, []Server{{Name: "Gin"}, {Name: "Echo"}}, results); err != nil {
		fmt.Println(err)
	}
	fmt.Print(b.String())
	// Output:
	//                   expected   Gin  Echo
	//
	// Gate one
	//   no credentials  401 Basic  401  ! 403
	//   no credentials  401 Basic  401  ! 401 Basic, forbidden
}

func TestPrintError(t *testing.T) {
	_, closed := io.Pipe()
	_ = closed.Close()
	if err := Print(closed, nil, nil); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
}
