package providers_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/examples/checks/internal/npm"
	"github.com/sallyport-go/sallyport/examples/shared/programs"
)

// limit only keeps a test from hanging.
var limit = authtest.TimeLimit(5 * time.Minute)

// scripts is a folder with the scripts of this one and what they import.
func scripts(t *testing.T) string {
	t.Helper()
	return npm.Install(t, "provider.mjs", "client.mjs")
}

// provider is an OpenID provider that can be stopped and started again.
type provider struct {
	t       *testing.T
	scripts string
	issuer  string
	apps    map[string]string // addresses of applications, by client ID
	running *process
}

// process is a provider's process.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	log   bytes.Buffer
}

// startProvider starts a provider that signs with the first of keys.
func startProvider(t *testing.T, keys ...signer) *provider {
	t.Helper()
	return startProviderFor(t, map[string]string{}, keys...)
}

// startProviderFor starts one for applications too, which are given by the addresses
// of client IDs.
func startProviderFor(t *testing.T, apps map[string]string, keys ...signer) *provider {
	t.Helper()
	p := &provider{t: t, scripts: scripts(t), issuer: "http://" + programs.Unused(t), apps: apps}
	p.start(keys...)
	t.Cleanup(p.stop)
	return p
}

func (p *provider) start(keys ...signer) {
	p.t.Helper()
	set, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		p.t.Fatal(err)
	}
	apps, err := json.Marshal(p.apps)
	if err != nil {
		p.t.Fatal(err)
	}
	file := filepath.Join(p.t.TempDir(), "keys.json")
	if err := os.WriteFile(file, set, 0o600); err != nil {
		p.t.Fatal(err)
	}
	address, err := url.Parse(p.issuer)
	if err != nil {
		p.t.Fatal(err)
	}
	run := &process{cmd: exec.Command(programs.Need(p.t, "node"), "provider.mjs", address.Port(), file, string(apps))}
	run.cmd.Dir, run.cmd.Stderr = p.scripts, &run.log
	if run.stdin, err = run.cmd.StdinPipe(); err != nil {
		p.t.Fatal(err)
	}
	out, err := run.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := run.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.running = run
	timer := time.AfterFunc(limit, func() { _ = run.cmd.Process.Kill() })
	defer timer.Stop()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if lines.Text() == "listening" {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return
		}
	}
	p.stop()
	p.t.Fatalf("the provider does not listen:\n%s", &run.log)
}

// stop ends the provider, if it runs, and returns when it has ended.
func (p *provider) stop() {
	if p.running == nil {
		return
	}
	_ = p.running.stdin.Close()
	_ = p.running.cmd.Process.Kill()
	_ = p.running.cmd.Wait() // says that it was killed
	p.running = nil
}

// client runs a task of the OAuth client and reads its answer into into.
func (p *provider) client(into any, task ...string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, programs.Need(p.t, "node"), append([]string{"client.mjs", p.issuer}, task...)...)
	cmd.Dir = p.scripts
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("client %s: %v\n%s", strings.Join(task, " "), err, &log)
	}
	if err := json.Unmarshal(out, into); err != nil {
		p.t.Fatalf("client %s: %v in %s", strings.Join(task, " "), err, out)
	}
}

// tokens is what the provider gives a client.
type tokens struct {
	Access string `json:"access_token"`
	ID     string `json:"id_token"`
}

func (p *provider) token(client, resource string) string {
	p.t.Helper()
	var got tokens
	p.client(&got, "token", client, resource)
	return got.Access
}

func (p *provider) user(name, resource string) tokens {
	p.t.Helper()
	var got tokens
	p.client(&got, "user", name, resource)
	return got
}
