package probe_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/probe"
)

// site is a correct service, to which a test adds faults.
type site struct {
	challenge, control string
	anonymous, other   int
	words              map[int]string
	wrong              func(w http.ResponseWriter, r *http.Request) bool
}

func right() *site {
	return &site{
		challenge: `Bearer realm="api"`, control: "no-store", anonymous: 401, other: 403,
		words: map[int]string{401: "sign in, please\n", 403: "you may not do this\n"},
	}
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.wrong != nil && s.wrong(w, r) {
		return
	}
	switch r.URL.Path {
	case "/health":
		_, _ = io.WriteString(w, "fine\n")
		return
	case "/reports", "/reports/1", "/admin":
	default:
		http.NotFound(w, r)
		return
	}
	status := 200
	switch user := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "); {
	case user != "erin-secret" && user != "root-secret":
		status = s.anonymous
	case r.URL.Path == "/admin" && user != "root-secret":
		status = s.other
	}
	if status == 401 && s.challenge != "" {
		w.Header().Set("WWW-Authenticate", s.challenge)
	}
	if status != 200 && s.control != "" {
		w.Header().Set("Cache-Control", s.control)
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, s.words[status])
	if status == 200 {
		_, _ = io.WriteString(w, r.URL.Path+"\n")
	}
}

func bearer(token string) []core.Field {
	return []core.Field{{Name: "Authorization", Value: "Bearer " + token}}
}

func settings() probe.Settings {
	return probe.Settings{
		Routes: []probe.Route{
			{Method: "GET", Pattern: "/health", Public: true}, {Method: "GET", Pattern: "/reports"},
			{Method: "GET", Pattern: "/reports/:id"}, {Method: "GET", Pattern: "/admin"}, {Method: "POST", Pattern: "/reports"},
		},
		Identities: []probe.Identity{{Name: "erin", Header: bearer("erin-secret")}, {Name: "root", Header: bearer("root-secret")}},
		Expect: func(as, _, path string) probe.Verdict {
			if strings.Contains(strings.ToLower(path), "admin") && as != "root" {
				return probe.Deny
			}
			return probe.Allow
		},
	}
}

// timed replaces the time of an answer by its field Took, or by a millisecond: the actual
// time depends on what else the machine does.
type timed struct{ probe.Sender }

func (s timed) Send(ctx context.Context, r probe.Request) probe.Answer {
	a := s.Sender.Send(ctx, r)
	a.Took = time.Millisecond
	if d, err := time.ParseDuration(a.Header.Get("Took")); err == nil {
		a.Took = d
	}
	return a
}

func run(t *testing.T, h http.Handler, s probe.Settings) *probe.Report {
	t.Helper()
	srv := httptest.NewServer(h)
	defer srv.Close()
	c, err := probe.NewClient(srv.URL, probe.WithTimeout(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s.Host = strings.TrimPrefix(srv.URL, "http://")
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(2*time.Minute))
	defer cancel()
	r, err := probe.Run(ctx, s, timed{c}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestAnswersAreTimed: the client measures the time to the head.
func TestAnswersAreTimed(t *testing.T) {
	const takes = 5 * time.Millisecond
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-time.After(takes) }))
	defer srv.Close()
	c, err := probe.NewClient(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if a := c.Send(t.Context(), probe.Request{Method: "GET", Target: "/"}); a.Err != nil || a.Took < takes {
		t.Errorf("took %v, %v", a.Took, a.Err)
	}
}

func codes(r *probe.Report) []string {
	var all []string
	for _, f := range r.Findings {
		if !slices.Contains(all, f.Code) {
			all = append(all, f.Code)
		}
	}
	slices.Sort(all)
	return all
}

func TestNothingIsFoundInAServiceThatIsRight(t *testing.T) {
	if r := run(t, right(), settings()); len(r.Findings) > 0 {
		t.Errorf("found %+v", r.Findings)
	}
}

// TestEachFaultHasASection: the page on faults has one section for each, and no other.
func TestEachFaultHasASection(t *testing.T) {
	text, err := os.ReadFile("../../docs/probe.md")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, f := range probe.Faults() {
		want = append(want, f.Name)
	}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "### "); ok {
			got = append(got, name)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("docs/probe.md has the sections %q, want %q", got, want)
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, method, target string
		want                    bool
	}{
		{"/healthz", "GET", "/healthz", true},
		{"/healthz", "GET", "/healthz/", true},
		{"/healthz", "GET", "/healthz/x", false},
		{"GET /healthz", "GET", "/healthz", true},
		{"GET /healthz", "POST", "/healthz", false},
		{"/assets/*", "GET", "/assets/app.js", true},
		{"/assets/*", "GET", "/assets/js/app.js", true},
		{"/assets/*", "GET", "/assets", false},
		{"/assets/*", "GET", "/assets/*filepath", true},
		{"/users/:id/name", "GET", "/users/7/name", true},
		{"/users/{id}/name", "GET", "/users/:id/name", true},
		{"/users/*/name", "GET", "/users/7/name", true},
		{"/users/:id", "GET", "/users/", false},
		{"/*.html", "GET", "/index.html", true},
		{"/", "GET", "/", true},
		{"/", "GET", "/x", false},
		{"/*", "GET", "/x/y", true},
		{"/docs/{path...}", "GET", "/docs/a/b", true},
	} {
		if got := probe.Match(c.pattern, c.method, c.target); got != c.want {
			t.Errorf("Match(%q, %q, %q) is %t", c.pattern, c.method, c.target, got)
		}
	}
}

func TestSamplePath(t *testing.T) {
	for pattern, want := range map[string]string{
		"/reports/:id": "/reports/1", "/reports/{id}": "/reports/1", "/files/*path": "/files/1", "/files/{path...}": "/files/1",
		"/v/:n<int>": "/v/987654321", "/x/{n:[0-9]+}": "/x/987654321", "GET /a": "/a", "api.example/a/{$}": "/a/", "/": "/", "*": "/1", "/a/:b?": "/a/1",
	} {
		if got := probe.SamplePath(pattern, "1"); got != want {
			t.Errorf("SamplePath(%q) is %q, want %q", pattern, got, want)
		}
	}
}

func TestPlanSendsSafeMethodsOnlyWithoutConsent(t *testing.T) {
	s := settings()
	s.Routes = append(s.Routes, probe.Route{Method: "DELETE", Pattern: "/reports/:id"}, probe.Route{Method: "PATCH", Pattern: "/reports/:id"})
	methods := func() []string {
		plan, err := probe.Plan(s)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, r := range plan {
			all = append(all, r.Method)
			for _, h := range r.Header {
				if strings.Contains(h.Name, "Method-Override") {
					all = append(all, h.Value)
				}
			}
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	if got := methods(); !slices.Equal(got, []string{"GET", "HEAD", "OPTIONS", "PROBE"}) {
		t.Errorf("without consent it sends %q", got)
	}
	s.Routes[len(s.Routes)-1].Write = true
	if got := methods(); !slices.Equal(got, []string{"GET", "HEAD", "OPTIONS", "PATCH", "PROBE", "PUT"}) {
		t.Errorf("with consent to PATCH it sends %q", got)
	}
}

func TestPlanHasWhatRunSends(t *testing.T) {
	plan, err := probe.Plan(settings())
	if err != nil {
		t.Fatal(err)
	}
	planned := map[string]bool{}
	key := func(r probe.Request) string {
		target, _, _ := strings.Cut(r.Target, "?probe=") // a random query
		return strings.Join([]string{string(r.Purpose), r.Method, target, r.As}, " ")
	}
	for _, r := range plan {
		planned[key(r)] = true
	}
	for _, x := range run(t, right(), settings()).Exchanges {
		if !planned[key(x.Request)] {
			t.Errorf("sent, and not planned: %s", key(x.Request))
		}
	}
}

func TestSettingsAreRefused(t *testing.T) {
	for want, ids := range map[string][]probe.Identity{
		"needs a name and credentials":            {{Name: "erin"}},
		`identity "anonymous": the name is taken`: {{Name: "anonymous", Header: bearer("x")}},
		`identity "erin": the name is taken`:      {{Name: "erin", Header: bearer("x")}, {Name: "erin", Header: bearer("y")}},
	} {
		if _, err := probe.Plan(probe.Settings{Identities: ids}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	for _, base := range []string{"", "example", "ftp://x", "http://", "http://x/y", "http://x?y", "http://u@x"} {
		if _, err := probe.NewClient(base); err == nil {
			t.Errorf("a client for %q", base)
		}
	}
}

// TestCertificatesAreVerified: nothing is sent to a service whose certificate is not valid.
func TestCertificatesAreVerified(t *testing.T) {
	var reached atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	for _, tt := range []struct {
		opts   []probe.Option
		status int
	}{
		{nil, 0},
		{[]probe.Option{probe.WithTLS(&tls.Config{RootCAs: roots})}, 200},
	} {
		c, err := probe.NewClient(srv.URL, tt.opts...)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		unknown := x509.UnknownAuthorityError{}
		a := c.Send(t.Context(), probe.Request{Method: "GET", Target: "/"})
		if a.Status != tt.status || errors.As(a.Err, &unknown) != (tt.status == 0) || reached.Load() != int64(tt.status/200) {
			t.Errorf("%d (%v), and %d requests arrived", a.Status, a.Err, reached.Load())
		}
	}
	if _, err := probe.NewClient(srv.URL, probe.WithTLS(nil)); err == nil {
		t.Error("a client without a TLS configuration")
	}
}

func TestCurlKeepsCredentials(t *testing.T) {
	f := probe.Finding{Request: probe.Request{Method: "HEAD", Target: "/it's", As: "erin", Header: append(bearer("secret"), core.Field{Name: "X-A", Value: "b"})}}
	got := f.Curl("http://x/", []probe.Identity{{Name: "erin", Header: bearer("secret")}})
	if want := `curl -i --path-as-is -I -H "$ERIN" -H 'X-A: b' 'http://x/it'\''s'`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestMethodOverride: a GET that names a refused method must not do what that method does.
func TestMethodOverride(t *testing.T) {
	for _, obeys := range []bool{false, true} {
		s := right()
		s.wrong = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/reports/1" || anonymous(r) || !strings.HasSuffix(user(r), "-secret") {
				return false
			}
			method := r.Method
			if method == "GET" && obeys && r.Header.Get("X-Method-Override") != "" {
				return answer(w, 200, "changed")
			}
			switch {
			case method == "PATCH":
				return answer(w, 405, "")
			case method == "PUT" && user(r) == "root-secret":
				return answer(w, 200, "changed")
			case method == "PUT":
				return answer(w, 403, "you may not do this\n")
			}
			return false
		}
		set := settings()
		set.Routes = append(set.Routes, probe.Route{Method: "PUT", Pattern: "/reports/:id", Write: true})
		set.Expect = nil
		r := run(t, s, set)
		found := slices.ContainsFunc(r.Findings, func(f probe.Finding) bool {
			return f.Code == probe.FaultMethodBypass && f.Method == "GET" && f.As == "erin" && strings.Contains(f.Detail, "X-Method-Override: PUT")
		})
		if found != obeys || !obeys && len(r.Findings) > 0 {
			t.Errorf("obeys %t: found %+v", obeys, r.Findings)
		}
	}
}

// TestDirect compares a proxy with the service behind it.
func TestDirect(t *testing.T) {
	service := httptest.NewServer(right())
	defer service.Close()
	for code, rewrite := range map[string]func(w http.ResponseWriter, status int) int{
		"":                       func(_ http.ResponseWriter, status int) int { return status },
		probe.FaultEdgeStatus:    func(_ http.ResponseWriter, status int) int { return max(status, 403) },
		probe.FaultEdgeChallenge: func(w http.ResponseWriter, status int) int { w.Header().Del("WWW-Authenticate"); return status },
		probe.FaultEdgeCache: func(w http.ResponseWriter, status int) int {
			w.Header().Set("Cache-Control", "max-age=60")
			return status
		},
	} {
		edge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			right().ServeHTTP(rec, r)
			maps.Copy(w.Header(), rec.Header())
			w.WriteHeader(rewrite(w, rec.Code))
			_, _ = w.Write(rec.Body.Bytes())
		}))
		c, err := probe.NewClient(edge.URL, probe.WithDirect(service.URL))
		if err != nil {
			t.Fatal(err)
		}
		s := settings()
		s.Host, s.Direct = strings.TrimPrefix(edge.URL, "http://"), true
		r, err := probe.Run(t.Context(), s, c, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := codes(r); code != "" && !slices.Contains(got, code) || code == "" && len(got) > 0 {
			t.Errorf("found %q, want %q", got, code)
		}
		c.Close()
		edge.Close()
	}
}
