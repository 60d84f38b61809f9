// Package pipenet is a network in memory, for tests in the time of package synctest.
package pipenet

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// Network connects clients with one server. Its connections can be lost without a word, as
// in a firewall that forgets them.
type Network struct {
	accepted chan net.Conn
	closed   chan struct{}
	close    sync.Once

	mu    sync.Mutex
	conns []*conn
}

type conn struct {
	net.Conn
	lost atomic.Bool
}

// Serve serves HTTP/2 without TLS on a new network, until its Close.
func Serve(h http.Handler) *Network {
	n := &Network{accepted: make(chan net.Conn), closed: make(chan struct{})}
	s := &http.Server{Handler: h, Protocols: new(http.Protocols)}
	s.Protocols.SetUnencryptedHTTP2(true)
	go func() {
		_ = s.Serve(n) // until Close
		_ = s.Close()
	}()
	return n
}

// Use makes a transport use the network, without TLS.
func (n *Network) Use(t *http.Transport) {
	t.DialContext = n.dial
	t.Protocols = new(http.Protocols)
	t.Protocols.SetUnencryptedHTTP2(true)
}

func (n *Network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case n.accepted <- server:
	case <-n.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c := &conn{Conn: client}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns = append(n.conns, c)
	return c, nil
}

// Lose loses the connections that there are: nothing arrives any more, at either end.
func (n *Network) Lose() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		c.lost.Store(true)
	}
}

// Dialed returns the number of connections so far.
func (n *Network) Dialed() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.conns)
}

// Accept implements [net.Listener].
func (n *Network) Accept() (net.Conn, error) {
	select {
	case c := <-n.accepted:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (n *Network) Close() error {
	n.close.Do(func() { close(n.closed) })
	return nil
}

// Addr implements [net.Listener].
func (n *Network) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "unix"} }

func (c *conn) Write(b []byte) (int, error) {
	if c.lost.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func (c *conn) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if err != nil || !c.lost.Load() {
			return n, err
		}
	}
}
