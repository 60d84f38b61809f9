package respond_test

import (
	"context"
	"slices"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/respond"
)

// quoting answers with the target of the request in place of the message. It
// has all methods of the responder it embeds.
type quoting struct{ *respond.Negotiated }

func (q quoting) Respond(r core.Request, d *core.Denial) core.Response {
	resp := q.Negotiated.Respond(r, d)
	resp.Body = []byte(r.Target())
	return resp
}

// A guard gives an answer again where it is the same. Whatever came before, no
// request gets another answer than from a guard that has answered nobody yet.
func TestKeptAnswersAreThoseOfANewGuard(t *testing.T) {
	requests := map[string]core.Request{
		"no preference":       get(),
		"anything":            get("Accept: */*"),
		"JSON":                get("Accept: application/json"),
		"text":                get("Accept: text/plain"),
		"text before JSON":    get("Accept: application/json;q=0.5, text/plain"),
		"a page":              get(wantsPage, navigates),
		"a page by Accept":    get("Accept: text/html"),
		"opened, but as text": get("Accept: text/plain", navigates),
		"another page":        asked("GET", "/other", wantsPage, navigates),
		"a script":            get(wantsPage, "Sec-Fetch-Mode: cors"),
		"another target":      asked("GET", "/other"),
		"a form":              asked("POST", "/reports", wantsPage, navigates),
		"an ID":               get("X-Request-Id: abc-1"),
		"another ID":          get("X-Request-Id: abc-2"),
		"an ID, as text":      get("X-Request-Id: abc-2", "Accept: text/plain"),
		"an ID that is none":  get("X-Request-Id: <b>"),
		"credentials":         get("Authorization: Bearer alice"),
		"credentials, text":   get("Authorization: Bearer alice", "Accept: text/plain"),
		"credentials, a page": get("Authorization: Bearer alice", wantsPage, navigates),
	}
	for name, responder := range map[string]core.Responder{
		"the default":         nil,
		"new":                 newResponder(t),
		"leading to a login":  newResponder(t, respond.WithSignInRedirect("/login")),
		"JSON before text":    newResponder(t, respond.WithAPI(respond.JSON(), respond.Text())),
		"one of an app's own": newResponder(t, respond.WithAPI(&page{types: []string{"application/x-own"}})),
		"one that embeds":     quoting{newResponder(t)},
		"negotiated":          respond.Negotiate(respond.Text(), respond.Problem(), html()),
		"one format":          respond.Text(),
		"six formats":         respond.Negotiate(respond.Text(), respond.Problem(), respond.JSON(), html(), &page{types: []string{"a/b"}}),
	} {
		t.Run(name, func(t *testing.T) {
			used := refusing(t, responder)
			for range 3 {
				for name, r := range requests { // in another order each time
					got, want := used.Check(t.Context(), r).Response, refusing(t, responder).Check(t.Context(), r).Response
					if got.Status != want.Status || string(got.Body) != string(want.Body) || !slices.Equal(lines(got), lines(want)) {
						t.Errorf("%s: %d %q %q, want %d %q %q", name, got.Status, lines(got), got.Body, want.Status, lines(want), want.Body)
					}
				}
			}
		})
	}
}

// everyToken is good.
type everyToken struct{}

func (everyToken) VerifyToken(_ context.Context, token string) (*core.Principal, error) {
	return core.NewPrincipal(core.PrincipalInfo{ID: token})
}

// nothing is allowed.
type nothing struct{}

func (nothing) Authorize(context.Context, *core.Principal, core.Access) (core.Decision, error) {
	return core.Decision{}, nil
}

// refusing is a gate that knows everyone who sends credentials, and lets nobody
// pass.
func refusing(t *testing.T, responder core.Responder) *core.Gate {
	t.Helper()
	opts := []core.Option{core.WithObserver(core.ObserverFunc(func(context.Context, core.Event) {}))}
	if responder != nil {
		opts = append(opts, core.WithResponder(responder))
	}
	scheme, err := bearer.New("api", everyToken{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := core.NewGuard([]core.Authenticator{scheme}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	gate, err := g.Require(nothing{})
	if err != nil {
		t.Fatal(err)
	}
	return gate
}

// lines are the header fields of an answer, in order.
func lines(resp *core.Response) (all []string) {
	for _, f := range resp.Fields {
		all = append(all, f.Name+": "+f.Value)
	}
	return all
}

// Answers to programs are made once, however they ask.
func TestKeptAnswersDoNotAllocate(t *testing.T) {
	gate := refusing(t, newResponder(t))
	for _, accept := range []string{"", "*/*", "application/json", "application/problem+json", "text/plain"} {
		r := get("Accept: " + accept)
		if got := testing.AllocsPerRun(200, func() { gate.Check(context.Background(), r) }); got > 0 {
			t.Errorf("Accept: %s: %v allocations", accept, got)
		}
	}
}
