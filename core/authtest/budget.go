package authtest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/internal/must"
)

// Budget is the number of allocations that a guarded request may add to the same request
// without gates. Credentials are the Authorization field, "" for none.
type Budget struct {
	Name, Credentials string
	Status            int
	Allocations       float64
}

// CheckBudgets compares budgets with the allocations measured by cost. Run it without the
// race detector, which empties pools at random.
func CheckBudgets(t *testing.T, budgets []Budget, cost func(Budget) float64) {
	t.Helper()
	for _, b := range budgets {
		got := cost(b)
		t.Logf("%s: %v allocations", b.Name, got)
		if got > b.Allocations {
			t.Errorf("%s: %v allocations, budget %v", b.Name, got, b.Allocations)
		}
	}
}

// BudgetGuard returns a guard whose own parts allocate nothing. It accepts the Bearer
// tokens "alice", who may do everything, and "bob", who may do nothing.
func BudgetGuard(t *testing.T) *core.Guard {
	t.Helper()
	known := knownTokens{}
	for _, id := range []string{"alice", "bob"} {
		p := must.Have(core.NewPrincipal(core.PrincipalInfo{ID: id, Scheme: "Bearer"}))(t)
		known[id] = p
	}
	scheme := must.Have(bearer.New("api", &known))(t)
	g, err := core.NewGuard([]core.Authenticator{scheme},
		core.WithObserver(core.ObserverFunc(func(context.Context, core.Event) {})),
		core.WithAuthorizer(AuthorizerFunc(func(p *core.Principal, _ core.Access) (core.Decision, error) {
			return core.Decision{Allowed: p.ID() == "alice"}, nil
		})))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

type knownTokens map[string]*core.Principal

func (k *knownTokens) VerifyToken(_ context.Context, token string) (*core.Principal, error) {
	return (*k)[token], nil
}

// KeepsNothing declares, like jwtauth's verifiers, that tokens are not retained: all known
// ones are valid.
func (k *knownTokens) KeepsNothing() (of any) { return k }

// HTTPAllocations returns how often a GET of path allocates in app, which must answer with
// status.
func HTTPAllocations(t *testing.T, app http.Handler, path, credentials string, status int) float64 {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if credentials != "" {
		r.Header.Set("Authorization", credentials)
	}
	w := &discard{header: http.Header{}}
	n := testing.AllocsPerRun(500, func() {
		clear(w.header)
		app.ServeHTTP(w, r)
	})
	if w.status != status {
		t.Errorf("status %d, want %d", w.status, status)
	}
	return n
}

// discard is a response writer without cost.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Flush()                      {}
