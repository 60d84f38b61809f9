package setup

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/sourcetest"
)

// laggard is a store that shows what another one does.
var laggard source.Source

func init() {
	RegisterPolicyStore("laggard", func(*struct {
		At string `key:"at" default:"here" doc:"where it is"`
	}) (source.Source, func() error, error) {
		return laggard, nil, nil
	})
}

// TestSuccessorDoesNotStepBack: what a setup has seen of a store holds for the one that
// replaces it, unless that has another store or accepts older revisions.
func TestSuccessorDoesNotStepBack(t *testing.T) {
	stores := [2]*sourcetest.Memory{new(sourcetest.Memory), new(sourcetest.Memory)}
	users := must(os.ReadFile("testdata/files/users.htpasswd"))
	for i, s := range stores {
		for base := range source.Revision(2 - i) { // the second has only the first revision
			must(s.Publish(context.Background(), source.Publication{Base: base, Note: source.Note{Author: "ann"}, Files: []source.File{
				{Name: "policy.csv", Content: []byte("p, erin, /reports, GET\n")}, {Name: "users.htpasswd", Content: users},
			}}))
		}
	}
	open := func(realm, policy string, opts ...Option) (*Setup, error) {
		path := filepath.Join(t.TempDir(), "sallyport.yaml")
		text := "realm: " + realm + "\nbasic: {store_file: users.htpasswd}\npolicy: {model: rbac, " + policy + "}\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return Open(path, append(opts, quiet())...)
	}
	laggard = stores[0]
	first, err := open("one", "store: {laggard: {}}")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Close() }()
	for _, c := range []struct {
		policy string
		at     int
		steps  bool
	}{
		{"store: {laggard: {}}", 0, false},
		{"store: {laggard: {}}", 1, true},
		{"store: {laggard: {}}, older_revisions: true", 1, false},
		{"store: {laggard: {at: there}}", 1, false},
	} {
		laggard = stores[c.at]
		next, err := open("two", c.policy, WithPredecessor(first))
		if errors.Is(err, source.ErrStepBack) != c.steps || !c.steps && err != nil {
			t.Errorf("%s: %v", c.policy, err)
		}
		if err == nil {
			if err := next.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestPredecessorIsForgotten: a service that reloads its configuration again and again keeps
// none of those before, each with its policy.
func TestPredecessorIsForgotten(t *testing.T) {
	path := configFile(t, minimal)
	freed := make(chan struct{})
	first := must(Open(path, quiet()))
	runtime.AddCleanup(first, func(freed chan struct{}) { close(freed) }, freed)
	next := must(Open(path, quiet(), WithPredecessor(first)))
	defer func() { _ = next.Close() }()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	for limit := time.After(authtest.TimeLimit(5 * time.Second)); ; {
		runtime.GC()
		select {
		case <-freed:
			return
		case <-limit:
			t.Fatal("the setup that was replaced stays in memory")
		default:
			runtime.Gosched()
		}
	}
}
