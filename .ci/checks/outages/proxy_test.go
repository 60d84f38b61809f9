//go:build unix

package outages_test

import (
	"bufio"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// way is what stands between a service and its server. What it does with connections can
// be changed at any time, also with those that are there.
type way struct {
	to    string
	redis bool // it takes commands apart
	l     net.Listener

	mu    sync.Mutex
	fault fault
	conns map[net.Conn]bool
	most  int // how many connections there were at once
	total int
}

// fault is what becomes of a connection.
type fault struct {
	name string
	// refuse has connections closed as soon as they are made.
	refuse bool
	// silent has nothing go through.
	silent bool
	// lost has the answers not come back.
	lost bool
	// cut closes the connection behind that many bytes of an answer; -1 for 0.
	cut int
	// slow holds each answer up.
	slow time.Duration
	// reply answers each command in the server's place; it is for Redis.
	reply string
	// setup has it answer also the commands by which a connection begins.
	setup bool
}

func newWay(t *testing.T, to string, redis bool) *way {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &way{to: to, redis: redis, l: l, conns: map[net.Conn]bool{}}
	t.Cleanup(w.close)
	go w.serve()
	return w
}

func (w *way) addr() string { return w.l.Addr().String() }

// set changes the fault, and ends the connections that it would not reach.
func (w *way) set(f fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	was := w.fault
	w.fault = f
	if f.refuse || was.silent || was.lost || was.slow > 0 || was.reply != "" {
		for c := range w.conns {
			_ = c.Close()
		}
	}
}

func (w *way) now() fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fault
}

func (w *way) close() {
	_ = w.l.Close()
	w.set(fault{refuse: true})
}

func (w *way) keep(c net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns[c] = true
	w.total++
	w.most = max(w.most, len(w.conns))
}

func (w *way) drop(c net.Conn) {
	_ = c.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, c)
}

// made is how many connections there are, and how many there were in all.
func (w *way) made() (open, total int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.conns), w.total
}

func (w *way) serve() {
	for {
		c, err := w.l.Accept()
		if err != nil {
			return
		}
		if w.now().refuse {
			_ = c.Close()
			continue
		}
		go w.carry(c)
	}
}

// carry serves one connection.
func (w *way) carry(c net.Conn) {
	w.keep(c)
	defer w.drop(c)
	server, err := net.DialTimeout("tcp", w.to, authtest.TimeLimit(5*time.Second))
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	go func() {
		defer func() { _ = c.Close() }()
		w.answers(c, server)
	}()
	if w.redis {
		w.commands(bufio.NewReader(c), c, server)
	} else {
		w.questions(c, server)
	}
}

// answers carries what the server says.
func (w *way) answers(c, server net.Conn) {
	b := make([]byte, 64<<10)
	for {
		n, err := server.Read(b)
		if err != nil {
			return
		}
		switch f := w.now(); {
		case f.silent || f.lost:
			continue
		case f.cut != 0:
			_, _ = c.Write(b[:max(min(f.cut, n-1), 0)])
			return
		case f.slow > 0:
			time.Sleep(f.slow)
		}
		if _, err := c.Write(b[:n]); err != nil {
			return
		}
	}
}

// questions carries what the client says.
func (w *way) questions(in io.Reader, server net.Conn) {
	b := make([]byte, 64<<10)
	for {
		n, err := in.Read(b)
		if err != nil {
			return
		}
		if w.now().silent {
			continue
		}
		if _, err := server.Write(b[:n]); err != nil {
			return
		}
	}
}

// commands carries commands of Redis, or answers them.
func (w *way) commands(in *bufio.Reader, c, server net.Conn) {
	for {
		name, raw, err := command(in)
		if err != nil {
			return
		}
		f := w.now()
		begins := name == "HELLO" || name == "CLIENT" || name == "AUTH"
		switch {
		case f.silent:
		case f.reply != "" && (f.setup || !begins):
			if _, err := io.WriteString(c, f.reply); err != nil {
				return
			}
		default:
			if _, err := io.WriteString(server, raw); err != nil {
				return
			}
		}
	}
}

// command reads one command, an array of strings.
func command(in *bufio.Reader) (name, raw string, err error) {
	var all strings.Builder
	number := func() (n int, err error) {
		line, err := in.ReadString('\n')
		if err != nil {
			return 0, err
		}
		all.WriteString(line)
		return strconv.Atoi(strings.TrimSpace(line[1:]))
	}
	parts, err := number()
	for i := 0; err == nil && i < parts; i++ {
		var n int
		if n, err = number(); err != nil {
			break
		}
		b := make([]byte, n+2)
		if _, err = io.ReadFull(in, b); err != nil {
			break
		}
		all.Write(b)
		if i == 0 {
			name = strings.ToUpper(string(b[:n]))
		}
	}
	return name, all.String(), err
}

// loses has nothing go through any more, and leaves the connections as they are.
func (w *way) loses() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = fault{silent: true}
}
