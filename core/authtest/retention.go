package authtest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/must"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtsign"
)

var retentionCases = []testCase{
	{"invariant 9 what requests hand out stays as it was", func(t *testing.T, f Framework) { retention(t, f, http.StatusOK) }},
	{"invariant 9 what refused requests hand out stays as it was", func(t *testing.T, f Framework) { retention(t, f, http.StatusForbidden) }},
	{"invariant 9 the context keeps its principal after the request", contextAfter},
	{"invariant 9 a verifier may keep tokens, whatever it embeds", keptTokens},
}

// RunRetention runs the cases on what outlives a request, for non-default configurations of
// a framework.
func RunRetention(t *testing.T, f Framework) {
	for _, c := range retentionCases {
		t.Run(c.name, func(t *testing.T) { c.run(t, f) })
	}
}

// The requests of the retention case: few connections, so that a framework that reuses its
// buffers overwrites them many times.
const (
	connections = 6
	perConn     = 60
)

// retained is what one request handed out, retained without copying.
type retained struct {
	values    map[string]string
	principal *core.Principal
	ctx       context.Context
}

// keeper retains what requests hand out, by request number.
type keeper struct {
	mu     sync.Mutex
	got    map[string]*retained
	allows bool
}

// of returns what the request with this number handed out.
func (k *keeper) of(number string) *retained {
	k.mu.Lock()
	defer k.mu.Unlock()
	r, ok := k.got[number]
	if !ok {
		r = &retained{values: map[string]string{}}
		k.got[strings.Clone(number)] = r
	}
	return r
}

// Authorize retains everything that the request hands out, including the context passed to
// the rule.
func (k *keeper) Authorize(ctx context.Context, p *core.Principal, a core.Access) (core.Decision, error) {
	r := a.Request
	kept := k.of(r.Param("id"))
	kept.principal, kept.ctx = p, ctx
	v := kept.values
	v["method"], v["target"], v["host"], v["remote"] = r.Method(), r.Target(), r.Host(), r.RemoteAddr()
	v["param"], v["action"], v["resource"], v["route"] = r.Param("id"), a.Action, a.Resource.Path, a.Resource.Route
	v["header"], _ = r.Header("X-Number")
	v["authorization"], _ = r.Header("Authorization")
	v["cookie"], _ = r.Cookie("number")
	v["query"], _ = r.Query("number")
	rt, err := r.Route()
	v["path"], v["pattern"] = rt.Path, rt.Pattern
	return core.Decision{Allowed: k.allows}, err
}

// handle retains the context, which outlives the request.
func (k *keeper) handle(x Exchange) error {
	k.of(x.Param("id")).ctx = x.Context()
	return ok(x)
}

// numbered returns a request in which every part contains its number, and what it must hand
// out when sent from the given address. All numbers have the same length, as do two of the
// methods.
func numbered(f Framework, conn, i int, from string) (number, request string, want map[string]string) {
	n := fmt.Sprintf("%02d%04d", conn, i)
	method := []string{"GET", "PATCH", "PUT", "GET", "DELETE"}[(conn+i)%5]
	target := "/api/things/" + n + "?number=q" + n
	request = strings.Join([]string{
		method + " " + target + " HTTP/1.1", "Host: h" + n + ".example", "X-Request-Id: i" + n,
		"Traceparent: 00-" + strings.Repeat("f", 26) + n + "-00f067aa0ba902b7-01",
		"Authorization: Name u" + n + " r" + n, "X-Number: x" + n, "Cookie: number=c" + n, "Content-Length: 0",
	}, "\n")
	pattern := f.pattern("/api/things/:id")
	path := "/api/things/" + n
	return n, request, map[string]string{
		"method": method, "target": target, "host": "h" + n + ".example", "param": n, "remote": from,
		"action": method, "resource": path, "route": pattern, "path": path, "pattern": pattern,
		"header": "x" + n, "authorization": "Name u" + n + " r" + n, "cookie": "c" + n, "query": "q" + n,
	}
}

// retention sends hundreds of concurrent requests over persistent connections, and compares
// all strings, principals, contexts and events after the last one (conformance item H22).
func retention(t *testing.T, f Framework, status int) {
	k := &keeper{got: map[string]*retained{}, allows: status == http.StatusOK}
	g, rec := guard(t, core.WithAuthorizer(k))
	addr := f.Start(t, App{
		Use: []Gate{{Kind: "Authenticate", Guard: g}},
		Routes: []Route{{
			Group: "/api", Pattern: "/things/:id", Methods: []string{"GET", "PATCH", "PUT", "DELETE"},
			Gates: []Gate{{Kind: "Authorize", Guard: g}}, Handler: k.handle,
		}},
	})
	var mu sync.Mutex
	wants := map[string]map[string]string{}
	var wg sync.WaitGroup
	for conn := range connections {
		wg.Go(func() {
			c, err := dial(addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.close()
			for i := range perConn {
				n, request, want := numbered(f, conn, i, c.conn.LocalAddr().String())
				mu.Lock()
				wants[n] = want
				mu.Unlock()
				if a, err := c.roundTrip(request); err != nil || a.Status != status || k.allows && a.Body != handled+"u"+n {
					t.Errorf("request %s: %d %q %v", n, a.Status, a.Body, err)
					return
				}
			}
		})
	}
	wg.Wait()
	if len(wants) != connections*perConn || len(k.got) != len(wants) {
		t.Fatalf("%d requests sent, %d kept", len(wants), len(k.got))
	}
	wrong := map[string]int{}
	for n, want := range wants {
		k.of(n).compare(n, want, wrong)
	}
	compareEvents(wants, rec.Events(), wrong)
	for what, times := range wrong {
		t.Errorf("%s changed after %d of %d requests", what, times, len(wants))
	}
}

// compare counts in wrong what has changed since request n handed it out.
func (r *retained) compare(n string, want map[string]string, wrong map[string]int) {
	for what, value := range want {
		if r.values[what] != value {
			wrong[what]++
		}
	}
	if p := r.principal; p.ID() != "u"+n || !p.HasRole("r"+n) {
		wrong["principal"]++
	}
	if p, ok := core.PrincipalFrom(r.ctx); !ok || p != r.principal {
		wrong["context"]++
	}
}

// compareEvents counts in wrong the requests without both of their events.
func compareEvents(wants map[string]map[string]string, events []core.Event, wrong map[string]int) {
	byID := map[string][]core.Event{}
	for _, e := range events {
		byID[e.RequestID] = append(byID[e.RequestID], e)
	}
	for n, want := range wants {
		if len(byID["i"+n]) != 2 {
			wrong["request ID in an event"]++
			continue
		}
		for _, e := range byID["i"+n] {
			for what, pair := range map[string][2]string{
				"method": {e.Method, want["method"]}, "resource": {e.Resource, want["resource"]},
				"principal": {e.PrincipalID, "u" + n}, "trace ID": {e.TraceID, strings.Repeat("f", 26) + n},
			} {
				if pair[0] != pair[1] {
					wrong[what+" in an event"]++
				}
			}
			// Around a whole ServeMux the route is unknown.
			if e.Route != want["route"] && (e.Route != "" || e.Gate != "authenticate") {
				wrong["route in an event"]++
			}
		}
	}
}

// contextAfter checks that a goroutine that outlives its handler finds the principal in the
// request's context, even after other requests on the same connection.
func contextAfter(t *testing.T, f Framework) {
	g, _ := guard(t)
	over := make(chan struct{})
	found := make(chan string, 1)
	first := true
	d := newDoorIn(t, f, App{}, func(x Exchange) error {
		if first {
			first = false
			ctx := x.Context()
			go func() {
				<-over
				id := "nobody"
				if p, ok := core.PrincipalFrom(ctx); ok {
					id = p.ID()
				}
				found <- id
			}()
		}
		return nil
	}, Gate{Kind: "Authenticate", Guard: g})
	c := must.Have(dial(d.addr))(t)
	defer c.close()
	for _, name := range []string{"alice", "bobby", "carol", "david"} {
		if a, err := c.roundTrip(Request("GET", "/door", as(name))); err != nil || a.Body != handled+name {
			t.Errorf("%s: %q %v", name, a.Body, err)
		}
	}
	close(over)
	if id := <-found; id != "alice" {
		t.Errorf("the goroutine finds %s", id)
	}
}

// keepingVerifier embeds a verifier that retains no tokens, and retains each valid one.
type keepingVerifier struct {
	*jwtauth.Verifier
	kept []string
}

func (k *keepingVerifier) VerifyToken(ctx context.Context, token string) (*core.Principal, error) {
	p, err := k.Verifier.VerifyToken(ctx, token)
	if err == nil {
		k.kept = append(k.kept, token)
	}
	return p, err
}

// keptTokens checks that a verifier that retains nothing may be lent a request's strings,
// while one that merely embeds such a verifier gets copies, so the tokens it retains stay
// intact even after other requests on the connection.
func keptTokens(t *testing.T, f Framework) {
	key := must.Have(jwtsign.GenerateKey())(t)
	signer := must.Have(jwtsign.New(key, jwtsign.WithIssuer("https://issuer.example"), jwtsign.WithAudience("r")))(t)
	verifier := must.Have(jwtauth.New(signer, jwtauth.WithIssuer("https://issuer.example"), jwtauth.WithAudience("r")))(t)
	var names, tokens []string
	for i := range perConn {
		names = append(names, fmt.Sprintf("user%02d", i))
		token := must.Have(signer.Sign(jwtsign.Token{Subject: names[i]}))(t)
		tokens = append(tokens, token)
	}
	keeping := &keepingVerifier{Verifier: verifier}
	embedding, _ := guardOf(t, []core.Authenticator{bearerOn(t, keeping)})
	alone, _ := guardOf(t, []core.Authenticator{bearerOn(t, verifier)})
	for _, g := range []*core.Guard{embedding, alone, alone} {
		c := must.Have(dial(newDoor(t, f, Gate{Kind: "Authenticate", Guard: g}).addr))(t)
		for i, name := range names {
			if a, err := c.roundTrip(Request("GET", "/door", "Authorization: Bearer "+tokens[i])); err != nil || a.Body != handled+name {
				t.Errorf("%s: %q %v", name, a.Body, err)
			}
		}
		c.close()
	}
	if !slices.Equal(keeping.kept, tokens) {
		t.Errorf("of %d tokens %d are kept, or not as they were", len(tokens), len(keeping.kept))
	}
}
