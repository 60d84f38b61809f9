package sockets

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// Client sends one request again and again over some connections. It is a loop of
// system calls in one thread, so that it takes no longer than the fastest server.
type Client struct {
	files   []*os.File
	sockets []int
	request []byte
	answer  int // how long each is
	status  []byte
	poll    int
	events  []syscall.EpollEvent
	buffer  []byte
	due     []time.Time // when the last request over a connection was due
	idle    []int32     // the connections without a request under way
}

// Result is what came of sending for a while.
type Result struct {
	// Requests were answered within Elapsed.
	Requests int
	Elapsed  time.Duration
	// Latencies, in order, say how long after it was due each answer was there.
	Latencies []time.Duration
}

// Quantile is the latency that the part q of the answers had at most.
func (r *Result) Quantile(q float64) time.Duration {
	if len(r.Latencies) == 0 {
		return 0
	}
	return r.Latencies[min(int(q*float64(len(r.Latencies))), len(r.Latencies)-1)]
}

// Dial opens connections to address, and sends request once over each: its answer
// must have the status, and all answers must be of one length.
func Dial(address string, connections int, request []byte, status int) (c *Client, err error) {
	c = &Client{request: request, buffer: make([]byte, 16<<10), status: []byte("HTTP/1.1 " + strconv.Itoa(status) + " ")}
	defer func() {
		if err != nil {
			c.Close()
		}
	}()
	if c.poll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	c.events = make([]syscall.EpollEvent, connections)
	for range connections {
		if err := c.connect(address); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *Client) connect(address string) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // the file is a copy
	if _, err := conn.Write(c.request); err != nil {
		return err
	}
	n, err := readAnswer(conn, c.buffer)
	switch {
	case err != nil:
		return err
	case !bytes.HasPrefix(c.buffer[:n], c.status):
		return fmt.Errorf("the answer is not %q: %.200q", c.status, c.buffer[:n])
	case c.answer != 0 && n != c.answer:
		return fmt.Errorf("answers of %d and of %d bytes", c.answer, n)
	}
	c.answer = n
	file, err := conn.(*net.TCPConn).File()
	if err != nil {
		return err
	}
	fd, at := int(file.Fd()), int32(len(c.files))
	c.files, c.sockets, c.due = append(c.files, file), append(c.sockets, fd), append(c.due, time.Time{})
	c.idle = append(c.idle, at)
	return syscall.EpollCtl(c.poll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: at})
}

// readAnswer reads an answer that says by Content-Length how long it is.
func readAnswer(conn net.Conn, buffer []byte) (n int, err error) {
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	for n < len(buffer) {
		m, err := conn.Read(buffer[n:])
		if n += m; err != nil {
			return n, err
		}
		header, body, ok := bytes.Cut(buffer[:n], []byte("\r\n\r\n"))
		if !ok {
			continue
		}
		_, value, ok := bytes.Cut(bytes.ToLower(header), []byte("\r\ncontent-length: "))
		value, _, _ = bytes.Cut(value, []byte("\r\n"))
		length, err := strconv.Atoi(string(value))
		if !ok || err != nil {
			return n, fmt.Errorf("an answer without a length: %.200q", header)
		}
		if len(body) >= length {
			return n, nil
		}
	}
	return n, errors.New("an answer that is too long")
}

// patience is how long an answer may take.
const patience = time.Minute

// Run sends for a while, and until there is an answer: as fast as the connections
// take it, or a request each time that every has passed, whether there is room for
// it or not. Where there is none it waits, and that counts.
func (c *Client) Run(window, every time.Duration) (Result, error) {
	var r Result
	start := time.Now()
	due, now := start, start
	for now.Sub(start) < window || r.Requests == 0 && now.Sub(start) < patience {
		for len(c.idle) > 0 && !due.After(now) {
			if err := c.send(due); err != nil {
				return r, err
			}
			due = due.Add(every)
		}
		// At full speed it never sleeps: to wake it would be the server's work, but
		// only of one that is slow enough for it to fall asleep.
		wait := time.Duration(0)
		switch {
		case every > 0 && len(c.idle) > 0:
			wait = max(0, time.Until(due))
		case every > 0:
			wait = 100 * time.Millisecond
		}
		if err := c.receive(wait, &r, every > 0); err != nil {
			return r, err
		}
		now = time.Now()
	}
	r.Elapsed = now.Sub(start)
	for limit := now.Add(patience); len(c.idle) < len(c.sockets); {
		if err := c.receive(100*time.Millisecond, &Result{}, false); err != nil {
			return r, err
		}
		if time.Now().After(limit) {
			return r, errors.New("an answer is missing")
		}
	}
	slices.Sort(r.Latencies)
	return r, nil
}

func (c *Client) send(due time.Time) error {
	at := c.idle[len(c.idle)-1]
	c.idle = c.idle[:len(c.idle)-1]
	c.due[at] = due
	n, err := syscall.Write(c.sockets[at], c.request)
	if err == nil && n != len(c.request) {
		err = errors.New("a request was cut")
	}
	return err
}

// wait is how many answers are there, or come within a time. The system call is
// epoll_pwait2, since that of package syscall counts in milliseconds, which are long
// beside a request.
func (c *Client) wait(limit time.Duration) (int, error) {
	const epollPwait2 = 441 // on all architectures
	ts := syscall.NsecToTimespec(limit.Nanoseconds())
	n, _, err := syscall.Syscall6(epollPwait2, uintptr(c.poll), uintptr(unsafe.Pointer(&c.events[0])), //nolint:gosec // as package syscall passes pointers
		uintptr(len(c.events)), uintptr(unsafe.Pointer(&ts)), 0, 0) //nolint:gosec // as above
	switch err {
	case 0:
		return int(n), nil
	case syscall.EINTR:
		return 0, nil
	}
	return 0, fmt.Errorf("epoll_pwait2: %w", err)
}

// receive takes the answers that are there, or that come within wait.
func (c *Client) receive(wait time.Duration, r *Result, timed bool) error {
	n, err := c.wait(wait)
	if err != nil {
		return err
	}
	for i := range n {
		at := c.events[i].Fd
		m, err := syscall.Read(c.sockets[at], c.buffer)
		switch {
		case err == syscall.EAGAIN:
			continue
		case err != nil:
			return err
		case m != c.answer || !bytes.HasPrefix(c.buffer[:m], c.status):
			return fmt.Errorf("another answer than the first: %.200q", c.buffer[:m])
		}
		if timed {
			r.Latencies = append(r.Latencies, time.Since(c.due[at]))
		}
		r.Requests++
		c.idle = append(c.idle, at)
	}
	return nil
}

// Close closes the connections.
func (c *Client) Close() {
	for _, f := range c.files {
		_ = f.Close() // nothing is under way
	}
	if c.poll > 0 {
		_ = syscall.Close(c.poll)
	}
}
