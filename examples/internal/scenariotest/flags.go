package scenariotest

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/examples/internal/demo"
)

// run starts the server with args and tells how it ended.
func run(t *testing.T, build Build, args ...string) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // a server that starts all the same stops at once
	return demo.Run(ctx, args, io.Discard, io.Discard, build)
}

// startErrors gives the server flags and files that it must refuse.
func startErrors(t *testing.T, build Build) {
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
			if err := run(t, build, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

// realm starts a server with a realm and reads it back from the challenges.
func realm(t *testing.T, build Build) {
	url, _ := Start(t, build, "-addr", "127.0.0.1:0", "-realm", `the "vault"`)
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
