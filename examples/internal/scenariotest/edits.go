package scenariotest

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/apikey"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
	"github.com/sallyport-go/sallyport/examples/policy"
	"github.com/sallyport-go/sallyport/examples/shared/issuer"
)

// live is a running server whose log is read.
type live struct {
	t     *testing.T
	url   string
	lines <-chan string
}

// runLive starts a server that ends, without an error, with the test.
func runLive(t *testing.T, build Build, args ...string) *live {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out, stdout := io.Pipe()
	logged, log := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- demo.Run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), stdout, log, build)
		_, _ = stdout.Close(), log.Close()
	}()
	guard := time.AfterFunc(authtest.TimeLimit(time.Minute), stop)
	lines := make(chan string, 1000)
	go func() {
		for events := bufio.NewScanner(logged); events.Scan(); {
			lines <- events.Text()
		}
		close(lines)
	}()
	t.Cleanup(func() {
		guard.Stop()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	l := &live{t: t, lines: lines}
	for printed := bufio.NewScanner(out); l.url == "" && printed.Scan(); {
		if url, ok := strings.CutPrefix(printed.Text(), "listening on "); ok {
			l.url = url
		}
	}
	return l
}

// await waits for a line of the log with all of the texts in it.
func (l *live) await(texts ...string) {
	l.t.Helper()
	for line := range l.lines {
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) {
			return
		}
	}
	l.t.Fatalf("the log never said %q", texts)
}

// ask sends a request with one header field and compares the status.
func (l *live) ask(status int, name, value string) {
	l.t.Helper()
	req, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet, l.url+"/reports", nil)
	if err != nil {
		l.t.Fatal(err)
	}
	req.Header.Set(name, value)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	if _ = resp.Body.Close(); resp.StatusCode != status {
		l.t.Errorf("%s %.20s…: status %d, want %d", name, value, resp.StatusCode, status)
	}
}

func hangup(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("not run: there is no SIGHUP on Windows")
	}
	own, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := own.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// victor are credentials by password.
const victor = "Basic dmljdG9yOnZpY3Rvci1wYXNz"

// policyEdits edits the policy of a running server: by the watched
// file and by SIGHUP, good and broken.
func policyEdits(t *testing.T, build Build) {
	dir := t.TempDir()
	for _, name := range []string{policy.Model, policy.Rules} {
		write(t, filepath.Join(dir, name), builtIn(t, name))
	}
	good, rules := builtIn(t, policy.Rules), filepath.Join(dir, policy.Rules)
	l := runLive(t, build, "-policy", dir)

	l.ask(http.StatusOK, "Authorization", victor)
	write(t, rules, strings.Replace(good, "g, victor, viewer", "", 1))
	l.await("policy loaded")
	l.ask(http.StatusForbidden, "Authorization", victor)
	write(t, rules, good+"p, victor, /x\n")
	l.await("policy rejected")
	l.ask(http.StatusForbidden, "Authorization", victor)
	hangup(t)
	l.await("policy rejected")
	write(t, rules, good)
	l.await("policy loaded")
	l.ask(http.StatusOK, "Authorization", victor)
}

func builtIn(t *testing.T, name string) string {
	t.Helper()
	text, err := policy.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// credentialEdits edits each file that credentials are checked
// with: first so that those of the test are gone, then so that it is broken.
func credentialEdits(t *testing.T, build Build) {
	key, id, hash := apikey.Generate()
	keys, err := apikey.Append("keys", nil, apikey.Info{ID: id, Hash: hash, Owner: "victor"})
	if err != nil {
		t.Fatal(err)
	}
	revoked, err := apikey.Revoke("keys", keys, time.Now(), "", id)
	if err != nil {
		t.Fatal(err)
	}
	own, token := newIssuer(t)
	other, _ := newIssuer(t)
	for _, c := range []struct {
		flag          string
		more          []string
		before, after string // the file
		name, value   string // the header field
	}{
		{"-users", nil, cheap, strings.Replace(cheap, "victor:", "vera:", 1), "Authorization", victor},
		{"-apikeys", nil, string(keys), string(revoked), "X-API-Key", key},
		{"-jwks", []string{"-issuer", "https://issuer.example", "-audience", "reports"}, own, other, "Authorization", "Bearer " + token},
	} {
		t.Run(c.flag[1:], func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "file")
			write(t, file, c.before)
			l := runLive(t, build, append(c.more, c.flag, file)...)
			l.await("file loaded", file)
			l.ask(http.StatusOK, c.name, c.value)
			l.ask(http.StatusOK, c.name, c.value) // as remembered, perhaps
			write(t, file, c.after)
			l.await("file loaded", file)
			l.ask(http.StatusUnauthorized, c.name, c.value)
			write(t, file, "broken")
			l.await("file rejected", file)
			hangup(t)
			l.await("file rejected", file)
			l.ask(http.StatusUnauthorized, c.name, c.value)
			write(t, file, c.before)
			hangup(t)
			l.await("file loaded", file)
			l.ask(http.StatusOK, c.name, c.value)
		})
	}
}

// newIssuer is the key set of a new issuer, and a token of victor's.
func newIssuer(t *testing.T) (set, token string) {
	t.Helper()
	own, err := issuer.New("https://issuer.example", "reports")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := own.KeySet()
	if err != nil {
		t.Fatal(err)
	}
	if token, err = own.Token("victor", time.Hour, nil); err != nil {
		t.Fatal(err)
	}
	return string(keys), token
}
