package casbinrules

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"testing/fstest"

	"github.com/sallyport-go/sallyport/core"
)

// files is a policy in memory.
func files(pairs ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		fsys[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return fsys
}

// open opens one policy file called policy.csv.
func open(t testing.TB, m Model, policy string, opts ...Option) *Authorizer {
	t.Helper()
	a, err := OpenFS(files("policy.csv", policy), m, []string{"policy.csv"}, append(opts, quiet)...)
	if err != nil {
		t.Fatalf("OpenFS: %v", err)
	}
	return a
}

// who returns a principal: the ID, then the roles of its credentials.
func who(t testing.TB, id string, roles ...string) *core.Principal {
	t.Helper()
	return tenantOf(t, "", id, roles...)
}

func tenantOf(t testing.TB, tenant, id string, roles ...string) *core.Principal {
	t.Helper()
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: id, Roles: roles, Tenant: tenant})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func to(action, path string) core.Access {
	return core.Access{Action: action, Resource: core.Resource{Path: path}}
}

func decide(t testing.TB, a *Authorizer, p *core.Principal, access core.Access) core.Decision {
	t.Helper()
	d, err := a.Authorize(context.Background(), p, access)
	if err != nil {
		t.Fatalf("Authorize: %v", err)
	}
	return d
}

func writeFile(name, text string) error { return os.WriteFile(name, []byte(text), 0o600) }

// quiet discards warnings.
var quiet = WithLogger(slog.New(slog.DiscardHandler))
