package telemetry

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/setup"
)

// written writes the files of a guard that lets reports be read, and opens it.
func written(t *testing.T, more string, opts ...setup.Option) (*setup.Setup, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"sallyport.yaml": more,
		"policy.csv":     "p, ann, /reports/*, GET\n",
		"users.htpasswd": "ann:$2a$10$vJQ1dvoGOYxQIWBa3nFA.OPzTDx77/PpDgK3B2j0xALqsYFtoDY2i\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	opts = append([]setup.Option{setup.WithLogger(slog.New(slog.DiscardHandler))}, opts...)
	s, err := setup.Open(filepath.Join(dir, "sallyport.yaml"), opts...)
	if err == nil {
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return s, err
}

const guarded = `realm: reports
basic: {htpasswd: users.htpasswd}
proxies: {trusted: 127.0.0.1/32}
policy: {model: rbac, files: policy.csv}
serve: {proxy: caddy}
`

// handler is that of a guard with these observers.
func handler(t *testing.T, observers string) http.Handler {
	t.Helper()
	s, err := written(t, guarded+"observers:\n"+observers)
	if err != nil {
		t.Fatal(err)
	}
	h, err := s.Handler()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestMetricsNeedNoProxy(t *testing.T) {
	const guarded = "realm: reports\nbasic: {htpasswd: users.htpasswd}\n"
	for observers, want := range map[string]int{
		"": 404, "observers: [opentelemetry: {}]\n": 404,
		"observers: [prometheus: {scrapers: 192.0.2.0/24}]\n": 404, "observers: [prometheus: {}]\n": 200,
	} {
		s, err := written(t, guarded+observers)
		if err != nil {
			t.Fatal(err)
		}
		if got := get(s.Metrics(), "127.0.0.1:1", "/anywhere").StatusCode; got != want {
			t.Errorf("%q: got %d, want %d", observers, got, want)
		}
	}
}

// get asks h from an address.
func get(h http.Handler, from, path string, header ...string) *http.Response {
	r := httptest.NewRequest("GET", path, nil)
	r.RemoteAddr = from
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestMetricsOfAService(t *testing.T) {
	t.Parallel()
	h := handler(t, "  - prometheus: {}\n")
	refused := get(h, "127.0.0.1:1", "/check", "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/reports/1", "X-Forwarded-Host", "a.example", "X-Forwarded-Proto", "https")
	if refused.StatusCode != 401 {
		t.Fatalf("got %s", refused.Status)
	}
	page := get(h, "127.0.0.1:1", "/metrics")
	text, err := io.ReadAll(page.Body)
	if err != nil || page.StatusCode != 200 {
		t.Fatalf("got %s, %v", page.Status, err)
	}
	for _, want := range []string{
		`sallyport_requests_total{sallyport_outcome="unauthenticated"} 1`,
		`sallyport_refusals_total{http_route="",sallyport_outcome="unauthenticated",sallyport_reason="no_credentials",sallyport_rule="",sallyport_scheme=""} 1`,
		`sallyport_challenges_total{sallyport_scheme="Basic"} 1`,
		`sallyport_policy_rules{sallyport_policy_name="reports"} 1`,
		`sallyport_policy_outdated_seconds{sallyport_policy_name="reports"} 0`,
	} {
		if !strings.Contains(string(text), want+"\n") {
			t.Errorf("the page lacks %s:\n%s", want, text)
		}
	}
}

// TestReloadsAreLoggedAndCounted: an observer of reloads takes the place of the log
// unless that is named, too.
func TestReloadsAreLoggedAndCounted(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	s, err := written(t, guarded+"watch: false\nobservers: [{prometheus: {}}]\n", setup.WithLogger(slog.New(slog.NewTextHandler(&lines, nil))))
	if err != nil {
		t.Fatal(err)
	}
	h, err := s.Handler()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.Policy().Version().Files[1], []byte("p, ann\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(t.Context()); err == nil {
		t.Fatal("a broken policy is loaded")
	}
	text, err := io.ReadAll(get(h, "127.0.0.1:1", "/metrics").Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`sallyport_policy_reloads_total{sallyport_policy_name="reports",sallyport_result="rejected"} 1`, `sallyport_policy_outdated_seconds{sallyport_policy_name="reports"} `} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page lacks %s:\n%s", want, text)
		}
	}
	if !strings.Contains(lines.String(), "policy rejected") {
		t.Errorf("the log lacks the rejected policy:\n%s", &lines)
	}
}

func TestWhoMayScrape(t *testing.T) {
	t.Parallel()
	own, others := handler(t, "  - prometheus: {}\n"), handler(t, "  - prometheus: {scrapers: 10.1.0.0/16}\n")
	for _, tt := range []struct {
		h      http.Handler
		from   string
		status int
	}{
		{own, "127.0.0.1:1", 200}, {own, "[::1]:1", 200}, {own, "[::ffff:127.0.0.1]:1", 200}, {own, "10.1.2.3:1", 404}, {own, "@", 404},
		{others, "10.1.2.3:1", 200}, {others, "127.0.0.1:1", 404}, {others, "10.2.0.1:1", 404},
	} {
		if got := get(tt.h, tt.from, "/metrics").StatusCode; got != tt.status {
			t.Errorf("%s gets %d, want %d", tt.from, got, tt.status)
		}
	}
	if got := get(handler(t, "  - opentelemetry: {}\n"), "127.0.0.1:1", "/metrics").StatusCode; got != 404 {
		t.Errorf("without a page: %d", got)
	}
}

func TestSettingsThatCannotWork(t *testing.T) {
	t.Parallel()
	for observers, want := range map[string]string{
		"  - prometheus: {max_series: 1}\n":            "max series 1",
		"  - prometheus: {scrapers: here}\n":           "here",
		"  - prometheus: {}\n  - opentelemetry: {}\n":  "two observers that measure",
		"  - opentelemetry: {scrapers: 127.0.0.0/8}\n": "scrapers",
	} {
		if _, err := written(t, guarded+"observers:\n"+observers); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", observers, err)
		}
	}
}

// TestDocumentedFiles opens each configuration file with such an observer that the
// page shows, and holds its table of keys.
func TestDocumentedFiles(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?ms)^```yaml sallyport-telemetry\n(.*?)^```$").FindAllStringSubmatch(string(text), -1)
	if len(found) == 0 {
		t.Error("the page shows no file")
	}
	for _, b := range found {
		if _, err := written(t, b[1]); err != nil {
			t.Error(err)
		}
	}
	for _, key := range []string{"scrapers", "max_series"} {
		if !strings.Contains(string(text), fmt.Sprintf("| `%s` |", key)) {
			t.Errorf("the page lacks %q", key)
		}
	}
}
