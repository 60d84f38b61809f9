package decisionlog_test

import (
	"bytes"
	"context"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/decisionlog"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// children are tests that run in a process of their own: each gets a file, and returns an
// exit code.
var children = map[string]func(file string) int{"writeForever": writeForever}

// childVariable names the environment variable with a child's name and file.
const childVariable = "DECISIONLOG_TEST_CHILD"

// TestMain also runs the children.
func TestMain(m *testing.M) {
	if name, file, ok := strings.Cut(os.Getenv(childVariable), "="); ok {
		os.Exit(children[name](file))
	}
	os.Exit(m.Run())
}

// names is a scheme that trusts the field Authorization: Name ID.
type names struct{}

func (names) Scheme() core.Scheme {
	return core.Scheme{Name: "Name", Sender: core.SentByClient, Vary: []string{"Authorization"}, Attempt: core.Unguessable}
}

func (names) Authenticate(_ context.Context, r core.Request) (*core.Principal, error) {
	value, n := r.Header("Authorization")
	id, ok := strings.CutPrefix(value, "Name ")
	if n == 0 || !ok {
		return nil, core.ErrNoCredentials
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: id, Roles: []string{"viewer", `ops "b"`}, Tenant: "acme"})
}

func (names) Challenges(core.Request, error) []challenge.Challenge {
	c, err := challenge.New("Name", challenge.Param{Name: "realm", Value: "test"})
	if err != nil {
		panic(err)
	}
	return []challenge.Challenge{c}
}

// policy lets everyone but bob read, and adds a role.
type policy struct{}

func (policy) Authorize(_ context.Context, p *core.Principal, a core.Access) (core.Decision, error) {
	return core.Decision{
		Allowed: p.ID() != "bob", Rule: "policy.csv:3", Revision: "abc", Attributes: region("eu"),
	}, nil
}

func (policy) RolesOf(context.Context, *core.Principal) ([]string, error) {
	return []string{"editor"}, nil
}

// region is an attribute.
type region string

func (r region) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) { yield("region", string(r)) }
}

// eventsOf returns the events of requests by these users for a path; "" is anonymous.
func eventsOf(t testing.TB, path string, users ...string) []core.Event {
	t.Helper()
	var mu sync.Mutex
	var events []core.Event
	g, err := core.NewGuard([]core.Authenticator{names{}}, core.WithAuthorizer(policy{}),
		core.WithObserver(core.ObserverFunc(func(_ context.Context, e core.Event) {
			mu.Lock()
			defer mu.Unlock()
			events = append(events, e)
		})))
	if err != nil {
		t.Fatal(err)
	}
	gate := httpauth.Authorize(g)
	mux := http.NewServeMux()
	mux.Handle("GET /reports/{id}", gate(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	for _, user := range users {
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("X-Request-Id", "req-1")
		r.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
		if user != "" {
			r.Header.Set("Authorization", "Name "+user)
		}
		mux.ServeHTTP(httptest.NewRecorder(), r)
	}
	if len(events) != len(users) {
		t.Fatalf("%d events of %d requests", len(events), len(users))
	}
	return events
}

// parsed returns the records in a text.
func parsed(t testing.TB, text []byte) []*decisionlog.Record {
	t.Helper()
	var records []*decisionlog.Record
	for line := range bytes.Lines(text) {
		r, err := decisionlog.Parse(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		records = append(records, r)
	}
	return records
}

// decisions returns the decisions among records.
func decisions(records []*decisionlog.Record) []*decisionlog.Record {
	var some []*decisionlog.Record
	for _, r := range records {
		if r.Kind == decisionlog.KindDecision {
			some = append(some, r)
		}
	}
	return some
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// logged writes events to a buffer and closes the log.
func logged(t testing.TB, events []core.Event, opts ...decisionlog.Option) []*decisionlog.Record {
	t.Helper()
	var out bytes.Buffer
	l, err := decisionlog.New(&out, opts...)
	must(t, err)
	for _, e := range events {
		l.Observe(t.Context(), e)
	}
	must(t, l.Close())
	return parsed(t, out.Bytes())
}
