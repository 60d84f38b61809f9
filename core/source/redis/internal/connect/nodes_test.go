package connect

import (
	"context"
	"errors"
	"net"
	"runtime"
	"testing"

	"github.com/redis/go-redis/v9"
)

// TestNodeStaysForItsFaultsAlone: what a caller did, or a command, does not cost the node its
// connections.
func TestNodeStaysForItsFaultsAlone(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		lost bool
	}{
		"no error":              {nil, false},
		"no value":              {redis.Nil, false},
		"a caller that is gone": {context.Canceled, false},
		"too many callers":      {redis.ErrPoolTimeout, false},
		"no answer":             {&net.OpError{Op: "read", Err: errors.New("i/o timeout")}, true},
		"no answer in time":     {context.DeadlineExceeded, true},
	} {
		s := Defaults()
		o, err := s.Options("redis://127.0.0.1:1")
		if err != nil {
			t.Fatal(err)
		}
		n := &nodes{settings: &s, options: o}
		first, err := n.move("127.0.0.1:2")
		if err != nil {
			t.Fatal(err)
		}
		n.done(first, false)
		got := n.run(func() error { return errors.New("the server of the URL is asked") }, func(*node) error { return c.err })
		if !errors.Is(got, c.err) || (n.current() != first) != c.lost {
			t.Errorf("%s: %v, lost %v", name, got, n.current() != first)
		}
		n.close()
	}
}

// TestNodesAreClosed: a node that was left is closed with the last command that runs on it, so
// that a node that is gone, to which every command is sent and which it leaves, costs nothing
// later.
func TestNodesAreClosed(t *testing.T) {
	s := Defaults()
	o, err := s.Options("redis://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	o.DialerRetries, o.MaxRetries = 1, -1
	n := &nodes{settings: &s, options: o}
	defer n.close()
	on, err := n.move("127.0.0.1:2")
	if err != nil {
		t.Fatal(err)
	}
	if n.done(n.current(), true); n.current() != nil {
		t.Fatal("commands begin at a node that is lost")
	}
	closed := func() bool { return errors.Is(on.Ping(t.Context()).Err(), redis.ErrClosed) }
	if closed() {
		t.Fatal("closed while a command runs")
	}
	for n.done(on, true); !closed(); {
		runtime.Gosched()
	}
}
