package authtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

var http2Cases = []testCase{
	{"invariant 17 a handler that cannot take the connection over is refused all the same", failsToHijack},
	{"streams that are reset while a gate decides leave others on the connection alone", resetStreams},
}

// http2Client returns a client with prior knowledge of HTTP/2.
func http2Client(t *testing.T, f Framework) *http.Client {
	t.Helper()
	if !f.HTTP2 {
		t.Skip("Framework.HTTP2 is not set: the framework does not answer HTTP/2")
	}
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: TimeLimit(time.Minute)}
}

// ask requests a path with credentials for Names.
func ask(ctx context.Context, client *http.Client, url, name string) (Answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return Answer{}, err
	}
	r.Header.Set("Authorization", strings.TrimPrefix(as(name), "Authorization: "))
	resp, err := client.Do(r)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.ProtoMajor != 2 {
		err = errors.New("answered by " + resp.Proto)
	}
	return Answer{resp.StatusCode, resp.Header, string(body)}, err
}

// failsToHijack checks that a handler that fails to hijack the connection, as for a
// WebSocket, can still answer: over HTTP/2 no connection can be hijacked, and nothing was
// sent yet.
func failsToHijack(t *testing.T, f Framework) {
	client := http2Client(t, f)
	for name, write := range f.Writers {
		if !takesOver(name) {
			continue
		}
		g, _ := guard(t, core.WithLogger(slog.New(slog.DiscardHandler)))
		d := newDoorIn(t, f, App{}, func(x Exchange) error {
			if write(x) == nil {
				t.Errorf("%s took over a connection of HTTP/2", name)
			}
			return x.Check(g, only("alice"))
		}, Gate{Kind: "Authenticate", Guard: g})
		a, err := ask(t.Context(), client, "http://"+d.addr+"/door", "bob")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		refused(t, name, a, http.StatusForbidden, core.CodeForbidden)
	}
}

// deciding is a rule that waits until it is released or its client hangs up.
type deciding struct {
	entered chan struct{}
	release chan struct{}
}

func (d deciding) Authorize(ctx context.Context, _ *core.Principal, _ core.Access) (core.Decision, error) {
	d.entered <- struct{}{}
	select {
	case <-d.release:
		return core.Decision{Allowed: true}, nil
	case <-ctx.Done():
		return core.Decision{}, fmt.Errorf("select from members: %w", ctx.Err())
	}
}

// receive returns the next value of a channel.
func receive[T any](t *testing.T, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(TimeLimit(time.Minute)):
		t.Fatal("nothing was received")
	}
	return v
}

// resetStreams checks that a client can cancel individual requests (RFC 9113 §8.7).
func resetStreams(t *testing.T, f Framework) {
	const streams = 20 // of each kind
	client := http2Client(t, f)
	events := make(chan core.Event, 2*streams)
	g, _ := guard(t, core.WithObserver(core.ObserverFunc(func(_ context.Context, e core.Event) { events <- e })))
	rule := deciding{make(chan struct{}, 2*streams), make(chan struct{})}
	d := newDoor(t, f, Gate{Kind: "Require", Guard: g, Rules: []core.Authorizer{rule}})
	if _, err := ask(t.Context(), client, "http://"+d.addr+"/none", "bob"); err != nil { // opens the connection
		t.Fatal(err)
	}
	giveUp, cancel := context.WithCancel(t.Context())
	defer cancel()
	type result struct {
		name string
		Answer
		err error
	}
	results := make(chan result, 2*streams)
	for n := range 2 * streams {
		ctx, name := t.Context(), fmt.Sprintf("stays%d", n)
		if n%2 == 1 {
			ctx, name = giveUp, fmt.Sprintf("goes%d", n)
		}
		go func() {
			a, err := ask(ctx, client, "http://"+d.addr+"/door", name)
			results <- result{name, a, err}
		}()
	}
	for range 2 * streams {
		receive(t, rule.entered)
	}
	cancel()
	for range streams {
		if e := receive(t, events); e.Outcome != core.OutcomeClientGone || !strings.HasPrefix(e.PrincipalID, "goes") {
			t.Errorf("event %s of %s: %v", e.Outcome, e.PrincipalID, e.Cause)
		}
		if r := receive(t, results); !errors.Is(r.err, context.Canceled) {
			t.Errorf("%s: %d, %v", r.name, r.Status, r.err)
		}
	}
	close(rule.release)
	for range streams {
		if e := receive(t, events); e.Outcome != core.OutcomeAllowed {
			t.Errorf("event %s of %s: %v", e.Outcome, e.PrincipalID, e.Cause)
		}
		if r := receive(t, results); r.err != nil || r.Status != http.StatusOK || r.Body != handled+r.name {
			t.Errorf("%s: %d %q, %v", r.name, r.Status, r.Body, r.err)
		}
	}
	if n := d.runs.Load(); n != streams {
		t.Errorf("the handler ran %d times, for %d streams", n, streams)
	}
}
