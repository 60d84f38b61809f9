package operate

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// serviceWith is one in which viewers get what the policy below denies, with more faults if
// wrong.
func serviceWith(t *testing.T, wrong bool) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := 404
		who := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		known := who == "erin-secret" || who == "victor-secret"
		switch {
		case r.URL.Path == "/v1/health":
			status = 200
		case r.URL.Path == "/v1/reports" || r.URL.Path == "/v1/reports/1":
			status = 200
			if !known {
				status = 401
			} else if r.Method != "GET" && r.Method != "HEAD" && who != "erin-secret" {
				status = 403
			}
		case r.RequestURI == "/v1/reports/" && wrong:
			status = 200
		}
		if status == 401 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="api"`)
		}
		if status > 400 {
			w.Header().Set("Cache-Control", "no-store")
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, map[int]string{200: "here", 401: "who are you?", 403: "no", 404: "what?"}[status])
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/v1"
}

const probeRoutes = `[{"method": "GET", "pattern": "/health"}, {"method": "GET", "pattern": "/reports"},
	{"method": "PATCH", "pattern": "/reports/:id"}, {"method": "GET", "pattern": "/reports/:id", "path": "/reports/1"}]`

var probeAs = []string{"--as", "erin=Authorization: Bearer erin-secret", "--as", "victor=Authorization: Bearer victor-secret"}

func TestProbe(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy, "routes.json": probeRoutes})
	all := func(url string, more ...string) []string {
		args := append([]string{"probe", url, "--routes", "DIR/routes.json", "-p", "DIR", "--public", "/health"}, probeAs...)
		return append(args, more...)
	}
	if got := run(t, dir, "", all(serviceWith(t, false))...); got.Code != exitOK || got.Stderr != "" ||
		!strings.Contains(got.Stdout, "GET /v1/reports    401        200   200\n") || !strings.Contains(got.Stdout, "\n0 findings in ") {
		t.Errorf("a correct service: %+v", got)
	}
	if got := run(t, dir, "", all(serviceWith(t, false), "--write", "PATCH /reports/*")...); got.Code != exitOK ||
		!strings.Contains(got.Stdout, "PATCH /v1/reports/1  401        200   403\n") {
		t.Errorf("with consent to PATCH: %+v", got)
	}
	url := serviceWith(t, true)
	got := run(t, dir, "", all(url, "--format", "json", "--write-baseline", filepath.Join(dir, "known.json"))...)
	var doc struct {
		Requests int
		Findings []map[string]any
		Notes    []string
	}
	if err := json.Unmarshal([]byte(got.Stdout), &doc); err != nil || got.Code != exitOK || doc.Requests < 100 || len(doc.Findings) != 1 {
		t.Fatalf("%v, %+v", err, got)
	}
	for name, want := range map[string]any{
		"code": "spelling_bypass", "method": "GET", "path": "/v1/reports/", "as": "anonymous", "got": "200", "want": "401, as for GET /v1/reports",
		"curl": "curl -i --path-as-is '" + url + "/reports/'",
	} {
		if doc.Findings[0][name] != want {
			t.Errorf("%s is %v, want %v", name, doc.Findings[0][name], want)
		}
	}
	if got := run(t, dir, "", all(url)...); got.Code != exitFindings || !strings.Contains(got.Stdout, "spelling_bypass  GET /v1/reports/ as anonymous\n    got 200, want 401, as for") {
		t.Errorf("a faulty service: %+v", got)
	}
	if got := run(t, dir, "", all(url, "--baseline", "DIR/known.json", "-o", "DIR/out.txt")...); got.Code != exitOK || got.Stdout != "" || !strings.Contains(got.Stderr, "1 finding in") {
		t.Errorf("with a baseline: %+v", got)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "out.txt")); err != nil || !strings.Contains(string(text), "spelling_bypass (known)") {
		t.Errorf("-o wrote %q, %v", text, err)
	}
}

func TestProbeOfNothingIsNoPass(t *testing.T) {
	dir := write(t, map[string]string{"routes.json": `[{"method": "GET", "pattern": "/nowhere"}]`})
	for _, routes := range [][]string{nil, {"--routes", "DIR/routes.json"}} {
		got := run(t, dir, "", append([]string{"probe", serviceWith(t, false)}, routes...)...)
		if got.Code != exitUsage || !strings.Contains(got.Stdout, "was not evaluated: it answers 404\n") || !strings.Contains(got.Stderr, "no answer could be evaluated") {
			t.Errorf("%q: %+v", routes, got)
		}
	}
}

func TestProbeTakesRoutesFromThePolicy(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy})
	got := run(t, dir, "", append([]string{"probe", "--dry-run", "-p", "DIR", "http://127.0.0.1:1"}, probeAs...)...)
	if got.Code != exitOK || !strings.Contains(got.Stdout, "plain: GET /reports as erin\n") || strings.Contains(got.Stdout, "secret") || strings.Contains(got.Stdout, "PATCH") {
		t.Errorf("%+v", got)
	}
}

func TestProbeLogin(t *testing.T) {
	tells := false
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if r.URL.Path != "/v1/login" || err != nil {
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="api"`)
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusUnauthorized)
		if tells && strings.HasPrefix(string(body), `{"email": "erin@example.com", "password": "probe-`) {
			_, _ = io.WriteString(w, "once more?")
		}
	}))
	defer srv.Close()
	args := []string{"probe", "--public", "/", "--login", `POST /login {"email": "{account}", "password": "{password}"}`, "--account", "erin@example.com", srv.URL + "/v1"}
	dir := t.TempDir()
	got := run(t, dir, "", append(args, "--dry-run")...)
	if got.Code != exitOK || strings.Count(got.Stdout, "account: POST /v1/login as wrong password (erin@example.com)\n") != 4 ||
		!strings.Contains(got.Stdout, "\nwrong passwords for the account erin@example.com: 4 at most\n") {
		t.Errorf("the plan: %+v", got)
	}
	if got := run(t, dir, "", args...); got.Code != exitOK || !strings.Contains(got.Stdout, "\n0 findings in ") {
		t.Errorf("a correct login: %+v", got)
	}
	tells = true
	if got := run(t, dir, "", args...); got.Code != exitFindings || !strings.Contains(got.Stdout, `user_enumeration  POST /v1/login as wrong password
    got 401 "once more?" for erin@example.com, want 401 "", as for an account that does not exist
`) {
		t.Errorf("a login that reveals users: %+v", got)
	}
}

func TestProbeVerdicts(t *testing.T) {
	// Only root may see /books, and the service requires no role.
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": "p, root, /books, GET\np, root, /*, GET\ng, rita, root\n"})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Key") == "" {
			w.Header().Set("WWW-Authenticate", `APIKey realm="x"`)
			w.Header().Set("Cache-Control", "no-store")
			w.WriteHeader(401)
		}
	}))
	defer srv.Close()
	got := run(t, dir, "", "probe", "-p", "DIR", "--format", "json", "--as", "root=X-Key: a", "--as", "rita=X-Key: b", "--as", "vic=X-Key: c", "--as", "sam:root=X-Key: d", srv.URL)
	var doc struct {
		Findings []struct{ Code, Path, As string }
	}
	if err := json.Unmarshal([]byte(got.Stdout), &doc); err != nil {
		t.Fatal(err, got)
	}
	// The line for all paths gives no verdict for /sample.
	var denied []string
	for _, f := range doc.Findings {
		if f.Code == "allowed_though_denied" {
			denied = append(denied, f.As+" "+f.Path)
		}
	}
	if !slices.Equal(denied, []string{"vic /books"}) {
		t.Errorf("allowed though denied: %q", denied)
	}
}

func TestProbeUsage(t *testing.T) {
	dir := write(t, map[string]string{"routes.json": probeRoutes, "path.json": `[{"method":"GET","pattern":"/x","path":"y"}]`})
	for _, c := range []struct {
		stderr string
		args   []string
	}{
		{"probe wants the URL of the service, and got none\n", []string{"probe"}},
		{"example.com is not this machine: if you may probe it, name it a second time with --host example.com\n", []string{"probe", "https://example.com"}},
		{"10.0.0.1 is not this machine", []string{"probe", "--direct", "http://10.0.0.1", "http://127.0.0.1:1"}},
		{"the address is not the URL of a service", []string{"probe", "ftp://x"}},
		{"leave query, fragment and user out", []string{"probe", "http://a:b@127.0.0.1:1"}},
		{"--as erin: write NAME='Header: value'", []string{"probe", "--as", "erin", "http://127.0.0.1:1"}},
		{"--as erin: write NAME='Header: value'", []string{"probe", "--as", "erin=Bearer x", "http://127.0.0.1:1"}},
		{"--as erin: the header is not one that can be sent", []string{"probe", "--as", "erin=A B: x", "http://127.0.0.1:1"}},
		{"--as anonymous: requests without credentials are made anyway", []string{"probe", "--as", "anonymous=A: x", "http://127.0.0.1:1"}},
		{"--bad erin: --as and --bad have the same name", []string{"probe", "--as", "erin=A: x", "--bad", "erin=A: x", "http://127.0.0.1:1"}},
		{"--as: a value does not begin with a name", []string{"probe", "--as", "Authorization: Basic ZXJpbjplcmluLXBhc3M=", "http://127.0.0.1:1"}},
		{"--as: a value does not begin with a name", []string{"probe", "--as", "Authorization: Bearer not-a-name", "http://127.0.0.1:1"}},
		{"--login POST login: the path must begin with /; write 'METHOD PATH', or 'METHOD PATH BODY'", []string{"probe", "--login", "POST login", "--account", "erin", "http://127.0.0.1:1"}},
		{"--login POST /login: name an account that exists", []string{"probe", "--login", "POST /login", "http://127.0.0.1:1"}},
		{"--login POST /login: the body must contain {account}", []string{"probe", "--login", "POST /login a=erin", "--account", "erin", "http://127.0.0.1:1"}},
		{"--write PATCH: name a method and a pattern", []string{"probe", "--write", "PATCH", "http://127.0.0.1:1"}},
		{"--rate -1: give a number", []string{"probe", "--rate", "-1", "http://127.0.0.1:1"}},
		{"--timeout 0s: give how long", []string{"probe", "--timeout", "0s", "http://127.0.0.1:1"}},
		{"route 1: path \"y\" does not begin with /", []string{"probe", "--routes", "DIR/path.json", "http://127.0.0.1:1"}},
		{"there is no format \"yaml\"", []string{"probe", "--format", "yaml", "http://127.0.0.1:1"}},
		{"read baseline: open", []string{"probe", "--baseline", "DIR/no.json", "http://127.0.0.1:1"}},
		{"the service does not answer: dial tcp 127.0.0.1:1: ", []string{"probe", "http://127.0.0.1:1"}},
	} {
		expect(t, dir, "", exitUsage, "", c.stderr, c.args...)
	}
}
