package rule_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/rule"
)

// demoAuth lets everybody in as the same viewer, for the examples.
type demoAuth struct{}

func (demoAuth) Scheme() core.Scheme {
	return core.Scheme{Name: "Demo", Sender: core.SentByClient, Vary: []string{"Authorization"}, Attempt: core.Unguessable}
}

func (demoAuth) Authenticate(context.Context, core.Request) (*core.Principal, error) {
	return core.NewPrincipal(core.PrincipalInfo{
		ID:     "victor",
		Roles:  []string{"viewer"},
		Claims: map[string]any{"plan": "free", "region": "eu"},
	})
}
func (demoAuth) Challenges(core.Request, error) []challenge.Challenge { return nil }

func demoGuard() *core.Guard {
	guard, err := core.NewGuard([]core.Authenticator{demoAuth{}},
		core.WithObserver(core.LogObserver(slog.New(slog.DiscardHandler))))
	if err != nil {
		panic(err)
	}
	return guard
}

func Example() {
	guard := demoGuard()
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "hello", httpauth.Principal(r).ID())
	})
	mux := http.NewServeMux()
	mux.Handle("GET /news", httpauth.Require(guard, rule.Role("viewer", "editor"))(hello))
	mux.Handle("GET /admin", httpauth.Require(guard, rule.Role("admin"))(hello))
	mux.Handle("GET /regional", httpauth.Require(guard, rule.Claim("region", "eu"))(hello))
	mux.Handle("GET /insights", httpauth.Require(guard,
		rule.Public("plan_required", "Your plan does not include insights.", rule.Claim("plan", "pro")))(hello))

	for _, path := range []string{"/news", "/admin", "/regional", "/insights"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		fmt.Print(path, " ", w.Code, " ", w.Body)
	}
	// Output:
	// /news 200 hello victor
	// /admin 403 {"title":"Forbidden","status":403,"detail":"You are signed in, but not allowed to do this. Signing in again will not help.","error":"forbidden"}
	// /regional 200 hello victor
	// /insights 403 {"title":"Forbidden","status":403,"detail":"Your plan does not include insights.","error":"plan_required"}
}

func ExampleOwner() {
	guard := demoGuard()
	owners := map[string]string{"1": "victor", "2": "erin"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /notes/{id}", func(w http.ResponseWriter, r *http.Request) {
		owner := owners[r.PathValue("id")]
		if err := httpauth.Check(w, r, guard, rule.Any(rule.Owner(owner), rule.Role("admin"))); err != nil {
			return
		}
		fmt.Fprintln(w, "a note of", owner)
	})
	for _, path := range []string{"/notes/1", "/notes/2"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		fmt.Println(path, w.Code)
	}
	// Output:
	// /notes/1 200
	// /notes/2 403
}

func ExampleAccount() {
	states := map[string]rule.AccountState{"erin": rule.AccountActive, "sam": rule.AccountSuspended}
	r := rule.Account(func(_ context.Context, p *core.Principal) (rule.AccountState, error) {
		return states[p.ID()], nil // unknown accounts are AccountUnknown and refused
	})
	for _, id := range []string{"erin", "sam", "nobody"} {
		p, err := core.NewPrincipal(core.PrincipalInfo{ID: id})
		if err != nil {
			panic(err)
		}
		d, err := r.Authorize(context.Background(), p, core.Access{})
		fmt.Println(id, d.Allowed, d.Rule, err)
	}
	// Output:
	// erin true rule.Account <nil>
	// sam false rule.Account: suspended <nil>
	// nobody false rule.Account: unknown <nil>
}
