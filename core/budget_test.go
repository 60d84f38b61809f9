package core_test

import (
	"context"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
)

// Allocations of one gate for one request, apart from those of authenticator, rule and
// observer, which have none here. A request that passes gate one costs the context with the
// principal; a refused one the denial, the answer and its fields. Lower the budgets with
// the code.
func TestAllocationBudgets(t *testing.T) {
	alice := newPrincipal(t, core.PrincipalInfo{ID: "alice", Scheme: "Static", Roles: []string{"viewer"}})
	c, err := challenge.New("Static", challenge.Param{Name: "realm", Value: "test"})
	if err != nil {
		t.Fatal(err)
	}
	s := newScheme(t, "Static")
	challenges := []challenge.Challenge{c}
	s.challenges = func(error) []challenge.Challenge { return challenges }
	g, err := core.NewGuard([]core.Authenticator{static{s, alice}},
		core.WithObserver(core.ObserverFunc(func(context.Context, core.Event) {})), core.WithAuthorizer(allowing()))
	if err != nil {
		t.Fatal(err)
	}
	authenticate, authorize, require := mounted(t)(g.Authenticate()), mounted(t)(g.Authorize()), mounted(t)(g.Require(allowing()))
	ctx := context.Background()
	known := get("/reports/7", "Authorization: Static alice")
	passed := authenticate.Check(ctx, known).Context
	refusing := mounted(t)(g.Require(answering(core.Decision{Reason: core.ReasonMissingRole}, nil)))
	for _, tt := range []struct {
		name   string
		gate   *core.Gate
		ctx    context.Context
		r      *request
		status int
		budget float64
	}{
		{"gate one allows", authenticate, ctx, known, 0, 1},
		{"both gates allow", authorize, ctx, known, 0, 1},
		{"rules allow", require, ctx, known, 0, 1},
		{"gate two allows after gate one", authorize, passed, known, 0, 0},
		{"401 without credentials", authenticate, ctx, get("/reports/7"), 401, 0},
		{"403", refusing, ctx, known, 403, 0},
		{"403 after gate one", refusing, passed, known, 403, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := testing.AllocsPerRun(200, func() {
				v := tt.gate.Check(tt.ctx, tt.r)
				if status := statusOf(v); status != tt.status {
					t.Fatalf("status %d, want %d", status, tt.status)
				}
			})
			budget := tt.budget
			if tt.status != 0 {
				budget += raceSlack
			}
			if got > budget {
				t.Errorf("%v allocations, budget %v", got, budget)
			}
		})
	}
}

func statusOf(v core.Verdict) int {
	if v.Response == nil {
		return 0
	}
	return v.Response.Status
}

// static accepts any Authorization field as the same principal.
type static struct {
	*scheme
	p *core.Principal
}

func (s static) Authenticate(_ context.Context, r core.Request) (*core.Principal, error) {
	if _, n := r.Header("Authorization"); n == 0 {
		return nil, core.ErrNoCredentials
	}
	return s.p, nil
}
