package setup

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/revoke/revoketest"
)

// brokenLog is a log that cannot be read.
func brokenLog() *revoketest.Memory {
	m := new(revoketest.Memory)
	m.Fail(errors.New("connection refused"))
	return m
}

// failingLog is the log of one test, which has it fail.
var failingLog = new(revoketest.Memory)

func init() {
	RegisterRevocationLog("failing", func(*struct{}) (revoke.Log, func() error, error) { return failingLog, nil, nil })
	RegisterRevocationLog("memory", func(*struct{}) (revoke.Log, func() error, error) { return new(revoketest.Memory), nil, nil })
	RegisterRevocationLog("broken", func(*struct{}) (revoke.Log, func() error, error) { return brokenLog(), nil, nil })
}

// TestRevocationLog: a token is good until the log says otherwise, and what a log that
// is away means is the file's choice.
func TestRevocationLog(t *testing.T) {
	t.Parallel()
	bearer := bearerOf(token(t, "erin", nil))
	asks := func(s *Setup) int {
		r := httptest.NewRequest("GET", "https://app.example/", nil)
		r.RemoteAddr = "127.0.0.1:1234"
		r.Header.Set(bearer[0], bearer[1])
		w := httptest.NewRecorder()
		httpauth.Authenticate(s.Guard())(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
		return w.Code
	}
	for keys, want := range map[string]int{
		"store: {memory: {}}":                                              200,
		"store: {broken: {}}, late_start: true":                            503,
		"store: {memory: {}}, max_staleness: 1h, when_stale: unavailable":  200,
		"store: {memory: {}}, max_staleness: 1ns, when_stale: unavailable": 503,
		"store: {memory: {}}, max_staleness: 1ns, when_stale: serve":       200,
		"store: {memory: {}}, max_staleness: 1ns, when_stale: refuse":      401,
	} {
		s := openPath(t, configFile(t, minimal+"revocations: {"+keys+"}\n"))
		if got := asks(s); got != want {
			t.Errorf("%s: %d, want %d", keys, got, want)
		}
		if want != 200 {
			continue
		}
		if _, err := s.Revocations().Append(context.Background(), "", revoke.Entry{Subject: "erin", IssuedBefore: time.Now()}); err != nil {
			t.Error(err)
		}
		if got := asks(s); got != 401 {
			t.Errorf("%s, when it is revoked: %d", keys, got)
		}
	}
	const nobody = "realm: reports\nbasic: {htpasswd: users.htpasswd}\nrevocations: {store: {memory: {}}}\n"
	if s, err := Open(configFile(t, nobody), quiet()); err == nil {
		t.Error("a log that is never consulted", s.Close())
	} else if !strings.Contains(err.Error(), ":3:") || !strings.Contains(err.Error(), "the log is never consulted") {
		t.Error(err)
	}
	if s := openPath(t, configFile(t, minimal)); s.Revocations() != nil {
		t.Error("revocations without a log")
	}
}

// lineWriter passes on each line.
type lineWriter chan string

func (w lineWriter) Write(line []byte) (int, error) {
	select {
	case w <- string(line):
	default: // nobody looks any more
	}
	return len(line), nil
}

// TestAToolAsksReadyForRevocations: it has a limit of its own, and wants to know of all
// that does not answer.
func TestAToolAsksReadyForRevocations(t *testing.T) {
	t.Parallel()
	s := openPath(t, configFile(t, minimal+"revocations: {store: {broken: {}}}\n"), WithoutWrites())
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("no answer in time"))
	if err := s.Ready(ctx); err == nil || !strings.Contains(err.Error(), "revocations.store: not ready") {
		t.Error(err)
	}
}

// TestRevocationsThatAreNotReadAreLogged: an outage of the log is an error in the log of
// the setup, once, and so is its end.
func TestRevocationsThatAreNotReadAreLogged(t *testing.T) {
	t.Parallel()
	lines := make(lineWriter, 1000)
	s, err := Open(configFile(t, minimal+"revocations: {store: {failing: {}}, poll_interval: 100ms}\n"), WithLogger(slog.New(slog.NewTextHandler(lines, nil))))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	next := func() string {
		for {
			select {
			case line := <-lines:
				if strings.Contains(line, "revocations") {
					return line
				}
			case <-time.After(30 * time.Second):
				t.Fatal("nothing is logged")
			}
		}
	}
	failingLog.Fail(errors.New("connection refused"))
	if line := next(); !strings.Contains(line, "level=ERROR") || !strings.Contains(line, "connection refused") {
		t.Error(line)
	}
	failingLog.Fail(nil)
	if line := next(); !strings.Contains(line, "level=INFO") {
		t.Error(line)
	}
}

// emptiedLog is the log of one test, which empties it.
var emptiedLog = new(revoketest.Memory)

func init() {
	RegisterRevocationLog("emptied", func(*struct{}) (revoke.Log, func() error, error) { return emptiedLog, nil, nil })
}

// TestSuccessorKeepsRevocations: what a setup knows to be revoked is revoked in the one
// that replaces it, though the log was emptied.
func TestSuccessorKeepsRevocations(t *testing.T) {
	t.Parallel()
	const text = minimal + "revocations: {store: {emptied: {}}}\n"
	old := openPath(t, configFile(t, text))
	gone := revoke.Token{Subject: "erin", IssuedAt: time.Now()}
	if _, err := old.Revocations().Append(context.Background(), "", revoke.Entry{Subject: "erin", IssuedBefore: time.Now()}); err != nil {
		t.Fatal(err)
	}
	emptiedLog.Lose(1)
	next, err := Open(configFile(t, text), quiet(), WithPredecessor(old))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = next.Close() }()
	if revoked, err := next.Revocations().Revoked(context.Background(), gone); !revoked || err != nil {
		t.Errorf("revoked %v, %v", revoked, err)
	}
}

// TestEmptiedFileOfRevocations: a file of revoked tokens that was truncated takes nothing
// back, neither while it is watched nor in a setup that replaces another.
func TestEmptiedFileOfRevocations(t *testing.T) {
	t.Parallel()
	config := configFile(t, minimal+"watch: false\n")
	text := strings.Replace(string(must(os.ReadFile(config))), "bearer:\n", "bearer:\n  revocations: revoked.txt\n", 1)
	list := filepath.Join(filepath.Dir(config), "revoked.txt")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(config, text)
	write(list, "sub erin issued-before=2100-01-01T00:00:00Z\n")
	s := openPath(t, config)
	gone := func(s *Setup, want bool) {
		t.Helper()
		if revoked, err := s.revoked[list].Revoked(context.Background(), revoke.Token{Subject: "erin"}); revoked != want || err != nil {
			t.Errorf("revoked %v, %v", revoked, err)
		}
	}
	gone(s, true)
	write(list, "")
	if err := s.Reload(context.Background()); err == nil || !strings.Contains(err.Error(), list+": the file is empty") {
		t.Error(err)
	}
	gone(s, true)
	if next, err := Open(config, quiet(), WithPredecessor(s)); err == nil {
		t.Error("an emptied file is accepted", next.Close())
	}
	gone(s, true)
	write(list, "# nobody\n")
	next, err := Open(config, quiet(), WithPredecessor(s))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = next.Close() }()
	gone(next, false)
}

// TestLostRevocationsAreLogged: an edit of a file of revoked tokens that takes some back is
// warned of, and no other, also by a setup that replaces another.
func TestLostRevocationsAreLogged(t *testing.T) {
	t.Parallel()
	config := configFile(t, strings.Replace(minimal, "bearer:\n", "bearer:\n  revocations: revoked.txt\n", 1)+"watch: false\n")
	list := filepath.Join(filepath.Dir(config), "revoked.txt")
	soon := time.Now().Add(time.Second)
	expires := "jti c exp=" + soon.UTC().Format(time.RFC3339Nano) + "\n"
	write(t, list, "jti a\njti a\njti b\n"+expires)
	var log bytes.Buffer
	logger := WithLogger(slog.New(slog.NewTextHandler(&log, nil)))
	s := openPath(t, config, logger)
	edit := func(text string, told int) {
		t.Helper()
		write(t, list, text)
		if err := s.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(log.String(), "lost revocations"); n != told {
			t.Errorf("%q: told %d times, want %d:\n%s", text, n, told, &log)
		}
	}
	edit("jti a\njti b\n"+expires, 0)
	time.Sleep(time.Until(soon))
	edit("jti a\njti b\n", 0) // without what has expired
	edit("jti a\n", 1)
	edit("jti d\n# a\n", 1)
	edit("jti d\njti e", 1)
	write(t, list, "jti d\n")
	s = openPath(t, config, logger, WithPredecessor(s))
	edit("jti d\n", 2)
	edit("#\n", 3)
}

// TestRevocationsOfOpaqueTokens: a token that its issuer calls active is 401 when this
// service has revoked it, in its file or in the log, alone and beside JSON Web Tokens.
func TestRevocationsOfOpaqueTokens(t *testing.T) {
	t.Parallel()
	issuer := echoes(t)
	for _, jwts := range []string{"", "  issuer: https://idp.example\n  audience: reports\n  jwks: jwks.json\n"} {
		config := configFile(t, "realm: reports\nbearer:\n"+jwts+"  revocations: revoked.txt\n"+
			"  introspection: {endpoint: '"+issuer+"', client: reports, secret: {file: names.key}, any_audience: true}\n"+
			"policy: {model: model.conf, files: policy.csv}\nrevocations: {store: {memory: {}}}\n")
		write(t, filepath.Join(filepath.Dir(config), "revoked.txt"), "jti stolen\n")
		s := openPath(t, config)
		stolen := opaqueToken(map[string]any{"sub": "erin", "jti": "stolen"})
		fresh := opaqueToken(map[string]any{"sub": "erin", "jti": "fresh"})
		wants(t, s.Guard(), 401, "GET", "/reports", stolen...)
		wants(t, s.Guard(), 200, "GET", "/reports", fresh...)
		if _, err := s.Revocations().Append(context.Background(), "", revoke.Entry{Subject: "erin", IssuedBefore: time.Now()}); err != nil {
			t.Fatal(err)
		}
		wants(t, s.Guard(), 401, "GET", "/reports", fresh...)
		if jwts != "" {
			wants(t, s.Guard(), 401, "GET", "/reports", bearerOf(token(t, "erin", nil))...)
		}
	}
}
