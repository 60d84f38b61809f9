package reports_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/examples/internal/reports"
	"github.com/sallyport-go/sallyport/examples/internal/scenariotest"
)

// server answers every path under the policy.
func server(s *reports.Service) reports.Server {
	return reports.HTTPServer(httpauth.Authorize(s.Guard)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, httpauth.Principal(r).ID())
	})))
}

func run(t *testing.T, args ...string) (stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // a server that starts all the same stops at once
	var log strings.Builder
	err = reports.Run(ctx, args, io.Discard, &log, server)
	return log.String(), err
}

func TestStartErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	users := write("users", "alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n")
	rules := write("rules.csv", "p, alice, /*, GET, allow\n")
	keys := write("keys", `{"keys":[]}`)
	secret := write("secret", `{"keys":[{"kty":"oct","kid":"a","alg":"HS256","k":"c2hvcnQ"}]}`)
	passwords := write("htdigest", "erin:reports:939e7578ed9e3c518a452acee763bce9939e7578ed9e3c518a452acee763bce9\n")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for _, c := range []struct {
		name string
		args []string
		want string // part of the error
	}{
		{"unknown flag", []string{"-port", "80"}, "-help"},
		{"argument", []string{"serve"}, `"serve"`},
		{"jwks alone", []string{"-jwks", keys}, "-issuer and -audience"},
		{"jwks without issuer", []string{"-jwks", keys, "-audience", "a"}, "-issuer and -audience"},
		{"jwks without audience", []string{"-jwks", keys, "-issuer", "a"}, "-issuer and -audience"},
		{"jwks empty", []string{"-jwks", keys, "-issuer", "a", "-audience", "a"}, "empty"},
		{"jwks over plain HTTP", []string{"-jwks", "http://keys.example/jwks", "-issuer", "a", "-audience", "a"}, "https"},
		{"introspect alone", []string{"-introspect", "https://a.example"}, "-introspect needs -issuer and -audience"},
		{"introspect without a client", []string{"-introspect", "https://a.example", "-issuer", "a", "-audience", "a"}, "-introspect-id and -introspect-secret"},
		{"introspect without a secret", []string{"-introspect", "https://a.example", "-issuer", "a", "-audience", "a", "-introspect-id", "a"}, "-introspect-secret"},
		{"secret missing", []string{"-introspect", "https://a.example", "-issuer", "a", "-audience", "a", "-introspect-id", "a", "-introspect-secret", filepath.Join(dir, "none")}, "none"},
		{"secret empty", []string{"-introspect", "https://a.example", "-issuer", "a", "-audience", "a", "-introspect-id", "a", "-introspect-secret", write("empty", "\n")}, "secret"},
		{"introspect over plain HTTP", []string{"-introspect", "http://a.example", "-issuer", "a", "-audience", "a", "-introspect-id", "a", "-introspect-secret", keys}, "https"},
		{"client without introspect", []string{"-introspect-id", "a"}, "for -introspect"},
		{"jwks weak", []string{"-jwks", secret, "-issuer", "a", "-audience", "a"}, "secret"},
		{"jwks missing", []string{"-jwks", filepath.Join(dir, "none"), "-issuer", "a", "-audience", "a"}, "none"},
		{"policy missing", []string{"-policy", filepath.Join(dir, "none")}, "none/model.conf: no such file"},
		{"policy is a file", []string{"-policy", rules}, "-policy wants a directory with model.conf and policy.csv, and " + rules + " is a file"},
		{"policy empty", []string{"-policy="}, "-policy is empty"},
		{"users empty", []string{"-users="}, "-users is empty"},
		{"jwks not named", []string{"-jwks=", "-issuer", "a", "-audience", "a"}, "-jwks is empty"},
		{"issuer empty", []string{"-issuer="}, "-issuer is empty"},
		{"audience empty", []string{"-audience", ""}, "-audience is empty"},
		{"accounts empty", []string{"-accounts="}, "-accounts is empty"},
		{"address empty", []string{"-addr="}, "-addr is empty"},
		{"users not bcrypt", []string{"-users", users}, "bcrypt"},
		{"users missing", []string{"-users", filepath.Join(dir, "none")}, "none"},
		{"digest missing", []string{"-digest", filepath.Join(dir, "none")}, "none"},
		{"digest of another realm", []string{"-digest", passwords, "-realm", "vault"}, passwords + ":1: "},
		{"digest with MD5", []string{"-digest", write("md5", "erin:reports:939e7578ed9e3c518a452acee763bce9\n")}, "MD5"},
		{"users without Basic", []string{"-users", users, "-basic=false"}, "-users is for Basic"},
		{"MD5 alone", []string{"-digest-md5"}, "-digest-md5 needs -digest"},
		{"keys missing", []string{"-apikeys", filepath.Join(dir, "none")}, "none"},
		{"keys are no keys", []string{"-apikeys", passwords}, passwords + ":1: "},
		{"limit negative", []string{"-limit", "-1"}, "-limit -1"},
		{"realm empty", []string{"-realm", ""}, "realm"},
		{"accounts", []string{"-accounts", "localhost:80"}, "account service"},
		{"address taken", []string{"-addr", taken.Addr().String()}, "listen"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := run(t, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	usage, err := run(t, "-help")
	if !errors.Is(err, flag.ErrHelp) {
		t.Errorf("got %v", err)
	}
	for _, name := range []string{"-addr", "-policy", "-basic", "-users", "-digest", "-digest-md5", "-apikeys", "-jwks", "-issuer", "-audience",
		"-introspect", "-introspect-id", "-introspect-secret", "-realm", "-accounts", "-limit"} {
		if !slices.ContainsFunc(strings.Split(usage, "\n"), func(line string) bool { return line == "  "+name || strings.HasPrefix(line, "  "+name+" ") }) {
			t.Errorf("the usage does not name %s:\n%s", name, usage)
		}
	}
}

// TestRealm starts a server with a realm and reads it back from the challenges.
func TestRealm(t *testing.T) {
	url, _ := scenariotest.Start(t, server, "-addr", "127.0.0.1:0", "-realm", `the "vault"`)
	resp, err := http.Get(url + "/reports")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	challenges := resp.Header.Values("WWW-Authenticate")
	if resp.StatusCode != http.StatusUnauthorized || len(challenges) != 2 {
		t.Fatalf("status %d with challenges %q", resp.StatusCode, challenges)
	}
	for _, c := range challenges {
		if !strings.Contains(c, `realm="the \"vault\""`) {
			t.Errorf("challenge %q", c)
		}
	}
}

// failing is a server that cannot serve.
type failing struct{}

func (failing) Serve(net.Listener) error       { return errors.New("out of order") }
func (failing) Shutdown(context.Context) error { return nil }

func TestServeError(t *testing.T) {
	err := reports.Run(t.Context(), []string{"-addr", "127.0.0.1:0"}, io.Discard, io.Discard,
		func(*reports.Service) reports.Server { return failing{} })
	if err == nil || !strings.Contains(err.Error(), "out of order") {
		t.Errorf("got %v", err)
	}
}

// TestClosedOutput checks that a server nobody can hear about does not stay.
func TestClosedOutput(t *testing.T) {
	_, closed := io.Pipe()
	_ = closed.Close()
	if err := reports.Run(t.Context(), []string{"-addr", "127.0.0.1:0"}, closed, io.Discard, server); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
}
