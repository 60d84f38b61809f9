package connect

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// nodes is a hook that follows keys to the node of a cluster that has them. They are all on
// one node, so a client of the whole cluster, which needs more rights and sends commands
// again whose answer was lost, is not needed: MOVED says which node, and that the command
// was not executed. The server of the URL is asked whenever that node does not answer.
type nodes struct {
	settings *Settings
	options  *Options

	mu     sync.Mutex
	addr   string
	node   *redis.Client // nil for the server of the URL
	closed bool
}

// maxMoves is how often one command is sent to another node.
const maxMoves = 3

// closeAfter is longer than any command takes.
const closeAfter = 2 * time.Minute

func (n *nodes) DialHook(next redis.DialHook) redis.DialHook { return next }

func (n *nodes) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return n.run(func() error { return next(ctx, cmd) }, func(node *redis.Client) error { return node.Process(ctx, cmd) })
	}
}

func (n *nodes) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return n.run(func() error { return next(ctx, cmds) }, func(node *redis.Client) error {
			p := node.Pipeline()
			for _, cmd := range cmds {
				_ = p.Process(ctx, cmd) // only queued
			}
			_, err := p.Exec(ctx)
			return err
		})
	}
}

// run runs commands at the server of the URL, or on the node that has the keys.
func (n *nodes) run(here func() error, there func(*redis.Client) error) (err error) {
	node := n.current()
	for range 1 + maxMoves {
		if node == nil {
			err = here()
		} else {
			err = there(node)
		}
		if addr, moved := redis.IsMovedError(err); moved {
			var refused error
			if node, refused = n.move(addr); refused != nil {
				return refused
			}
			continue
		}
		if node == nil || !isLost(err) {
			return err
		}
		n.forget(node)
		if dial, ok := errors.AsType[*net.OpError](err); !ok || dial.Op != "dial" {
			return err // it may have been executed
		}
		node = nil
	}
	return err
}

// isLost reports whether a node has not answered, or has lost its cluster. A caller that
// has gone, or found no free connection, says nothing about the node, to which every loss
// makes new connections beside the old ones.
func isLost(err error) bool {
	_, answered := errors.AsType[redis.Error](err)
	return err != nil && !answered && !errors.Is(err, context.Canceled) && !errors.Is(err, redis.ErrPoolTimeout) || redis.HasErrorPrefix(err, "CLUSTERDOWN")
}

func (n *nodes) current() *redis.Client {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.node
}

// move returns the node at addr, and has later commands begin there.
func (n *nodes) move(addr string) (*redis.Client, error) {
	if host, port, err := net.SplitHostPort(addr); err == nil && host == "" {
		known, _, _ := net.SplitHostPort(n.options.Addr)
		addr = net.JoinHostPort(known, port) // the node does not know its name
	}
	if err := n.settings.checkServer(n.options, addr); err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if addr == n.options.Addr || n.closed {
		n.leave()
		return nil, nil
	}
	if n.node == nil || n.addr != addr {
		n.leave()
		o := n.options.Options
		o.Addr = addr
		n.addr, n.node = addr, redis.NewClient(&o)
	}
	return n.node, nil
}

// forget has later commands begin at the server of the URL.
func (n *nodes) forget(node *redis.Client) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.node == node {
		n.leave()
	}
}

// leave closes the node once running commands have ended. The lock must be held.
func (n *nodes) leave() {
	if old := n.node; old != nil {
		time.AfterFunc(closeAfter, func() { _ = old.Close() })
	}
	n.node = nil
}

func (n *nodes) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	if n.node != nil {
		_ = n.node.Close()
	}
	n.node = nil
}
