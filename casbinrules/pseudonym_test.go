package casbinrules

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// marker must be in no log line, wherever a policy has it.
const marker = "erin@example.com"

func newPseudonyms(t *testing.T) *core.Pseudonyms {
	t.Helper()
	p, err := core.NewPseudonyms(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Whatever the outcome of a reload, neither log nor observers contain a name.
func TestReloadsAreLoggedWithPseudonyms(t *testing.T) {
	var out bytes.Buffer
	file := filepath.Join(t.TempDir(), "policy.csv")
	write := func(text string) {
		t.Helper()
		if err := writeFile(file, text); err != nil {
			t.Fatal(err)
		}
	}
	names := newPseudonyms(t)
	erin := names.Of(marker)
	var event ReloadEvent
	write(numbered(20) + "p, " + marker + ", /x, GET\np, " + marker + ", /x, GET\n")
	a, err := Open(RBAC(), []string{file}, WithLogger(logTo(&out)), WithPseudonyms(names),
		WithReloadObserver(LogReloads(logTo(&out))), WithReloadObserver(func(_ context.Context, e ReloadEvent) { event = e }), WithReloadObserver(func(context.Context, ReloadEvent) { panic(marker) }))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), file+":22:1: warning: duplicate_rule: see the line there") || strings.Contains(out.String(), marker) {
		t.Errorf("opened: %s", out.String())
	}
	if got := a.Warnings(); len(got) == 0 || !strings.Contains(got[0].String(), "p line") && got[0].Message == "see the line there" {
		t.Errorf("warnings: %v", got)
	}
	for _, c := range []struct{ name, policy, want string }{
		{"added", numbered(20) + "p, " + marker + ", /users/" + marker + ", GET\ng, \"" + marker + ",\", admin\n", "+ p, " + erin + ", " + names.Of("/users/"+marker) + ", GET (policy.csv:21)"},
		{"removed", numbered(20), "- p, " + erin + ", "},
		{"rejected", numbered(20) + "p, " + marker + ", \"/x, GET\n", "policy.csv:21:"},
		{"a cycle", numbered(20) + "g, a, " + marker + "\ng, " + marker + ", a\n", "role_cycle: see the line there"},
		{"shrunk", "p, " + marker + ", /x, GET\n", "the file had 20 rules and has 1"},
	} {
		out.Reset()
		write(c.policy)
		err := a.Reload(t.Context())
		if c.name == "rejected" && (err == nil || event.Outcome != ReloadRejected) {
			t.Errorf("%s: %v, %s", c.name, err, event.Outcome)
		}
		told := out.String()
		for _, r := range append(event.Added, event.Removed...) {
			told += r.String()
		}
		for _, f := range event.Findings {
			told += f.String()
		}
		if event.Err != nil {
			told += event.Err.Error()
		}
		if !strings.Contains(told, c.want) || strings.Contains(told, marker) {
			t.Errorf("%s: no %q, or a name, in\n%s", c.name, c.want, told)
		}
		var refused *FindingsError
		if errors.As(err, &refused) != errors.As(event.Err, &refused) {
			t.Errorf("%s: %v is told as %v", c.name, err, event.Err)
		}
	}
	for name, opt := range map[string]Option{"none": WithPseudonyms(nil), "twice": func(c *config) error { return errors.Join(WithPseudonyms(names)(c), WithPseudonyms(names)(c)) }} {
		if _, err := OpenFS(files("p.csv", annReads), RBAC(), []string{"p.csv"}, opt); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// The error of a database may contain parts of its rows.
func TestErrorsOfAnAdapterAreLoggedAsPseudonyms(t *testing.T) {
	var out bytes.Buffer
	rows := &table{}
	rows.set(nil, "p, ann, /x, GET")
	a, err := FromAdapter(RBAC(), rows, WithLogger(logTo(&out)), WithPseudonyms(newPseudonyms(t)))
	if err != nil {
		t.Fatal(err)
	}
	gone := errors.New("duplicate key: " + marker)
	rows.set(gone)
	if err := a.Reload(t.Context()); !errors.Is(err, gone) {
		t.Errorf("reload: %v", err)
	}
	if !strings.Contains(out.String(), `error="error: ~`) || strings.Contains(out.String(), marker) {
		t.Errorf("log: %s", out.String())
	}
}
