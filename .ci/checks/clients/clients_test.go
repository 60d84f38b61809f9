package clients

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/apikey"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/examples/policy"
	"github.com/sallyport-go/sallyport/examples/shared/issuer"
	"github.com/sallyport-go/sallyport/examples/shared/scenario"
	"github.com/sallyport-go/sallyport/examples/shared/servers"
)

const (
	issuerName = "https://issuer.example"
	audience   = "reports"
	realm      = "reports"
)

// limit is how long one client may take.
var limit = authtest.TimeLimit(3 * time.Minute)

// TestMain removes the servers that tests have built.
func TestMain(m *testing.M) {
	status := m.Run()
	if dir, err := buildDir(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(status)
}

var buildDir = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "sallyport-clients-") })

// build compiles the servers, once for all tests.
var build = sync.OnceValues(func() (string, error) {
	dir, err := buildDir()
	if err != nil {
		return "", err
	}
	var log bytes.Buffer
	bin, err := servers.Build(context.Background(), dir, &log)
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, &log)
	}
	return bin, nil
})

// setting is what servers and clients have in common.
type setting struct {
	dir, token, key string
}

// newSetting writes the files that servers read.
func newSetting(t *testing.T) setting {
	t.Helper()
	s := setting{dir: t.TempDir()}
	own, err := issuer.New(issuerName, audience)
	if err != nil {
		t.Fatal(err)
	}
	if s.token, err = own.Token("erin", time.Hour, nil); err != nil {
		t.Fatal(err)
	}
	keySet, err := own.KeySet()
	if err != nil {
		t.Fatal(err)
	}
	key, id, hash := apikey.Generate()
	keys, err := apikey.Append("api.keys", nil, apikey.Info{ID: id, Hash: hash, Owner: "erin"})
	if err != nil {
		t.Fatal(err)
	}
	users, err := policy.Files.ReadFile(policy.Digest)
	if err != nil {
		t.Fatal(err)
	}
	s.key = key
	// pam's password is known as MD5 alone.
	withoutPam, _, _ := strings.Cut(string(users), "pam:")
	for name, text := range map[string]string{
		"jwks.json": string(keySet), "api.keys": string(keys), "sha256.htdigest": string(users),
		"md5.htdigest": withoutPam + md5Line("erin") + md5Line("pam"),
	} {
		if err := os.WriteFile(s.file(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// md5Line is a line of a Digest file as Apache's htdigest writes it.
func md5Line(user string) string {
	sum := md5.Sum([]byte(user + ":" + realm + ":" + user + "-pass"))
	return user + ":" + realm + ":" + hex.EncodeToString(sum[:]) + "\n"
}

func (s setting) file(name string) string { return filepath.Join(s.dir, name) }

// start starts all servers with tokens, and with args.
func (s setting) start(t *testing.T, args ...string) []scenario.Server {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	started, stop, err := servers.Start(context.Background(), bin, append([]string{
		"-addr", "127.0.0.1:0", "-realm", realm, "-jwks", s.file("jwks.json"), "-issuer", issuerName, "-audience", audience}, args...))
	t.Cleanup(stop)
	if err != nil {
		t.Fatal(err)
	}
	return started
}

// output is what a client has written, and how it ended.
type output struct {
	stdout, stderr string
	code           int
}

// run runs a client without any configuration of this machine's user.
func run(t *testing.T, path string, args ...string) output {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LC_ALL=C"}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return output{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// who is the subject of an answer and the scheme that proved it, "erin by
// Basic", or the error code of a refusal.
func who(t *testing.T, body string) string {
	t.Helper()
	var a struct{ Subject, Scheme, Error string }
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	if a.Error != "" {
		return a.Error
	}
	return a.Subject + " by " + a.Scheme
}

// onEach runs a test against every server; with -short, against the first on
// net/http and the first on fasthttp.
func onEach(t *testing.T, started []scenario.Server, test func(t *testing.T, url string)) {
	if testing.Short() {
		started = started[:2]
	}
	for _, server := range started {
		t.Run(strings.ReplaceAll(server.Name, "/", ""), func(t *testing.T) { test(t, server.URL) })
	}
}
