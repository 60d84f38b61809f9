package connect

import (
	"context"
	"errors"
	"net"
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
		node, err := n.move("127.0.0.1:2")
		if err != nil {
			t.Fatal(err)
		}
		got := n.run(func() error { return errors.New("the server of the URL is asked") }, func(*redis.Client) error { return c.err })
		if !errors.Is(got, c.err) || (n.current() != node) != c.lost {
			t.Errorf("%s: %v, lost %v", name, got, n.current() != node)
		}
		n.close()
	}
}
