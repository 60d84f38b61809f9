//go:build linux

package fleet_test

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy stands between instances and their store, and is the network that fails.
type proxy struct {
	listener net.Listener
	to       string

	mu         sync.Mutex
	cut        bool
	swallowing *atomic.Bool // of the connections that are made now
	conns      map[net.Conn]bool
	done       sync.WaitGroup
}

// startProxy passes connections on to an address.
func startProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, to: to, conns: map[net.Conn]bool{}, swallowing: new(atomic.Bool)}
	p.done.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.sever()
		p.done.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.done.Go(func() { p.serve(c) })
	}
}

// serve passes one connection on.
func (p *proxy) serve(client net.Conn) {
	if !p.add(client) {
		return
	}
	defer p.remove(client)
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	if !p.add(server) {
		return
	}
	defer p.remove(server)
	p.mu.Lock()
	swallowing := p.swallowing
	p.mu.Unlock()
	var both sync.WaitGroup
	pass := func(to, from net.Conn) {
		_, _ = io.Copy(gap{to, swallowing}, from) // ends when either is closed
		_, _ = client.Close(), server.Close()
	}
	both.Go(func() { pass(server, client) })
	both.Go(func() { pass(client, server) })
	both.Wait()
}

// gap is a way on which everything is lost once it is swallowing.
type gap struct {
	io.Writer
	swallowing *atomic.Bool
}

func (g gap) Write(b []byte) (int, error) {
	if g.swallowing.Load() {
		return len(b), nil
	}
	return g.Writer.Write(b)
}

// swallow has nothing arrive any more on the connections that there are, and on those
// that are made until mend, while none of them ends.
func (p *proxy) swallow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.swallowing.Store(true)
}

// add keeps a connection, or closes it while the network is cut.
func (p *proxy) add(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut {
		_ = c.Close()
		return false
	}
	p.conns[c] = true
	return true
}

func (p *proxy) remove(c net.Conn) {
	_ = c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// sever ends all connections, and lets none come about until mend.
func (p *proxy) sever() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	for c := range p.conns {
		_ = c.Close()
	}
}

func (p *proxy) mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
	if p.swallowing.Load() {
		p.swallowing = new(atomic.Bool) // what was lost stays so
	}
}
