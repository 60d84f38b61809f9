//go:build linux

package fleet_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
)

// measureCost is how long a decision takes with the policy in a store, and with
// the same policy in files: the median of rounds by turns.
func measureCost(t *testing.T, k *kind, addr string, n scale, rounds, decisions int) (stored, filed time.Duration) {
	t.Helper()
	name := "cost"
	store := k.open(t, addr, name)
	publish(t, store, 0, files(1, n.rules))
	ctx, cancel := limited(t)
	defer cancel()
	fromStore, err := casbinrules.OpenSource(ctx, store, casbinrules.ModelFile("model.conf"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = fromStore.Close() }()
	dir := t.TempDir()
	for _, f := range files(1, n.rules) {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fromFiles, err := casbinrules.Open(casbinrules.ModelFile(filepath.Join(dir, "model.conf")), []string{dir}, casbinrules.WithFileWatch())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = fromFiles.Close() }()
	var took [2][]time.Duration
	for range rounds {
		for i, policy := range []*casbinrules.Authorizer{fromStore, fromFiles} {
			took[i] = append(took[i], decide(t, policy, decisions))
		}
	}
	return median(took[0]), median(took[1])
}

// decide is how long one of so many decisions takes.
func decide(t *testing.T, policy *casbinrules.Authorizer, count int) time.Duration {
	t.Helper()
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: user})
	if err != nil {
		t.Fatal(err)
	}
	access := core.Access{Action: "GET", Resource: core.Resource{Path: "/hall"}}
	began := time.Now()
	for range count {
		if d, err := policy.Authorize(t.Context(), p, access); err != nil || !d.Allowed {
			t.Fatalf("%+v, %v", d, err)
		}
	}
	return time.Since(began) / time.Duration(count)
}
