package probe

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/examples/shared/programs"
	"github.com/sallyport-go/sallyport/examples/shared/servers"
)

// found is a finding in the command's JSON.
type found struct{ Code, Method, Path, As, Got, Want, Curl string }

// shared is the folder of these tests, for what they share.
var shared string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if shared, err = os.MkdirTemp("", "probe"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(shared) }()
		return m.Run()
	}())
}

// build builds sallyport, once.
var build = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(shared, "sallyport")
	out, err := exec.Command("go", "build", "-o", bin, "github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("build: %w\n%s", err, out)
	}
	return bin, err
})

func command(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("not run: it builds the command and sends thousands of requests, and -short is given")
	}
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// probe runs the command, and returns its findings and its exit code.
func probe(t testing.TB, bin string, args ...string) ([]found, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(limit))
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, bin, append([]string{"probe", "--format", "json", "--rate", "5000"}, args...)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	var doc struct{ Findings []found }
	if err := json.Unmarshal(stdout.Bytes(), &doc); err != nil {
		t.Fatalf("%v: %s%s", err, stdout.String(), stderr.String())
	}
	return doc.Findings, cmd.ProcessState.ExitCode()
}

// files are the routes of the wrong servers, and their policy.
func files(t testing.TB) (routes, policy string) {
	t.Helper()
	var list []map[string]string
	for _, f := range faults(t) {
		if !f.Unlisted && f.Login == "" {
			list = append(list, map[string]string{"method": "GET", "pattern": "/" + f.Name})
		}
	}
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	routes, policy = filepath.Join(dir, "routes.json"), filepath.Join(dir, "policy.csv")
	lines := "p, editor, /:page, GET\np, nobody, /public, GET\ng, erin, editor\ng, victor, nobody\n"
	for file, text := range map[string]string{routes: string(text), policy: lines} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return routes, policy
}

func TestEachFaultIsFoundOnEachFramework(t *testing.T) {
	bin := command(t)
	for name, serve := range frameworks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var addrs []string
			for _, behind := range []bool{false, true} {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				serve(t, l, newWrongs(t, behind))
				addrs = append(addrs, "http://"+l.Addr().String())
			}
			compare(t, bin, addrs[0], addrs[1])
		})
	}
	t.Run("Node", func(t *testing.T) {
		t.Parallel()
		node := programs.Need(t, "node")
		compare(t, bin, startNode(t, node), startNode(t, node, "behind"))
	})
}

func startNode(t *testing.T, node string, args ...string) string {
	cmd := exec.CommandContext(t.Context(), node, append([]string{"testdata/server.mjs"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return "http://127.0.0.1:" + strings.TrimSpace(port)
}

// compare probes a wrong server and the service behind it.
func compare(t *testing.T, bin, edge, direct string) {
	routes, policy := files(t)
	none := filepath.Join(t.TempDir(), "none.json")
	if err := os.WriteFile(none, []byte(`[{"method": "GET", "pattern": "/public"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	all, code := probe(t, bin, "--routes", routes, "-m", "rbac", "-p", policy, "--public", "/public", "--direct", direct,
		"--as", "erin=Authorization: Bearer erin-secret", "--as", "victor=Authorization: Bearer victor-secret", "--as", "cleo:editor=Cookie: session=erin-secret", edge)
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	for _, f := range faults(t) {
		if f.Login != "" {
			more, _ := probe(t, bin, "--routes", none, "--public", "/public", "--login", "POST /"+f.Name+" "+f.Login, "--account", "erin", edge)
			all = append(all, more...)
		}
	}
	n := 0
	for _, f := range faults(t) {
		if f.Code == "" {
			continue
		}
		n++
		if !slices.ContainsFunc(all, func(x found) bool {
			return x.Code == f.Code && x.Method == f.Method && x.Path == f.Path && x.As == f.As
		}) {
			t.Errorf("%s: no %s for %s %s as %s", f.Name, f.Code, f.Method, f.Path, f.As)
		}
	}
	if n < 60 {
		t.Errorf("only %d faults", n)
	}
}

// TestNothingIsFoundInTheExamples asks the example servers for their routes, with
// passwords of the demo users and the policy they decide by.
func TestNothingIsFoundInTheExamples(t *testing.T) {
	bin := command(t)
	dir, err := servers.Build(t.Context(), t.TempDir(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	running, stop, err := servers.Start(t.Context(), dir, []string{"-addr", "127.0.0.1:0"})
	t.Cleanup(stop)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--routes", "testdata/examples.json", "--public", "/healthz", "--public", "/whoami", "-p", "../../../examples/policy/policy.csv",
		"--write", "POST /*", "--write", "PUT /*", "--write", "PATCH /*", "--write", "DELETE /*"}
	for name, credentials := range map[string]string{"alice": "YWxpY2U6YWxpY2UtcGFzcw==", "erin": "ZXJpbjplcmluLXBhc3M=", "victor": "dmljdG9yOnZpY3Rvci1wYXNz", "pam": "cGFtOnBhbS1wYXNz"} {
		args = append(args, "--as", name+"=Authorization: Basic "+credentials)
	}
	for _, s := range running {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			if all, code := probe(t, bin, append(args[:len(args):len(args)], s.URL)...); code != 0 || len(all) > 0 {
				t.Errorf("exit code %d, found %+v", code, all)
			}
		})
	}
}
