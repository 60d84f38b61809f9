package operate

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const (
	refusedLine = "level=WARN msg=access outcome=unauthenticated status=401 reason=not_yet_valid gate=authorize method=GET route=/reports/:id scheme=Bearer\n"
	allowedLine = "level=INFO msg=access outcome=allowed status=200 reason=allowed gate=authorize method=GET route=/reports/:id scheme=Bearer principal=ann\n"
	diagnosis   = "identity: 1 of 2 requests are 401, reason not_yet_valid at /reports/:id with Bearer\n    look at: the issuer's clock is ahead\n" +
		"    runbook: https://github.com/sallyport-go/sallyport/blob/main/docs/observability/README.md#sallyportidentityburst\n"
)

func TestDoctorReadsALog(t *testing.T) {
	dir := write(t, map[string]string{"broken.log": allowedLine + refusedLine, "well.log": allowedLine, "other.log": "hello\n"})
	expect(t, dir, "", 1, diagnosis, "", "doctor", "DIR/broken.log")
	expect(t, dir, allowedLine+refusedLine, 1, diagnosis, "", "doctor", "-")
	expect(t, dir, "", 0, "nothing is broken: 1 of 1 requests were allowed, and no kind of refusal is frequent\n", "", "doctor", "DIR/well.log")
	expect(t, dir, "", 2, "", "has no line of core.LogObserver", "doctor", "DIR/other.log")
	expect(t, dir, "", 2, "", "no such file", "doctor", "DIR/none.log")
	expect(t, dir, "", 2, "", "--during is for a URL", "doctor", "--during", "1s", "DIR/well.log")
	expect(t, dir, "", 2, "", "doctor wants a log, ", "doctor")
	expect(t, dir, refusedLine, 1, `{
  "requests": 1,
  "allowed": 0,
  "lines": 1,
  "findings": [
    {
      "plumbing": "identity",
      "alert": "SallyportIdentityBurst",
      "seen": "1 of 1 requests are 401, reason not_yet_valid at /reports/:id with Bearer",
      "look": "the issuer's clock is ahead",
      "count": 1
    }
  ]
}
`, "", "doctor", "--format", "json", "-")
	expect(t, dir, allowedLine, 0, "{\n  \"requests\": 1,\n  \"allowed\": 1,\n  \"lines\": 1,\n  \"findings\": []\n}\n", "", "doctor", "--format", "json", "-")
}

// Control characters in a log do not reach the terminal.
func TestDoctorPrintsNoControlCharacters(t *testing.T) {
	line := strings.Replace(refusedLine, "route=/reports/:id", `route="/\u001b[2J\nall is well"`, 1)
	if got := run(t, t.TempDir(), line, "doctor", "-"); strings.Contains(got.Stdout, "\x1b") || strings.Count(got.Stdout, "\n") != 3 {
		t.Errorf("got %q", got.Stdout)
	}
}

// Unreadable input is an error, or is counted if some lines can be read.
func TestDoctorReportsUnreadableInput(t *testing.T) {
	dir := write(t, map[string]string{
		"foreign.json": `{"level":"info","msg":"served","status":403}` + "\n" + `["access"]` + "\n" + `{"msg":"access","outcome":"success","gate":"north"}` + "\n",
		"binary":       "\x7fELF\x00\x01access\x00\n\x00\x00",
		"half.log":     allowedLine + refusedLine + `{"level":"WARN","msg":"access","outcome":"forbid`,
		"zstd.log":     "\x28\xb5\x2f\xfd\x00\x00", "utf16.log": "\xff\xfem\x00s\x00g\x00", "cut.gz": "\x1f\x8b\x08\x00\x00\x00",
		"empty.log": "",
	})
	for name, want := range map[string]string{
		"foreign.json": "has no line of core.LogObserver, which have msg=access, among 3 lines",
		"binary":       "among 2 lines, of which 2 not read (not text)", "zstd.log": "zstd.log: reading the log: it is compressed (zstd)",
		"utf16.log": "it is UTF-16: convert it to UTF-8", "cut.gz": "cut.gz: reading the log: unexpected EOF", "empty.log": "among 0 lines",
	} {
		expect(t, dir, "", 2, "", want, "doctor", "DIR/"+name)
	}
	expect(t, dir, "", 1, "note: 3 lines, of which 1 not read (cut off or broken)\n"+diagnosis, "", "doctor", "DIR/half.log")
	for page, want := range map[string]string{
		"<html>sign in</html>": "not in Prometheus's text format", `{"status":"ok"}`: "not in Prometheus's text format", "up 1\n": "no sallyport_requests_total",
		"# TYPE sallyport_requests_total counter\nsallyport_requests_total{sallyport_outcome=\"all": "not in Prometheus's text format",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, page) })) // the client has disconnected
		if got := run(t, t.TempDir(), "", "doctor", server.URL); got.Code != 2 || !strings.Contains(got.Stderr, server.URL) || !strings.Contains(got.Stderr, want) {
			t.Errorf("%q: %+v", page, got)
		}
		server.Close()
	}
}

func TestDoctorAsksForMetrics(t *testing.T) {
	page := "# TYPE sallyport_requests_total counter\nsallyport_requests_total{sallyport_outcome=\"allowed\"} 3\n" +
		"# TYPE sallyport_refusals_total counter\nsallyport_refusals_total{http_route=\"/x\",sallyport_outcome=\"unavailable\",sallyport_reason=\"dependency_unavailable\",sallyport_rule=\"\",sallyport_scheme=\"Session\"} 1\n"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/metrics":
		case "/moved":
			http.Redirect(w, r, "/metrics", http.StatusFound)
			return
		case "/away":
			http.Redirect(w, r, "http://metrics.invalid/metrics", http.StatusFound)
			return
		default:
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, page) // the client has disconnected
	}))
	defer server.Close()
	if got := run(t, t.TempDir(), "", "doctor", server.URL+"/metrics"); got.Code != 1 || !strings.HasPrefix(got.Stdout, "dependency: 1 of 4 requests are 503, ") {
		t.Errorf("got %+v", got)
	}
	if got := run(t, t.TempDir(), "", "doctor", "--during", "1ms", server.URL+"/metrics"); got.Code != 2 || !strings.Contains(got.Stderr, "no request was counted") {
		t.Errorf("without new requests: %+v", got)
	}
	if got := run(t, t.TempDir(), "", "doctor", server.URL+"/moved"); got.Code != 1 {
		t.Errorf("moved: %+v", got)
	}
	if got := run(t, t.TempDir(), "", "doctor", server.URL+"/away"); got.Code != 2 || !strings.Contains(got.Stderr, "it redirects to http://metrics.invalid/metrics: give that address") {
		t.Errorf("at another host: %+v", got)
	}
	if got := run(t, t.TempDir(), "", "doctor", server.URL); got.Code != 2 || !strings.Contains(got.Stderr, "404") {
		t.Errorf("at another page: %+v", got)
	}
	secret := strings.Replace(server.URL, "http://", "http://scraper:pass-word@", 1)
	if got := run(t, t.TempDir(), "", "doctor", secret); got.Code != 2 || !strings.Contains(got.Stderr, "404") || strings.Contains(got.Stderr, "pass-word") {
		t.Errorf("with a password: %+v", got)
	}
}
