package editor

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/examples/shared/programs"
)

// files are what Neovim edits: the settings name the policy, a folder above it.
var files = map[string]string{
	"sallyport.yaml":      "policy: {model: access/model.conf, files: access/policy.csv}\n",
	"access/model.conf":   casbinrules.RBAC().Text(),
	"access/policy.csv":   "# Reports.\n# Viewers read, editors write.\n\np, viewer, /reports, GET\np, editor, /reports/:id, PUT\n\ng, editor, viewer\ng, erin, editor\n",
	"access/policy.tests": "allow erin /reports GET\ndeny kim[editor] /reports PUT\n",
}

// seen is what the user of the editor has seen, step by step.
type seen struct {
	Opened, Typed string // findings
	Actions       []string
	Cured         string
	Hover         string
	Completion    []string
	References    []string
	Definition    string
	Policy, Tests []string // after the role has got a new name
	Failed        string   // findings
	Formatted     []string
	Folds         []fold
	Tokens        []int
	Servers       int
	Error         string
	Findings      string // at the end
}

type fold struct {
	StartLine, EndLine int
	Kind               string
}

var want = seen{
	Opened:     "5:26 put_without_patch",
	Typed:      "5:26 put_without_patch, 9:20 method_case",
	Actions:    []string{"Write GET"},
	Cured:      "p, editor, /files, GET",
	Hover:      "**Allows** `viewer` `GET` on `/reports` (keyMatch2).\n\nReached by `editor`. Given to `erin`.\n\nRole `viewer`: 1 p line.",
	Completion: []string{"/files", "/reports", "/reports/:id"},
	References: []string{"policy.csv:5:4", "policy.csv:7:4", "policy.csv:8:10", "policy.csv:9:4", "policy.tests:2:10"},
	Definition: "act",
	Policy: []string{
		"# Reports.", "# Viewers read, editors write.", "", "p, viewer, /reports, GET", "p, author, /reports/:id, PUT", "",
		"g, author, viewer", "g, erin, author", "p, author, /files, GET",
	},
	Tests:  []string{"allow erin /reports GET", "deny kim[author] /reports PUT"},
	Failed: "1:1 test_failed",
	Formatted: []string{
		"# Reports.", "# Viewers read, editors write.", "", "p, viewer, /reports,     GET", "p, author, /reports/:id, PUT", "",
		"g, author, viewer", "g, erin,   author", "p, author, /files, GET",
	},
	Folds: []fold{{0, 1, "comment"}, {3, 4, "region"}, {6, 8, "region"}},
	// Of five numbers each: lines and characters on, length, kind, modifiers. The
	// kinds are the server's own: 0 keyword, 1 comment, 2 string, 6 variable for a
	// user, 7 class for a role, 9 method.
	Tokens: []int{
		0, 0, 10, 1, 0,
		1, 0, 30, 1, 0,
		2, 0, 1, 0, 0, 0, 3, 6, 7, 0, 0, 8, 8, 2, 0, 0, 14, 3, 9, 0,
		1, 0, 1, 0, 0, 0, 3, 6, 7, 0, 0, 8, 12, 2, 0, 0, 14, 3, 9, 0,
		2, 0, 1, 0, 0, 0, 3, 6, 7, 0, 0, 8, 6, 7, 0,
		1, 0, 1, 0, 0, 0, 3, 4, 6, 0, 0, 8, 6, 7, 0,
		1, 0, 1, 0, 0, 0, 3, 6, 7, 0, 0, 8, 6, 2, 0, 0, 8, 3, 9, 0,
	},
	Servers: 1,
}

// TestNeovim uses each thing that the server can do, once, by the settings that
// the page has for the versions of Neovim without vim.lsp.config.
func TestNeovim(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("not run: it builds the command and drives an editor, and -short is given")
	}
	neovim := programs.Need(t, "nvim")
	script, err := filepath.Abs("neovim.lua")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "our $*policy") // not only plain names work
	write(t, dir, "home/init.lua", settings(t, "Older versions"))
	for name, text := range files {
		write(t, dir, name, text)
	}
	command(t, dir)

	step := authtest.TimeLimit(time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), 5*step)
	defer cancel()
	home, result := filepath.Join(dir, "home"), filepath.Join(dir, "result.json")
	cmd := exec.CommandContext(ctx, neovim, "--headless", "--clean", "-n", "-i", "NONE", "-u", filepath.Join(home, "init.lua"), "-S", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+string(filepath.ListSeparator)+os.Getenv("PATH"), "HOME="+home,
		"XDG_CONFIG_HOME="+home, "XDG_DATA_HOME="+home, "XDG_STATE_HOME="+home, "XDG_CACHE_HOME="+home,
		"LIMIT_MS="+strconv.FormatInt(step.Milliseconds(), 10), "RESULT="+result)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("nvim: %v\n%s", err, said.String())
	}
	text, err := os.ReadFile(result)
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	var got seen
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	compare(t, got)
}

// compare says in which steps the user has seen something else.
func compare(t *testing.T, got seen) {
	t.Helper()
	if got.Error != "" {
		t.Errorf("the script ended early, with the findings %q: %s", got.Findings, got.Error)
	}
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range w.NumField() {
		switch name := w.Type().Field(i).Name; name {
		case "Error", "Findings":
		default:
			if !reflect.DeepEqual(g.Field(i).Interface(), w.Field(i).Interface()) {
				t.Errorf("%s: got\n%#v\nwant\n%#v", name, g.Field(i), w.Field(i))
			}
		}
	}
}

// settings are the first Lua on the page on editors after a text.
func settings(t *testing.T, after string) string {
	t.Helper()
	_, rest, _ := strings.Cut(pageOnEditors(t), after)
	_, rest, ok := strings.Cut(rest, "```lua\n")
	lua, _, closed := strings.Cut(rest, "```\n")
	if !ok || !closed {
		t.Fatalf("docs/editors.md has no Lua after %q", after)
	}
	return lua
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
