package probe

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/loopback"
	"github.com/sallyport-go/sallyport/core/internal/pause"
	"github.com/sallyport-go/sallyport/core/internal/quiet"
	"github.com/sallyport-go/sallyport/core/option"
)

// Client sends requests exactly as planned, over connections of its own: no client
// library cleans a path or follows a redirect. It is not safe for concurrent use.
type Client struct {
	edge, direct *wire
	interval     time.Duration
	timeout      time.Duration
	tls          *tls.Config
	next         time.Time
}

// Option configures a [Client].
type Option func(*Client) error

// WithRate bounds the number of requests per second. Without it there is no bound.
func WithRate(perSecond float64) Option {
	return func(c *Client) error {
		if !(perSecond > 0) {
			return fmt.Errorf("rate %v: must be more than 0 requests a second", perSecond)
		}
		c.interval = time.Duration(float64(time.Second) / perSecond)
		return nil
	}
}

// WithTimeout bounds one request; 10 seconds by default.
func WithTimeout(d time.Duration) Option {
	return func(c *Client) error {
		return option.SetUnless(&c.timeout, d, d <= 0, "timeout %v: must be more than 0", d)
	}
}

// WithTLS sets the TLS configuration for https, for instance with a company's
// certificate authority; the system's by default. ServerName is set to the host.
func WithTLS(config *tls.Config) Option {
	return func(c *Client) error { return option.Set(&c.tls, config, "TLS configuration is nil") }
}

// WithDirect sets the address of the service itself, behind its proxy. Requests
// sent there keep the Host of the others.
func WithDirect(base string) Option {
	return func(c *Client) error {
		w, err := newWire(base)
		c.direct = w
		return err
	}
}

// NewClient returns a client for the service at base, such as
// "https://api.example". A path prefix of all routes belongs in [Settings].
func NewClient(base string, opts ...Option) (*Client, error) {
	w, err := newWire(base)
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	c := &Client{edge: w, timeout: 10 * time.Second, tls: &tls.Config{}}
	if err := option.Apply(c, opts); err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	if c.direct != nil {
		c.direct.host = c.edge.host
	}
	return c, nil
}

// Close closes the client's connections.
func (c *Client) Close() {
	c.edge.close()
	if c.direct != nil {
		c.direct.close()
	}
}

// Send sends one request and reads its response. If a reused connection turns out to be
// closed, it is reopened once.
func (c *Client) Send(ctx context.Context, r Request) Answer {
	if err := c.pace(ctx); err != nil {
		return Answer{Err: err}
	}
	if err := checkLines(r); err != nil {
		return Answer{Err: err}
	}
	w := c.edge
	if r.Direct {
		if c.direct == nil {
			return Answer{Err: errors.New("the address of the service behind the proxy is missing")}
		}
		w = c.direct
	}
	if !slices.Contains(safe, r.Method) {
		w.close() // a request that may change something is not repeated
	}
	reused := w.conn != nil
	a := w.roundTrip(ctx, c, r)
	if a.Err != nil && reused && ctx.Err() == nil {
		if err := c.pace(ctx); err != nil {
			return Answer{Err: err}
		}
		a = w.roundTrip(ctx, c, r)
	}
	return a
}

// checkLines returns an error for a request with a line break or NUL in its head.
func checkLines(r Request) error {
	parts := []string{r.Method, r.Target}
	for _, f := range r.Header {
		parts = append(parts, f.Name, f.Value)
	}
	for _, p := range parts {
		if strings.ContainsAny(p, "\r\n\x00") {
			return fmt.Errorf("request %q as %s: it contains a line break or NUL", r.Method+" "+r.Target, r.As)
		}
	}
	return nil
}

// pace waits until the next request may be sent.
func (c *Client) pace(ctx context.Context) error {
	if c.interval == 0 {
		return ctx.Err()
	}
	now := time.Now()
	if wait := c.next.Sub(now); wait > 0 {
		if err := pause.For(ctx, wait); err != nil {
			return err
		}
		now = c.next
	}
	c.next = now.Add(c.interval)
	return nil
}

// wire is a connection to one address.
type wire struct {
	addr, name, host string
	secure           bool
	conn             net.Conn
	in               *bufio.Reader
	head             *io.LimitedReader // what in reads from, limited for each head
}

func newWire(base string) (*wire, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil:
		return nil, errors.New("the address is not a URL") // its text may hold a password
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, errors.New("the address is not that of a service: write http://HOST or https://HOST")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return nil, fmt.Errorf("address %q: must have no path, query, fragment or user", quiet.URL(u))
	}
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	return &wire{
		addr: net.JoinHostPort(u.Hostname(), port), name: u.Hostname(), host: u.Host, secure: u.Scheme == "https",
	}, nil
}

func (w *wire) close() {
	if w.conn != nil {
		_ = w.conn.Close()
		w.conn = nil
	}
}

func (w *wire) dial(ctx context.Context, config *tls.Config) error {
	if w.conn != nil {
		return nil
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", w.addr)
	if err != nil {
		return err
	}
	if w.secure {
		config = config.Clone()
		config.ServerName, config.NextProtos = w.name, []string{"http/1.1"}
		secured := tls.Client(conn, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return err
		}
		conn = secured
	}
	w.conn, w.head = conn, &io.LimitedReader{R: conn}
	w.in = bufio.NewReader(w.head)
	return nil
}

func (w *wire) roundTrip(ctx context.Context, c *Client, r Request) Answer {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if err := w.dial(ctx, c.tls); err != nil {
		return Answer{Err: err}
	}
	conn := w.conn
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	_ = conn.SetDeadline(time.Now().Add(c.timeout))
	start := time.Now()
	if _, err := io.WriteString(conn, w.text(r)+r.Content); err != nil {
		w.close()
		return Answer{Err: err}
	}
	resp, err := w.response(r.Method)
	if err != nil {
		w.close()
		return Answer{Err: err}
	}
	a := Answer{Status: resp.StatusCode, Header: resp.Header, Took: time.Since(start)}
	if isStream(resp.Header) {
		_ = conn.SetDeadline(time.Now().Add(streamTime))
	}
	var complete bool
	a.Body, complete, a.Err = readBody(resp)
	if !complete || resp.Close || !stop() {
		w.close()
	}
	return a
}

// local reports whether the service runs on this machine. Each request to it gets a new
// connection: on a reused one, a service that writes head and body separately waits 40 ms
// for a delayed acknowledgement.
func (w *wire) local() bool {
	return loopback.Host(w.name)
}

// text returns the head of the request as sent.
func (w *wire) text(r Request) string {
	var b strings.Builder
	b.WriteString(r.Method + " " + r.Target + " HTTP/1.1\r\nHost: " + w.host + "\r\n")
	agent, accept := true, true
	for _, f := range r.Header {
		agent = agent && !strings.EqualFold(f.Name, "User-Agent")
		accept = accept && !strings.EqualFold(f.Name, "Accept")
		b.WriteString(f.Name + ": " + f.Value + "\r\n")
	}
	if agent {
		b.WriteString("User-Agent: sallyport-probe\r\n")
	}
	if accept {
		b.WriteString("Accept: */*\r\n")
	}
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(r.Content))
	}
	if w.local() {
		b.WriteString("Connection: close\r\n")
	}
	b.WriteString("\r\n")
	return b.String()
}

// maxHead is the maximum size of the head of an answer, including informational
// responses.
const maxHead = 1 << 20

// response reads the final response, skipping informational ones (RFC 9110 §15.2).
func (w *wire) response(method string) (*http.Response, error) {
	w.head.N = maxHead
	defer func() { w.head.N = math.MaxInt64 }() // the body is limited where it is read
	for range 10 {
		resp, err := http.ReadResponse(w.in, &http.Request{Method: method})
		if err != nil || resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, err
		}
	}
	return nil, errors.New("too many informational responses")
}
