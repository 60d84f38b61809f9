package doccheck

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// maxMain is how many lines the main.go of an example may have.
const maxMain = 150

// programs are the examples to copy, with what their main.go shows.
var programs = map[string][]string{
	"gin":         append([]string{"ginauth.Authorize(", "ginauth.Require("}, server...),
	"fiber3":      append([]string{"fiberauth.Authorize(", "fiberauth.Require("}, server...),
	"fiber":       append([]string{"fiberauth.Authorize(", "fiberauth.Require("}, server...),
	"echo":        append([]string{"echoauth.Authorize(", "echoauth.Require("}, server...),
	"echo5":       append([]string{"echoauth.Authorize(", "echoauth.Require("}, server...),
	"nethttp":     append([]string{"httpauth.Authorize(", "httpauth.Require("}, server...),
	"forwardauth": {"core.NewGuard(", "casbinrules.OpenFS(", "basic.New(", "guard.Authorize(", "forwardauth.New(", "httpauth.Serve(", copied},
	"web":         {"core.NewGuard(", "casbinrules.OpenFS(", "session.New(", "respond.New(", "httpauth.Authorize(", copied},
	"sessions":    {"core.NewGuard(", "session.New(", "httpauth.Authenticate(", copied},
	"signin":      {"core.NewGuard(", "session.New(", "openid.NewProvider(", "openid.New(", "httpauth.Authenticate(", "httpauth.Require(", copied},
	"live":        {"core.NewGuard(", "core.WithRecheck(", "core.ContextWhileGood(", "session.New(", "httpauth.Authenticate(", copied},
	"mcp":         {"core.NewGuard(", "casbinrules.OpenFS(", "bearer.New(", "metadata.New(", "httpauth.Authenticate(", copied},
	"jobs":        {"authclient.New(", "authclient.Bearer(", copied},
}

// copied begins the comment that says what to drop.
const copied = "To copy it, drop "

// server is what the servers of the demo have in common.
var server = []string{"core.NewGuard(", "casbinrules.Open(", "bearer.New(", "digest.New(", "basic.New(", "apikey.New(", copied}

// TestExamplesTeach: a reader finds the guard, its schemes and the routes of an
// example in one file that is short enough to read, and learns what to drop.
func TestExamplesTeach(t *testing.T) {
	for name, shown := range programs {
		text, err := os.ReadFile(filepath.Join(root, "examples", name, "main.go"))
		if err != nil {
			t.Error(err)
			continue
		}
		if n := strings.Count(string(text), "\n"); n > maxMain {
			t.Errorf("examples/%s/main.go has %d lines: at most %d", name, n, maxMain)
		}
		unwrapped := strings.ReplaceAll(string(text), "\n// ", " ")
		for _, part := range shown {
			if !strings.Contains(unwrapped, part) {
				t.Errorf("examples/%s/main.go does not show %q", name, part)
			}
		}
	}
}

// TestExamplesShareOneGuard: the demo's servers answer alike, so what they copy
// from one another is the same.
func TestExamplesShareOneGuard(t *testing.T) {
	first := ""
	for _, name := range []string{"gin", "fiber", "fiber3", "echo", "echo5", "nethttp"} {
		text, err := os.ReadFile(filepath.Join(root, "examples", name, "main.go"))
		if err != nil {
			t.Fatal(err)
		}
		_, guard, found := strings.Cut(string(text), "\n// newGuard ")
		if !found {
			t.Fatalf("examples/%s/main.go has no newGuard", name)
		}
		if first == "" {
			first = guard
		}
		if guard != first {
			t.Errorf("examples/%s/main.go differs from the first one from newGuard on", name)
		}
	}
}
