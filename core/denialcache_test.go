package core_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/respond"
)

// A scheme whose challenges differ for each request, such as one with nonces, never has an
// older one sent.
func TestFreshChallengesAreNotKept(t *testing.T) {
	s, n := newScheme(t, "Digest"), 0
	s.challenges = func(error) []challenge.Challenge {
		n++
		c, err := challenge.New("Digest", challenge.Param{Name: "realm", Value: "r"}, challenge.Param{Name: "nonce", Value: fmt.Sprint(n)})
		if err != nil {
			t.Error(err)
		}
		return []challenge.Challenge{c}
	}
	g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic"), s})
	gate := mounted(t)(g.Authenticate())
	seen := map[string]bool{}
	for range 50 {
		all := values(gate.Check(t.Context(), get("/")).Response.Fields, "WWW-Authenticate")
		if len(all) != 2 || seen[all[1]] {
			t.Fatalf("challenges %q, seen before: %v", all, len(all) == 2)
		}
		seen[all[1]] = true
	}
}

// An answer cached for one kind of request is not used for another.
func TestKeptAnswersFitTheirRequests(t *testing.T) {
	s := newScheme(t, "Basic")
	kept := asking(t, "")
	s.challenges = func(error) []challenge.Challenge { return kept }
	g, _ := newGuard(t, []core.Authenticator{s}, core.WithoutPrompts())
	gate := mounted(t)(g.Authenticate())
	page, script := get("/", "Sec-Fetch-Mode: navigate"), get("/", "Sec-Fetch-Mode: cors")
	kept = func() []challenge.Challenge {
		c, err := challenge.New("Basic", challenge.Param{Name: "realm", Value: "test"})
		if err != nil {
			t.Fatal(err)
		}
		return []challenge.Challenge{c}
	}()
	for range 3 {
		wantFields(t, gate.Check(t.Context(), page).Response.Fields, "WWW-Authenticate", `Basic realm="test"`)
		wantFields(t, gate.Check(t.Context(), script).Response.Fields, "WWW-Authenticate", `xBasic realm="test"`)
	}
	// A scheme may begin to challenge differently.
	kept = asking(t, core.CodeInvalidToken)
	wantFields(t, gate.Check(t.Context(), page).Response.Fields, "WWW-Authenticate", `Bearer realm="test", error="invalid_token"`)
}

// A scheme may choose by request how many challenges it returns, and may overwrite the
// slice.
func TestKeptAnswersHaveAllChallengesOfTheirRequest(t *testing.T) {
	s := newScheme(t, "Bearer")
	all := append(asking(t, ""), asking(t, core.CodeInvalidToken)...)
	given := all
	s.challenges = func(error) []challenge.Challenge { return given }
	g, _ := newGuard(t, []core.Authenticator{s})
	gate := mounted(t)(g.Authenticate())
	const plain, invalid = `Bearer realm="test"`, `Bearer realm="test", error="invalid_token"`
	for range 2 {
		given = all
		wantFields(t, gate.Check(t.Context(), get("/")).Response.Fields, "WWW-Authenticate", plain, invalid)
		given = all[:1]
		wantFields(t, gate.Check(t.Context(), get("/")).Response.Fields, "WWW-Authenticate", plain)
	}
	all[0] = all[1]
	wantFields(t, gate.Check(t.Context(), get("/")).Response.Fields, "WWW-Authenticate", invalid)
}

// informing is a scheme that adds a field, another value for each answer.
type informing struct{ *scheme }

func (i informing) Scheme() core.Scheme {
	s, n := i.scheme.Scheme(), 0
	s.Inform = func(core.Request, *core.Principal, error) []core.Field {
		n++
		return []core.Field{{Name: "X-Number", Value: fmt.Sprint(n)}}
	}
	return s
}

// What a scheme tells one client, such as a nonce or a cookie, is in no other answer, and
// not in one that hides what is there.
func TestInformationIsForItsRequest(t *testing.T) {
	g, _ := newGuard(t, []core.Authenticator{informing{newScheme(t, "Basic")}})
	gate := mounted(t)(g.Require(answering(core.Decision{}, nil)))
	for _, fields := range [][]string{nil, {"Authorization: Basic wrong"}, {"Authorization: Basic alice"}} {
		seen := map[string]bool{}
		for range 20 {
			all := values(gate.Check(t.Context(), get("/", fields...)).Response.Fields, "X-Number")
			if len(all) != 1 || seen[all[0]] {
				t.Fatalf("%q: %q, seen %v", fields, all, seen)
			}
			seen[all[0]] = true
		}
	}
	hiding, err := g.With(core.WithResponder(responder(func(*core.Denial) core.Response { return core.Response{Status: 404} })))
	if err != nil {
		t.Fatal(err)
	}
	wantFields(t, mounted(t)(hiding.Authenticate()).Check(t.Context(), get("/")).Response.Fields, "X-Number")
}

// greeting answers as package respond does, and differently for each client.
type greeting struct{ *respond.Negotiated }

func (g greeting) Respond(r core.Request, d *core.Denial) core.Response {
	name, _ := r.Header("X-Name")
	return core.Response{Status: d.Kind.Status(), Body: []byte("hello, " + name)}
}

// Answers of a responder around one of package respond are not kept.
func TestAnswersOfAWrapperAreNotKept(t *testing.T) {
	answers, err := respond.New()
	if err != nil {
		t.Fatal(err)
	}
	g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, core.WithResponder(greeting{answers}))
	gate := mounted(t)(g.Authenticate())
	for _, name := range []string{"ann", "bob"} {
		if got := string(gate.Check(t.Context(), get("/", "X-Name: "+name)).Response.Body); got != "hello, "+name {
			t.Errorf("%s is told %q", name, got)
		}
	}
}

// What one request appends to its answer, such as a cookie, is in no other answer.
func TestAppendingToAKeptAnswerChangesNoOther(t *testing.T) {
	s, same := newScheme(t, "Bearer"), asking(t, "")
	s.challenges = func(error) []challenge.Challenge { return same }
	g, _ := newGuard(t, []core.Authenticator{s})
	gate := mounted(t)(g.Authenticate())
	first, second := gate.Check(t.Context(), get("/")).Response, gate.Check(t.Context(), get("/")).Response
	ann := append(first.Fields, core.Field{Name: "Set-Cookie", Value: "ann"})
	bob := append(second.Fields, core.Field{Name: "Set-Cookie", Value: "bob"})
	wantFields(t, ann, "Set-Cookie", "ann")
	wantFields(t, bob, "Set-Cookie", "bob")
}

func TestReasonsOfKeptRefusalsStayApart(t *testing.T) {
	alice := newPrincipal(t, core.PrincipalInfo{ID: "alice", Scheme: "Basic"})
	g, o := newGuard(t, []core.Authenticator{static{newScheme(t, "Basic"), alice}})
	var all sync.WaitGroup
	for n := range 200 {
		reason := core.Reason(fmt.Sprint("reason ", n%100))
		gate := mounted(t)(g.Require(answering(core.Decision{Reason: reason}, nil)))
		all.Go(func() {
			v := gate.Check(t.Context(), get("/", "Authorization: Basic alice"))
			if v.Response.Status != 403 || v.Denial.Reason != reason {
				t.Errorf("%d, reason %q, want %q", v.Response.Status, v.Denial.Reason, reason)
			}
		})
	}
	all.Wait()
	if len(o.events) != 200 {
		t.Errorf("%d events", len(o.events))
	}
}
