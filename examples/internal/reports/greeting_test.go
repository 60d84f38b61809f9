package reports_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/rule"
	"github.com/sallyport-go/sallyport/examples/internal/reports"
	"github.com/sallyport-go/sallyport/examples/internal/scenariotest"
)

// TestMain lets the test binary stand in for curl, under that name, on machines
// that have none.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "curl" {
		if err := curl(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// curl sends a request as curl does for the options in the printed lines.
func curl(args []string) error {
	flags := flag.NewFlagSet("curl", flag.ContinueOnError)
	_ = flags.Bool("i", false, "")
	method := flags.String("X", http.MethodGet, "")
	header := flags.String("H", "", "")
	user := flags.String("u", "", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	req, err := http.NewRequest(*method, flags.Arg(0), nil)
	if err != nil {
		return err
	}
	if name, value, ok := strings.Cut(*header, ": "); ok {
		req.Header.Set(name, value)
	}
	if name, password, ok := strings.Cut(*user, ":"); ok {
		req.SetBasicAuth(name, password)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	fmt.Println(resp.Proto, resp.Status)
	return resp.Body.Close()
}

// curlPath is the PATH for a shell that is to find curl.
func curlPath(t *testing.T) string {
	t.Helper()
	path := os.Getenv("PATH")
	if _, err := exec.LookPath("curl"); err == nil {
		return path
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "curl")); err != nil {
		t.Fatal(err)
	}
	return dir + string(filepath.ListSeparator) + path
}

// mux serves the routes that the printed lines ask for.
func mux(s *reports.Service) reports.Server {
	m := http.NewServeMux()
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	m.Handle("/", httpauth.Authorize(s.Guard)(ok))
	m.Handle("/admin/reports", httpauth.Require(s.Guard, rule.Role("admin"))(ok))
	m.Handle("/insights", httpauth.Require(s.Guard, s.ProPlan)(ok))
	m.Handle("/notes", httpauth.Require(s.Guard, s.ActiveAccount)(ok))
	return reports.HTTPServer(m)
}

// TestPrintedLines pastes every printed line into a shell and compares the
// status with the one announced above it.
func TestPrintedLines(t *testing.T) {
	url, printed := scenariotest.Start(t, mux, "-addr", "127.0.0.1:0")
	path := curlPath(t)
	found := regexp.MustCompile(`(?m)^(.*) answers (\d+)\n(curl .*)$`).FindAllStringSubmatch(printed, -1)
	for _, m := range found {
		about, status, line := m[1], m[2], m[3]
		if !strings.Contains(line, url) {
			t.Errorf("%s: %s does not ask %s", about, line, url)
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
		cmd.Env = append(os.Environ(), "PATH="+path, "NO_PROXY=*", "no_proxy=*")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if !strings.HasPrefix(string(out), "HTTP/1.1 "+status+" ") {
			t.Errorf("%s: want %s, got:\n%s", about, status, out)
		}
	}
	for _, name := range []string{"Nobody", "alice,", "erin,", "victor,", "sam,", "pam,"} {
		if !strings.Contains(printed, "\n"+name) && !strings.HasPrefix(printed, name) {
			t.Errorf("no line for %s", name)
		}
	}
	if lines := strings.Count(printed, "curl "); len(found) != lines {
		t.Errorf("%d of %d lines say what to expect:\n%s", len(found), lines, printed)
	}
}
