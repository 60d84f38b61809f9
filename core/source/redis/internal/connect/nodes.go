package connect

import (
	"context"
	"errors"
	"net"
	"sync"

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
	node   *node // nil for the server of the URL
	closed bool
}

// node is a client of one node, closed when it has been left and no command runs on it. A
// node that does not answer is left by every command, so that nothing may stay behind: a
// client has goroutines of its own. The fields are guarded by the lock of nodes.
type node struct {
	*redis.Client
	running int
	left    bool
}

// maxMoves is how often one command is sent to another node.
const maxMoves = 3

func (n *nodes) DialHook(next redis.DialHook) redis.DialHook { return next }

func (n *nodes) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return n.run(func() error { return next(ctx, cmd) }, func(node *node) error { return node.Process(ctx, cmd) })
	}
}

func (n *nodes) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return n.run(func() error { return next(ctx, cmds) }, func(node *node) error {
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
func (n *nodes) run(here func() error, there func(*node) error) (err error) {
	on := n.current()
	for range 1 + maxMoves {
		if on == nil {
			err = here()
		} else {
			err = there(on)
			n.done(on, isLost(err))
		}
		if addr, moved := redis.IsMovedError(err); moved {
			var refused error
			if on, refused = n.move(addr); refused != nil {
				return refused
			}
			continue
		}
		if on == nil || !isLost(err) {
			return err
		}
		if dial, ok := errors.AsType[*net.OpError](err); !ok || dial.Op != "dial" {
			return err // it may have been executed
		}
		on = nil
	}
	if on != nil {
		n.done(on, false) // the command was moved once too often
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

// current returns the node at which commands begin, and counts one that runs on it.
func (n *nodes) current() *node {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.node != nil {
		n.node.running++
	}
	return n.node
}

// move returns the node at addr, with one more command that runs on it, and has later
// commands begin there.
func (n *nodes) move(addr string) (*node, error) {
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
		n.addr, n.node = addr, &node{Client: redis.NewClient(&o)}
	}
	n.node.running++
	return n.node, nil
}

// done says that a command on a node has ended. If the node was lost, later commands begin
// at the server of the URL.
func (n *nodes) done(on *node, lost bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	on.running--
	if lost && n.node == on {
		n.leave()
	} else if on.left && on.running == 0 {
		go on.Close()
	}
}

// leave has later commands begin at the server of the URL. The lock must be held.
func (n *nodes) leave() {
	if n.node != nil {
		n.node.left = true
		if n.node.running == 0 {
			go n.node.Close()
		}
	}
	n.node = nil
}

func (n *nodes) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	if n.node != nil {
		_ = n.node.Close() // for the commands that run on it, too
	}
	n.node = nil
}
