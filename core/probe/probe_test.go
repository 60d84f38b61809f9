package probe_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/probe"
)

// site is a service that does everything right, with what is to go wrong on top.
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

func run(t *testing.T, h http.Handler, s probe.Settings) *probe.Report {
	t.Helper()
	srv := httptest.NewServer(h)
	defer srv.Close()
	c, err := probe.NewClient(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s.Host = strings.TrimPrefix(srv.URL, "http://")
	r, err := probe.Run(t.Context(), s, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
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
