package authtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/errtype"
	"github.com/sallyport-go/sallyport/core/internal/must"
)

var recheckCases = []testCase{
	{"a connection ends with what let it in, and not before", longLived(connectionsEnd)},
	{"what is asked again is the request as it was", longLived(askedAgain)},
	{"a handler that nobody has kept the request for gets 500", notKept},
}

// accounts is both the scheme "Account ID" and a rule. Their answers for each account can
// be changed; nil means that the account is good.
type accounts struct {
	mu      sync.Mutex
	proves  map[string]func() (*core.Principal, error)
	denies  map[string]bool
	asked   map[string]int      // number of rechecks by account
	reached map[string]chan int // receives these numbers
	view    func(core.Request) string
	seen    map[string]string // result of view at a recheck, by account
}

func newAccounts() *accounts {
	return &accounts{
		proves: map[string]func() (*core.Principal, error){}, denies: map[string]bool{},
		asked: map[string]int{}, reached: map[string]chan int{}, seen: map[string]string{},
	}
}

func (*accounts) Scheme() core.Scheme                                  { return byHeader("Account") }
func (*accounts) Challenges(core.Request, error) []challenge.Challenge { return realm("Account") }

func (a *accounts) Authenticate(ctx context.Context, r core.Request) (*core.Principal, error) {
	h, _ := r.Header("Authorization")
	id, ok := strings.CutPrefix(h, "Account ")
	if !ok {
		return nil, core.ErrNoCredentials
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if core.IsRecheck(ctx) {
		a.asked[id]++
		if a.view != nil {
			a.seen[id] = a.view(r)
		}
		select {
		case a.channel(id) <- a.asked[id]:
		default:
		}
	}
	if proves := a.proves[id]; proves != nil {
		return proves()
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: id})
}

// Authorize allows every account that is not denied.
func (a *accounts) Authorize(_ context.Context, p *core.Principal, _ core.Access) (core.Decision, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return core.Decision{Allowed: !a.denies[p.ID()]}, nil
}

// channel returns the channel that receives the number of rechecks of an account.
func (a *accounts) channel(id string) chan int {
	if a.reached[id] == nil {
		a.reached[id] = make(chan int, 1)
	}
	return a.reached[id]
}

// change changes the answers.
func (a *accounts) change(do func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	do()
}

// fails makes an account fail with err.
func (a *accounts) fails(id string, err error) {
	a.change(func() { a.proves[id] = func() (*core.Principal, error) { return nil, err } })
}

// rechecked waits for n more rechecks of an account.
func (a *accounts) rechecked(t testing.TB, id string, n int) {
	t.Helper()
	var ch chan int
	a.change(func() { ch, n = a.channel(id), a.asked[id]+n })
	for limit := time.After(TimeLimit(time.Minute)); ; {
		select {
		case asked := <-ch:
			if asked >= n {
				return
			}
		case <-limit:
			t.Fatalf("%s: nobody asks again", id)
		}
	}
}

// recheckEvery is the interval of rechecks in these cases.
const recheckEvery = 3 * time.Millisecond

// live returns a handler that keeps the connection open in the framework's way while the
// request remains allowed, and then writes the close code it would use.
func live(keep func(Exchange, func(io.Writer)) error, grace time.Duration, rules ...core.Authorizer) Handler {
	return func(x Exchange) error {
		ctx, cancel := core.ContextWhileGood(context.WithoutCancel(x.Context()), recheckEvery, grace, rules...)
		err := keep(x, func(w io.Writer) {
			defer cancel()
			_, _ = io.WriteString(w, "open\n") // the client has gone
			<-ctx.Done()
			if d, ok := errtype.As[*core.Denial](context.Cause(ctx)); ok {
				_, _ = fmt.Fprintf(w, "over %d %s\n", d.Kind.CloseCode(), d.Reason)
			}
		})
		if err != nil {
			cancel()
		}
		return err
	}
}

// liveApp serves an app with a route for each way to keep a connection open.
func (f Framework) liveApp(t testing.TB, route func(keep func(Exchange, func(io.Writer)) error) Route) string {
	t.Helper()
	var app App
	for name, keep := range f.LongLived {
		rt := route(keep)
		rt.Pattern, rt.Methods = "/"+name+"/:id", []string{"GET"}
		app.Routes = append(app.Routes, rt)
	}
	return f.Start(t, app)
}

// connection is an open connection.
type connection struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

// open sends a request and waits until its handler has begun to write.
func open(t testing.TB, addr, path string, header ...string) *connection {
	t.Helper()
	c := must.Have(dial(addr))(t)
	t.Cleanup(c.close)
	if err := c.write(Request("GET", path, header...)); err != nil {
		t.Fatal(err)
	}
	resp := must.Have(http.ReadResponse(c.in, nil))(t)
	in := bufio.NewReader(resp.Body)
	if line, err := in.ReadString('\n'); err != nil || resp.StatusCode != http.StatusOK || line != "open\n" {
		t.Fatalf("%s: %d %q %v", path, resp.StatusCode, line, err)
	}
	return &connection{t, c.conn, in}
}

// ends waits until the server ends the connection with want as its last line.
func (c *connection) ends(want string) {
	c.t.Helper()
	if rest, err := io.ReadAll(c.in); err != nil || string(rest) != want+"\n" {
		c.t.Errorf("ended with %q, %v; want %q", rest, err, want)
	}
}

// connectionsEnd checks that every change that would refuse the next request also ends the
// open connections it applies to, and no others, with an event for each.
func connectionsEnd(t *testing.T, f Framework) {
	users := newAccounts()
	g, rec := guardOf(t, []core.Authenticator{users}, core.WithRecheck(), core.WithAuthorizer(users))
	owner := AuthorizerFunc(func(p *core.Principal, a core.Access) (core.Decision, error) {
		users.mu.Lock()
		defer users.mu.Unlock()
		return core.Decision{Allowed: !users.denies["owner "+p.ID()]}, nil
	})
	addr := f.liveApp(t, func(keep func(Exchange, func(io.Writer)) error) Route {
		return Route{Gates: []Gate{{Kind: "Authenticate", Guard: g}, {Kind: "Authorize", Guard: g}}, Handler: live(keep, 0, owner)}
	})
	for name := range f.LongLived {
		for _, tt := range []struct {
			what string
			do   func(id string)
			ends string
		}{
			{"revoked", func(id string) {
				users.fails(id, &core.CredentialError{Reason: core.ReasonRevoked, Code: core.CodeInvalidToken})
			}, "over 4401 revoked"},
			{"expired", func(id string) {
				users.fails(id, &core.CredentialError{Reason: core.ReasonExpired, Code: core.CodeInvalidToken})
			}, "over 4401 expired"},
			{"somebody else", func(id string) {
				users.change(func() {
					users.proves[id] = func() (*core.Principal, error) { return core.NewPrincipal(core.PrincipalInfo{ID: id + "2"}) }
				})
			}, "over 4401 other_principal"},
			{"policy", func(id string) { users.change(func() { users.denies[id] = true }) }, "over 4403 denied"},
			{"rule", func(id string) { users.change(func() { users.denies["owner "+id] = true }) }, "over 4403 denied"},
			{"outage", func(id string) { users.fails(id, errors.New("no route to host")) }, "over 4503 dependency_unavailable"},
			{"panic", func(id string) {
				users.change(func() { users.proves[id] = func() (*core.Principal, error) { panic("no") } })
			}, "over 4500 panic"},
		} {
			id, bystander := name+"-"+tt.what, name+"-bystander-"+tt.what
			c := open(t, addr, "/"+name+"/7", "Authorization: Account "+id)
			other := open(t, addr, "/"+name+"/8", "Authorization: Account "+bystander)
			users.rechecked(t, id, 3)
			before := len(rec.Events())
			tt.do(id)
			c.ends(tt.ends)
			events := rec.Events()[before:]
			if len(events) != 1 || events[0].Gate != "recheck" || events[0].PrincipalID != id || events[0].Resource != "/"+name+"/7" ||
				!strings.Contains(tt.ends, string(events[0].Reason)) || events[0].ClientAddr() != "127.0.0.1" {
				t.Errorf("%s: events %+v", id, events)
			}
			users.rechecked(t, bystander, 2)
			users.fails(bystander, &core.CredentialError{Reason: core.ReasonRevoked})
			other.ends("over 4401 revoked")
		}
	}
}

// askedAgain checks that at a recheck authenticators and rules see the request that opened
// the connection, whatever other requests the server has answered since.
func askedAgain(t *testing.T, f Framework) {
	users := newAccounts()
	var first sync.Map
	users.view = requestInWords
	g, _ := guardOf(t, []core.Authenticator{users}, core.WithRecheck())
	rule := AuthorizerFunc(func(p *core.Principal, a core.Access) (core.Decision, error) {
		now := requestInWords(a.Request) + a.Action + a.Resource.Route + a.Resource.Path
		was, again := first.LoadOrStore(p.ID(), now)
		return core.Decision{Allowed: !again || was == now}, nil
	})
	addr := f.liveApp(t, func(keep func(Exchange, func(io.Writer)) error) Route {
		return Route{Gates: []Gate{{Kind: "Require", Guard: g, Rules: []core.Authorizer{rule}}}, Handler: live(keep, 0)}
	})
	for name := range f.LongLived {
		var open1 []*connection
		for i := range 3 {
			id := fmt.Sprintf("%s-%d", name, i)
			open1 = append(open1, open(t, addr, "/"+name+"/"+id+"?q="+id, "Authorization: Account "+id, "X-Number: "+id, "Cookie: a="+id+"; b=2"))
		}
		for i := range 30 { // these reuse the buffers of the former
			noise := fmt.Sprintf("noise-%s-%d", name, i)
			Send(t, addr, Request("GET", "/nowhere/"+noise+"?q="+noise, "Authorization: Account "+noise, "X-Number: "+noise, "Cookie: a="+noise))
		}
		for i, c := range open1 {
			id := fmt.Sprintf("%s-%d", name, i)
			users.rechecked(t, id, 2)
			var saw string
			users.change(func() { saw = users.seen[id] })
			peer := c.conn.LocalAddr().String()
			want := fmt.Sprintf("GET /%s/%s?q=%s app.example Account %s 1 %s 1 %s 1 %s 1 %s %s tls=false", name, id, id, id, id, id, id, id, peer)
			if saw != want {
				t.Errorf("asked again about\n%s, want\n%s", saw, want)
			}
			users.fails(id, &core.CredentialError{Reason: core.ReasonRevoked})
			c.ends("over 4401 revoked")
		}
	}
}

// requestInWords returns the content of a request as text.
func requestInWords(r core.Request) string {
	authorization, a := r.Header("Authorization")
	number, n := r.Header("X-Number")
	cookie, c := r.Cookie("a")
	query, q := r.Query("q")
	return fmt.Sprint(r.Method(), " ", r.Target(), " ", r.Host(), " ", authorization, " ", a, " ", number, " ", n, " ", cookie, " ", c, " ", query, " ", q,
		" ", r.Param("id"), " ", r.RemoteAddr(), " tls=", r.TLS() != nil)
}

// notKept checks that a recheck without the option refuses at once.
func notKept(t *testing.T, f Framework) {
	g, _ := guard(t)
	d := &door{t: t}
	route := d.route(Gate{Kind: "Authenticate", Guard: g})
	route.Handler = func(x Exchange) error {
		err := core.Recheck(x.Context())
		ctx, cancel := core.ContextWhileGood(x.Context(), time.Hour, time.Hour)
		defer cancel()
		var now, later *core.Denial
		if !errors.As(err, &now) || !errors.As(context.Cause(ctx), &later) {
			return x.Text(http.StatusOK, "good")
		}
		return x.Text(http.StatusOK, fmt.Sprint(now, " ", later))
	}
	d.addr = f.Start(t, App{Routes: []Route{route}})
	if a := d.get(as("alice")); a.Body != "500 internal_error 500 internal_error" {
		t.Errorf("%d %q", a.Status, a.Body)
	}
}
